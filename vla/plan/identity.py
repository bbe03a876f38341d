"""What the key of each thing covers: values of the configuration, code, environment, and the keys of
what it is made from. docs/keys.md says it for people.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from vla.config.complete import ExperimentConfig
from vla.config.demonstrations import DemonstrationsConfig
from vla.config.evaluation import SimulatorSection
from vla.files.hashing import sha256_file
from vla.locks.identity import environment_identity
from vla.plan.deployment import Deployment
from vla.plan.items import Evaluation, Item, Run
from vla.plan.keys import key_of
from vla.plan.plugins import chosen_plugin
from vla.plan.stages import (
    BATCHING,
    COLLECT,
    DOCUMENTS,
    EVALUATE,
    FILM,
    HALVE,
    IMPORT,
    PREPARE,
    RUNG,
    SWEEP,
    TRAININGS,
    VALIDATE,
    Stage,
    simulator_kind,
)
from vla.plugins import Plugin
from vla.source.closure import code_hashes
from vla.source.syntax import syntax_hash
from vla.weights.pinned import PinnedWeights

Values = dict[str, Any]


@dataclass(frozen=True)
class Identities:
    """Identities of what jobs make in the project at `root`, under that deployment."""

    root: Path
    deployment: Deployment
    _code: dict[str, dict[str, str]] = field(default_factory=dict, repr=False, compare=False)

    def store(
        self, dataset: str, cameras: tuple[str, ...], pinned: str | None, reader: Plugin
    ) -> Values:
        """A prepared store. `dataset`: content hash of what it is prepared from.

        Where the store's content is pinned, that stands for the code that prepares it.
        """
        covers = {"content": pinned} if pinned else self.made_by(PREPARE, plugins=(reader,))
        return {"dataset": dataset, "cameras": list(cameras), **covers}

    def run(
        self, config: ExperimentConfig, own_code: Path, accelerator: str, data: Values, seed: int
    ) -> Values:
        """A training run. `own_code`: the experiment's train.py, which need not be there."""
        stage, standard = TRAININGS[config.training.sharding]
        code = {"train.py": own_code} if own_code.is_file() else {standard: self.root / standard}
        # Left out where it says nothing, so that runs keep the keys that they had before it could be said.
        unsaid = {"sharding"} if config.training.sharding == "none" else set()
        return {
            "seed": seed,
            "model": config.model.model_dump(mode="json", exclude={"num_params"}),
            "training": config.training.model_dump(mode="json", exclude=unsaid),
            "data": data,
            "accelerator": accelerator,
            "threads": config.resources.training_threads,
            **self.made_by(stage, accelerator, (self._policy(config),), code),
        }

    def imported(
        self, config: ExperimentConfig, accelerator: str, weights: PinnedWeights
    ) -> Values:
        """A policy that others trained: no seed, no training, no data of this project."""
        stage = replace(IMPORT, environment=simulator_kind(config.evaluation.simulator, self.root))
        return {
            "imported": {file.path: file.sha256 for file in weights.files},
            "model": config.model.model_dump(mode="json", exclude={"num_params"}),
            "data": {"stores": [], "augmentation": False},
            "accelerator": accelerator,
            **self.made_by(stage, accelerator, (self._policy(config),)),
        }

    def evaluation(
        self, config: ExperimentConfig, accelerator: str, run: str, condition: str
    ) -> Values:
        shared = config.evaluation.batch_size > 1
        # As `sharding` of a run: left out where it says nothing.
        outside = {"conditions", "videos_per_task"} | (set() if shared else {"batch_size"})
        simulator = self._simulator(config)
        return {
            "run": run,
            "condition": condition,
            "evaluation": config.evaluation.model_dump(mode="json", exclude=outside),
            "accelerator": accelerator,
            **_outside(simulator, config.evaluation.simulator),
            **self.made_by(
                EVALUATE,
                accelerator,
                (self._policy(config),),
                {BATCHING: self.root / BATCHING} if shared else {},
                simulator,
            ),
        }

    def validation(
        self, config: ExperimentConfig, accelerator: str, run: str, store: Values
    ) -> Values:
        """The loss of a run's policy on demonstrations of another store."""
        return self._loss(VALIDATE, config, accelerator, run, store)

    def rung(
        self, config: ExperimentConfig, accelerator: str, run: str, store: Values, step: int
    ) -> Values:
        """The same of a run that is trained for `step` steps yet."""
        return {"step": step, **self._loss(RUNG, config, accelerator, run, store)}

    def _loss(
        self, stage: Stage, config: ExperimentConfig, accelerator: str, run: str, store: Values
    ) -> Values:
        return {
            "run": run,
            "store": store,
            "accelerator": accelerator,
            "threads": config.resources.training_threads,
            **self.made_by(stage, accelerator, (self._policy(config),)),
        }

    def halving(self, labels: list[str], rungs: list[str], keep: int, before: str | None) -> Values:
        """Which combinations go on past a rung. `rungs`: keys of the losses of all runs there, of which
        the candidates' are measured; `before`: key of the choice at the rung before."""
        return {
            "combinations": labels,
            "rungs": rungs,
            "keep": keep,
            "before": before,
            **self.made_by(HALVE),
        }

    def sweep(
        self,
        labels: list[str],
        validations: list[str],
        runs: tuple[Run, ...],
        halvings: list[str],
    ) -> Values:
        """The choice among combinations. `labels`: of these; `validations`: keys, one a run;
        `halvings`: keys, one a rung of early stopping."""
        return {
            "combinations": labels,
            "validations": validations,
            "evaluations": [evaluation.key for run in runs for evaluation in run.evaluations],
            **({"halvings": halvings} if halvings else {}),
            **self.made_by(SWEEP),
        }

    def film(self, config: ExperimentConfig, accelerator: str, evaluation: str) -> Values:
        return {
            "evaluation": evaluation,
            "videos_per_task": config.evaluation.videos_per_task,
            **self.made_by(FILM, accelerator, simulator=self._simulator(config)),
        }

    def document(self, name: str, config: ExperimentConfig, folder: str, needs: Values) -> Values:
        """A document of DOCUMENTS. `needs`: what it is made of -> key, or keys."""
        document = DOCUMENTS[name]
        return {**needs, **document.values(config, folder), **self.made_by(document)}

    def _policy(self, config: ExperimentConfig) -> Plugin:
        return chosen_plugin("policies", config.model.type, self.root)

    def _simulator(self, config: ExperimentConfig) -> Plugin:
        return chosen_plugin("simulators", config.evaluation.simulator.type, self.root)

    def collection(self, config: DemonstrationsConfig) -> Values:
        """Demonstrations that a simulator's experts are asked for."""
        simulator = chosen_plugin("simulators", config.simulator.type, self.root)
        experts = simulator.folder / "demonstrations.py"
        own = {experts.relative_to(self.root).as_posix(): experts} if experts.is_file() else {}
        return {
            "config": config.model_dump(mode="json"),
            **_outside(simulator, config.simulator),
            **self.made_by(COLLECT, own=own, simulator=simulator),
        }

    def made_by(
        self,
        stage: Stage,
        accelerator: str = "cpu",
        plugins: tuple[Plugin, ...] = (),
        own: dict[str, Path] | None = None,
        simulator: Plugin | None = None,
    ) -> Values:
        """The part of an identity that says with what code and in which environment.

        `plugins`, `own`: further core modules; `simulator`: one more plug-in, which also says in
        what environment it runs.
        """
        chosen = {name: path for plugin in plugins for name, path in plugin.code.items()}
        chosen |= own or {}
        environment, distributions = stage.environment, stage.distributions
        for plugin in plugins:
            if plugin.kind == "policies":
                distributions += tuple(getattr(plugin.load("config"), "DISTRIBUTIONS", ()))
        if simulator:
            chosen |= simulator.code
            environment = simulator.load("config").ENVIRONMENT
            distributions += tuple(simulator.load("config").DISTRIBUTIONS)
        return {
            "code": self._stage_code(stage) | _closure(tuple(chosen.items()), self.root),
            "environment": _environment(
                environment, accelerator, self.root, self.deployment.use_conda, distributions
            ),
        }

    def _stage_code(self, stage: Stage) -> dict[str, str]:
        """Of script, glue, core and templates; hundreds of runs share a handful of stages."""
        if stage.rule not in self._code:
            alone = (f"scripts/{stage.rule}.py", *stage.glue)
            core = [path for pattern in stage.core for path in sorted(self.root.glob(pattern))]
            entries = ((path.relative_to(self.root).as_posix(), path) for path in core)
            templates = self.root / "reports/templates"
            self._code[stage.rule] = {
                **{name: syntax_hash(self.root / name) for name in alone},
                **_closure(tuple(entries), self.root),
                **{f"templates/{n}": sha256_file(templates / n) for n in stage.templates},
            }
        return self._code[stage.rule]


def documents(
    identities: Identities,
    config: ExperimentConfig,
    folder: str,
    runs: tuple[Run, ...],
    sweep: Item | None = None,
) -> dict[str, Item]:
    """Every document of an experiment, by name. `sweep`: the choice that they show, if there is one."""
    evaluations: list[Evaluation] = [e for run in runs for e in run.evaluations]
    keys: Values = {
        "evaluations": [evaluation.key for evaluation in evaluations],
        "films": [] if sweep else [evaluation.film.key for evaluation in evaluations],
    }
    items = {"sweep": sweep} if sweep else {}
    chosen = {"sweep": sweep.key} if sweep else {}
    for name, document in DOCUMENTS.items():
        needs = {need: keys[need] for need in document.needs} | chosen
        items[name] = make_item(name, identities.document(name, config, folder, needs))
        keys[name] = items[name].key
    return items


def make_item(prefix: str, identity: Values) -> Item:
    """An item of that identity, in a folder `<prefix>-<key>`."""
    key = key_of(identity)
    return Item(f"{prefix}-{key}", key, identity)


def _outside(simulator: Plugin, settings: SimulatorSection) -> Values:
    """What decides its results and is neither in this repository nor in the environment."""
    if not (simulator.folder / "outside.py").is_file():
        return {}
    return {"outside": simulator.load("outside").identity(settings)}


# Runs share plug-ins and environments, too.
@cache
def _closure(entries: tuple[tuple[str, Path], ...], root: Path) -> dict[str, str]:
    return code_hashes(dict(entries), root)


@cache
def _environment(
    kind: str, accelerator: str, root: Path, use_conda: bool, distributions: tuple[str, ...]
) -> dict[str, str]:
    return environment_identity(kind, accelerator, root, use_conda, distributions)
