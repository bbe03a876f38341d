"""`make keys`: edits of the code and the configuration, and whose keys they change.

Each edit is made in a copy of what plans are made from. An edit that decides bits must change the
keys of what it decides; one that does not must change none. Exits with 1 when a line is wrong.
"""

from dataclasses import dataclass
from pathlib import Path

from vla.plan.deployment import Deployment
from vla.plan.plan import Plan

ROOT = Path(__file__).parents[1]
PARTS = ("config", "envs", "experiments", "reports/templates", "scripts", "vla", "rules", "data")
IGNORED = ("__pycache__", "checkpoints", "results", "logs", "models", ".prepared", "dvc-remote")
PAIR = ("exp_001_baseline", "exp_002_action_tokens")  # of the policy families bc and rt2
# What follows from what: of keys that change, the first in a line is what the edit decides.
ORDER = (
    "store",
    "run",
    "evaluation",
    "film",
    "summary",
    "comparison",
    "figures",
    "models",
    "readme",
)


@dataclass(frozen=True)
class Edit:
    """`changes`: kinds whose own code or values the edit touches; what is made of these follows.

    `family`: the policy family whose runs alone it may concern. `old` empty: a new file.
    """

    what: str
    file: str
    old: str
    new: str
    changes: tuple[str, ...] = ()
    family: str = ""


EDITS: tuple[Edit, ...] = ()


def keys(root: Path) -> dict[tuple[str, str], str]:
    """(experiment, kind) -> what its identity says of itself, without keys of what it is made from."""
    config = {"experiments": list(PAIR), "comparisons": [list(PAIR)]}
    plan = Plan(root, config, Deployment(use_conda=False, accelerator="cpu"))
    found = {}
    for name, experiment in plan.experiments.items():
        run = experiment.runs[0]
        evaluation = run.evaluations[0]
        items = {
            "store": experiment.stores[0],
            "run": run,
            "evaluation": evaluation,
            "film": evaluation.film,
            **experiment.documents,
        }
        found |= {(name, kind): item for kind, item in items.items()}
    found["", "comparison"] = plan.comparisons[0]
    found["", "report"] = plan.report
    return {place: item.key for place, item in found.items()}
