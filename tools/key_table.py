"""`make keys`: edits of the code and the configuration, and whose keys they change.

Each edit is made in a copy of what plans are made from. An edit that decides bits must change the
keys of what it decides and of what is made from that; any other must change none. Exits with 1 when
a line is wrong.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vla.plan.deployment import Deployment
from vla.plan.plan import Plan

ROOT = Path(__file__).parents[1]
PARTS = ("config", "envs", "experiments", "reports/templates", "scripts", "vla")
IGNORED = ("__pycache__", "checkpoints", "results", "logs", "models", "archive")
BC, RT1 = "exp_001_baseline", "exp_002_action_tokens"  # of one policy family each
# What is made from what.
FOLLOWS = {
    "store": ("run",),
    "run": ("evaluation",),
    "evaluation": ("film", "summary"),
    "film": ("readme",),
    "summary": ("figures", "models", "comparison"),
    "figures": ("readme",),
    "models": ("readme",),
    "comparison": ("report", "experiment report"),
    "readme": ("report", "experiment report"),
    "experiment report": (),
    "report": (),
}
SHARED = ("comparison", "report")  # of both experiments


@dataclass(frozen=True)
class Edit:
    """`old` becomes `new` in `file`; without `old` the file is new.

    `decides`: kinds whose own code or values it touches; `only`: the one experiment it concerns.
    """

    what: str
    file: str
    old: str
    new: str
    decides: tuple[str, ...] = ()
    only: str = ""

    def expected(self) -> set[tuple[str, str]]:
        """(experiment, kind) whose keys must change: what it decides and all that follows."""
        kinds, pending = set(), list(self.decides)
        while pending:
            kind = pending.pop()
            kinds.add(kind)
            pending += FOLLOWS[kind]
        shared = {kind for kind in kinds if kind in SHARED}
        of_both = {made for kind in shared for made in FOLLOWS[kind]}  # each shows the comparison
        return {("", kind) for kind in shared} | {
            (name, kind)
            for name in (BC, RT1)
            for kind in kinds - shared
            if self.only in ("", name) or kind in of_both
        }


HEADS = "vla/policies/parts/regression_head.py"
TABLE = "reports/templates/success_rates.html.j2"
EDITS = (
    Edit(
        "BC gets the head of RT1",
        "vla/policies/bc/policy.py",
        "return FusedPolicy(config, spec, RegressionHead)",
        "return FusedPolicy(config, spec, lambda *sizes: DiscreteHead(*sizes, 256))",
        ("run", "evaluation"),
        BC,
    ),
    Edit("L2 for L1 in BC's loss", HEADS, ".abs(), valid)", ".square(), valid)", ("run",), BC),
    Edit("another initial weight", "vla/policies/parts/fused.py", "std=0.02", "std=0.03", ("run",)),
    Edit("another order of samples", "vla/data/order.py", "BLOCK = ", "BLOCK = 2 * ", ("run",)),
    Edit(
        "AdamW without `fused`", "vla/training/optimizer.py", "fused=True", "fused=False", ("run",)
    ),
    Edit(
        "gradients of parts added the other way round",
        "vla/training/ranks.py",
        "sums.pop()[1] + vector",
        "sums.pop(0)[1] + vector",
        ("run",),
    ),
    Edit(
        "TF32 allowed",
        "vla/process/determinism.py",
        "allow_tf32 = not exact",
        "allow_tf32 = True",
        ("run", "evaluation"),
    ),
    Edit(
        "another mode of MKL",
        "vla/process/variables.py",
        '"COMPATIBLE"',
        '"AVX2"',
        ("run", "evaluation"),
    ),
    Edit(
        "another loop",
        "vla/training/loop.py",
        "Step(step + 1, loss, norm, rate)",
        "Step(step + 2, loss, norm, rate)",
        ("run",),
    ),
    Edit(
        "a hyperparameter of one experiment",
        f"experiments/{RT1}/config.yaml",
        "num_steps: 2000",
        "num_steps: 2001",
        ("run",),
        RT1,
    ),
    Edit(
        "actions counted twice in a rollout",
        "vla/evaluation/rollout.py",
        "steps += 1",
        "steps += 2",
        ("evaluation",),
    ),
    Edit(
        "another camera angle",
        "vla/simulation/metaworld/cameras.py",
        "0.95",
        "0.96",
        ("evaluation", "film"),
    ),
    Edit("a pinned store, decoded otherwise", "vla/data/shards.py", "> frames:", ">= frames:"),
    Edit(
        "80 % intervals",
        "vla/statistics/counts.py",
        "CONFIDENCE = 0.95",
        "CONFIDENCE = 0.8",
        ("summary", "comparison"),
    ),
    Edit(
        "a claim that needs more pairs",
        "vla/statistics/claims.py",
        "FEWEST_PAIRS = 10",
        "FEWEST_PAIRS = 11",
        ("readme",),
    ),
    Edit("slower films", "vla/evaluation/film.py", "FRAME_MS = 200", "FRAME_MS = 250", ("film",)),
    Edit("CSS of a table", TABLE, "<table", "<table  ", ("figures",)),
    Edit(
        "a wider figure",
        "vla/report/figures/learning_curve.py",
        "TITLE = ",
        "WIDER = True\nTITLE = ",
        ("figures",),
    ),
    Edit(
        "text of an error in vision.py", "vla/policies/parts/vision.py", "is no multiple", "is odd"
    ),
    Edit(
        "a log line in supervision.py",
        "vla/training/supervision.py",
        "import math\n",
        "import math\nimport logging\n",
    ),
    Edit("ranks wait longer", "vla/workflow/ranks.py", "PATIENCE = 10", "PATIENCE = 20"),
    Edit(
        "what ranks are told",
        "vla/training/together.py",
        "dtype=torch.uint8",
        "dtype=torch.int64",
    ),
    Edit("another name in retention.py", "vla/training/retention.py", "keep", "stay"),
    Edit(
        "another detector's limit",
        "vla/monitoring/detectors.py",
        "ENOUGH = 10",
        "ENOUGH = 11",
    ),
    Edit("trackers look less often", "vla/tracking/mirror.py", "EVERY = 2.0", "EVERY = 3.0"),
    Edit(
        "an empty module imported into workers.py",
        "vla/evaluation/workers.py",
        "import os\n",
        "import os\n\nimport vla.empty\n",
    ),
    Edit("the journal written otherwise", "vla/evaluation/journal.py", "os.fsync", "os.fdatasync"),
    Edit("a comment and a docstring", "vla/training/loop.py", '"""The training', '"""# The'),
    Edit("a second reader", "vla/data/formats/other/reader.py", "", "class Reader:\n    pass\n"),
    Edit("another simulator", "plugins/simulators/other/simulator.py", "", "Simulator = object\n"),
    Edit("another policy family", "plugins/policies/other/policy.py", "", "build = None\n"),
    Edit("an unlisted experiment", "experiments/exp_009/config.yaml", "", "experiment: {}\n"),
)


def keys(root: Path) -> dict[tuple[str, str], str]:
    """(experiment, kind) -> key."""
    config = {"experiments": [BC, RT1], "comparisons": [[BC, RT1]]}
    plan = Plan(root, config, Deployment(use_conda=False, accelerator="cpu"))
    found = {("", "comparison"): plan.comparisons[0].key, ("", "report"): plan.report.key}
    for name, experiment in plan.experiments.items():
        evaluation = experiment.runs[0].evaluations[0]
        items = {
            "store": experiment.stores[0],
            "run": experiment.runs[0],
            "evaluation": evaluation,
            "film": evaluation.film,
            "experiment report": plan.experiment_reports[name],
            **experiment.documents,
        }
        found |= {(name, kind): item.key for kind, item in items.items()}
    return found


def copy_sources(root: Path) -> None:
    """Copy what plans are made from to `root`."""
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns(*IGNORED))
    (root / "data").mkdir()
    for pin in (*ROOT.glob("data/*.dvc"), *ROOT.glob("data/*.json")):
        shutil.copy(pin, root / "data")


def apply(edit: Edit, root: Path) -> None:
    path = root / edit.file
    if not edit.old:
        path.parent.mkdir(parents=True)
        path.write_text(edit.new)
        return
    text = path.read_text()
    if edit.old not in text:
        raise ValueError(f"{edit.file} no longer holds {edit.old!r}: {edit.what}")
    path.write_text(text.replace(edit.old, edit.new))


def changed(edit: Edit, folder: Path) -> set[tuple[str, str]]:
    """(experiment, kind) whose key the edit changes; `folder`: to work in, since hashes are kept by path."""
    copy_sources(folder)
    apply(edit, folder)
    before, after = keys(ROOT), keys(folder)
    return {place for place in before if before[place] != after[place]}


def describe(places: set[tuple[str, str]]) -> str:
    """'run, evaluation, report of exp_001': kinds in their order, and the experiment if it is one."""
    kinds = [kind for kind in FOLLOWS if kind in {kind for _, kind in places}]
    names = {name for name, _ in places if name}
    whose = f" of {names.pop()} alone" if len(names) == 1 else ""
    return f"{', '.join(kinds)}{whose}" if kinds else "none"


def main() -> None:
    wrong = 0
    print("| Edit | Keys that change | |\n|---|---|---|")
    for edit in EDITS:
        with tempfile.TemporaryDirectory() as folder:
            found = changed(edit, Path(folder) / "project")
        right = found == edit.expected()
        wrong += not right
        verdict = "as it should" if right else f"WRONG: should be {describe(edit.expected())}"
        print(f"| {edit.what} | {describe(found)} | {verdict} |", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
