"""Where collected demonstrations lie: a folder named by the key of all that decides them."""

from pathlib import Path

from vla.plan.deployment import Deployment
from vla.plan.identity import Identities
from vla.plan.keys import key_of
from vla.plan.reading import load_demonstrations


def collection_name(root: Path, deployment: Deployment) -> str:
    """Folder of the demonstrations that config/demonstrations.yaml asks for."""
    config = load_demonstrations(root / "config/demonstrations.yaml")
    key = key_of(Identities(root, deployment).collection(config))
    return f"{config.simulator.type}-{len(config.tasks)}tasks-{key}"
