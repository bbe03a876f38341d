"""Every stage that makes something under a key, declared once.

The items of a plan, what an archive packs, what `vla explain` knows and what tests go through follow
from these tables. A new document of an experiment is an entry in DOCUMENTS, a rule and its script.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla.config.complete import ExperimentConfig
from vla.config.evaluation import SimulatorSection
from vla.plan.plugins import chosen_plugin
from vla.plugins import plugins


@dataclass(frozen=True)
class Stage:
    """What a stage is called, and what of the code and the environment decides what it makes.

    `rule`: its rule, and its script `scripts/<rule>.py`; `environment`: the kind of environment that
    it runs in; `core`: modules that decide the result (or patterns of such), hashed with all that they
    import, to which the plan adds the chosen plug-ins; `glue`: files that only put these together, hashed by
    themselves (the script always is); `templates`: of reports/templates;
    `distributions`: packages, beyond those of the kind of environment, that decide the result.

    What a script uses besides (records, trackers, monitors, checkpoints, progress) decides no result.
    """

    rule: str
    environment: str
    core: tuple[str, ...]
    glue: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document(Stage):
    """A stage that an experiment has once. It writes into `results/<name>-<key>/`, `record` last.

    `needs`: what it is made of, whose keys are in its key: other documents, `evaluations` or `films`;
    `values`: of the configuration, with the folder's name, in its key as well.
    """

    record: str = ""
    needs: tuple[str, ...] = ()
    values: Callable[[ExperimentConfig, str], dict[str, Any]] = lambda config, folder: {}


PREPARE = Stage("prepare_dataset", "data", ("vla/data/preparation.py",))
TRAIN = Stage(
    "train",
    "train",
    ("vla/training/loop.py", "vla/process/determinism.py", "vla/data/store.py"),
    glue=("vla/training/job.py",),
)
# In place of it with `training.sharding`.
TRAIN_SHARDED = Stage(
    "train_sharded",
    "train",
    ("vla/training/sharded/loop.py", "vla/process/determinism.py", "vla/data/store.py"),
    glue=("vla/training/sharded/job.py",),
)
# In place of training, for a policy that others trained. Runs in its simulator's environment.
IMPORT = Stage("import_policy", "evaluate", ("vla/evaluation/fitting.py",))
# `training.sharding` -> the stage, and the core of experiments without a train.py of their own
TRAININGS = {
    "none": (TRAIN, "vla/training/standard.py"),
    "fsdp2": (TRAIN_SHARDED, "vla/training/sharded/standard.py"),
}
EVALUATE = Stage(
    "evaluate", "evaluate", ("vla/evaluation/evaluator.py", "vla/evaluation/protocol.py")
)
BATCHING = "vla/evaluation/batching.py"  # one more module of its core, with `evaluation.batch_size`
VALIDATE = Stage("validate", "train", ("vla/training/validation.py", "vla/process/determinism.py"))
# Training to a rung is covered by the run's key: this is the measurement there.
RUNG = Stage("train_to_rung", VALIDATE.environment, VALIDATE.core)
FILM = Stage("film", "evaluate", ("vla/evaluation/film.py",), distributions=("imageio", "pillow"))
COMPARE = Stage(
    "compare",
    "analyse",
    ("vla/statistics/comparison.py", "vla/report/sources.py", "vla/report/comparison.py"),
)
PAGE = ("page.css", "parts.html.j2", "tables.css", "tables.js")  # what every page includes
REPORT = Stage("report", "analyse", ("vla/report/html.py",), templates=("report.html.j2", *PAGE))
EXPERIMENT_REPORT = Stage(
    "report_experiment",
    "analyse",
    ("vla/report/experiment_page.py", "vla/report/experiment_pdf.py"),
    templates=("experiment.html.j2", "experiment.typ", *PAGE),
    distributions=("pillow", "typst"),
)
COLLECT = Stage("collect_demonstrations", "evaluate", ())  # its core is the simulator's


def _targets(config: ExperimentConfig, _: str) -> dict[str, Any]:
    watched = config.monitoring.evaluation_gap != "ignore"
    return {
        "targets": config.experiment.targets.model_dump(mode="json"),
        "evaluation_floor": config.monitoring.evaluation_floor if watched else None,
    }


def _card(config: ExperimentConfig, folder: str) -> dict[str, Any]:
    about = config.experiment
    return {"folder": folder, "description": about.description, "licence": about.licence}


def _words(config: ExperimentConfig, folder: str) -> dict[str, Any]:
    return {"folder": folder, "experiment": config.experiment.model_dump(mode="json")}


# Of swept experiments with early stopping alone.
HALVE = Stage("halve", "analyse", ("vla/statistics/halving.py",))
# Of swept experiments alone, before all other documents: their keys have its key in them.
SWEEP = Document(
    "sweep",
    "analyse",
    ("vla/statistics/sweep.py", "vla/report/sweep.py"),
    record="sweep.json",
    needs=("validations", "evaluations"),
)
# In an order in which each comes after what it needs.
DOCUMENTS: dict[str, Document] = {
    "summary": Document(
        "summarise",
        "analyse",
        ("vla/statistics/summary.py", "vla/report/sources.py"),
        record="summary.json",
        needs=("evaluations",),
        values=_targets,
    ),
    "figures": Document(
        "plot",
        "analyse",
        ("vla/report/drawing.py", "vla/report/figures/*.py"),
        templates=("success_rates.html.j2", "page.css"),
        record="figures.json",
        needs=("summary",),
    ),
    "models": Document(
        "release_models",
        "analyse",
        ("vla/release/models.py",),
        templates=("model_card.md.j2",),
        record="models.json",
        needs=("summary",),
        values=_card,
    ),
    "readme": Document(
        "render_readme",
        "analyse",
        ("vla/report/readme.py", "vla/knowledge/conclusions.py"),
        templates=("experiment.md.j2",),
        record="README.md",
        needs=("figures", "models", "films"),
        values=_words,
    ),
}


STAGES = (
    PREPARE,
    TRAIN,
    TRAIN_SHARDED,
    IMPORT,
    VALIDATE,
    RUNG,
    HALVE,
    EVALUATE,
    FILM,
    SWEEP,
    COMPARE,
    EXPERIMENT_REPORT,
    REPORT,
    COLLECT,
)
STAGES += tuple(DOCUMENTS.values())
# Rules that make nothing under a key of its own -> the kind of environment that they run in.
OTHER_RULES = {
    "verify_dataset": "data",
    "fetch_weights": "train",
    "verify_weights": "train",
    "check_experiment": "train",
    "publish": "analyse",
    "verify": "analyse",
}


def simulator_kind(settings: SimulatorSection, root: Path | None = None) -> str:
    """The kind of environment that a simulator runs in."""
    return chosen_plugin("simulators", settings.type, root).load("config").ENVIRONMENT


def environments_of(rule: str) -> set[str]:
    """The kinds of environment that a rule may run in: its own, or that of a simulator."""
    simulators = {plugin.load("config").ENVIRONMENT for plugin in plugins("simulators").values()}
    if rule == "fetch_dataset":  # which may collect
        return {"data"} | simulators
    if rule in OTHER_RULES:
        return {OTHER_RULES[rule]}
    (stage,) = (stage for stage in STAGES if stage.rule == rule)
    return simulators if stage.environment == "evaluate" else {stage.environment}
