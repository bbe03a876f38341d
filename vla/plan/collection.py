"""Where collected demonstrations lie: a folder named by the key of all that decides them."""

from pathlib import Path

from vla.plan.deployment import Deployment
from vla.plan.identity import Identities
from vla.plan.keys import key_of
from vla.plan.reading import load_demonstrations


def collection_name(root: Path, file: str, deployment: Deployment) -> str:
    """Folder of the demonstrations that `file`, such as config/demonstrations.yaml, asks for."""
    config = load_demonstrations(root / file)
    key = key_of(Identities(root, deployment).collection(config))
    return f"{config.simulator.type}-{len(config.tasks)}tasks-{key}"
