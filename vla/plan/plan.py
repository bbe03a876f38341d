"""The plan: every run, evaluation and document that the configuration asks for, with its key.

Computed from configuration, code and pinned hashes alone, without reading data, both when
Snakemake parses and again in each job, which refuses to work under a key that no longer holds.
"""

from functools import cache, cached_property
from pathlib import Path
from typing import Any

from vla.config.complete import ExperimentConfig
from vla.config.datasets import DatasetEntry
from vla.config.demonstrations import DemonstrationsConfig
from vla.config.workflow import WorkflowConfig
from vla.data.manifest import check_pointer, content_hash, read_manifest
from vla.data.verification import current_record
from vla.errors import UserError, nearest
from vla.files.hashing import sha256_file
from vla.files.yaml import read_yaml
from vla.locks.files import KINDS, environment_name
from vla.locks.identity import environment_identity
from vla.plan.figures import find_figures
from vla.plan.items import Comparison, Evaluation, Experiment, Item, Run, find
from vla.plan.keys import key_of
from vla.plan.reading import find_dataset, load_experiment, load_registry, validate
from vla.process.accelerator import resolve_accelerator
from vla.source.closure import code_hashes


class Plan:
    """What `config/config.yaml` asks for."""

    def __init__(self, root: Path, config: dict[str, Any], use_conda: bool = False):
        """`config`: content of config/config.yaml, with what the command line changed in it."""
        self.root, self.use_conda = root, use_conda
        self.config = validate(WorkflowConfig, config, root / "config/config.yaml")
        self.registry = load_registry(root)

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        return {name: self._experiment(name) for name in self.config.experiments}

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        return tuple(self._comparison(*pair) for pair in self.config.comparisons)

    @cached_property
    def report(self) -> Item:
        """The HTML report over all experiments."""
        identity = {
            "experiments": {name: e.readme.key for name, e in self.experiments.items()},
            "comparisons": [comparison.key for comparison in self.comparisons],
            **self._made_by("report", "analyse", templates=("report.html.j2", "page.css")),
        }
        return Item(f"report-{key_of(identity)}", key_of(identity), identity)

    @cached_property
    def datasets(self) -> dict[str, DatasetEntry]:
        """Datasets in use, by the name of their folder."""
        return {Path(e.dataset.path).name: e.dataset for e in self.experiments.values()}

    @cached_property
    def conda_environments(self) -> set[str]:
        """Names of the environments that the workflow's rules run in."""
        accelerators = {"cpu"} | {e.accelerator for e in self.experiments.values()}
        return {environment_name(kind, a) for kind in KINDS for a in accelerators}

    def verification(self, entry: DatasetEntry) -> Path:
        """The verification record that the dataset's present files need."""
        check_pointer(read_manifest(entry.manifest(self.root)), entry.pointer(self.root))
        return current_record(entry, self.root, full=self.config.verification == "full")

    def find_experiment(self, name: str) -> Experiment:
        if name not in self.config.experiments:
            raise UserError(
                f"config/config.yaml does not list {name!r}; {nearest(name, self.config.experiments)}",
                "List it there under experiments, or name a listed one.",
            )
        return self._experiment(name)  # others may be half edited while a job of this one starts

    def find_store(self, name: str) -> Experiment:
        """The first experiment that uses the prepared store of that name."""
        owners = {e.store.name: e for e in self.experiments.values()}
        find(tuple(e.store for e in owners.values()), name)
        return owners[name]

    def used_stores(self) -> set[str]:
        """Names of the stores that any experiment folder uses, listed or not, with conda or without.

        `UserError` when a folder does not tell: it may be half written.
        """
        plans = [Plan(self.root, self.config.model_dump(mode="json"), c) for c in (False, True)]
        names = set()
        for path in self.root.glob("experiments/*/config.yaml"):
            config = load_experiment(path)
            dataset = find_dataset(self.registry, config.data.dataset, path)
            names |= {plan._store(config, dataset).name for plan in plans}
        return names

    def find_comparison(self, name: str) -> Comparison:
        return find(self.comparisons, name)

    def _experiment(self, name: str) -> Experiment:
        path = self.root / "experiments" / name / "config.yaml"
        if not path.is_file():
            raise UserError(
                f"config/config.yaml lists the experiment {name}, but {path} is missing.",
                "Copy an experiment folder, or take the name off the list.",
            )
        config = load_experiment(path)
        dataset = find_dataset(self.registry, config.data.dataset, path)
        accelerator = resolve_accelerator(config.resources.accelerator, self.use_conda)
        store = self._store(config, dataset)
        runs = tuple(
            self._run(name, config, accelerator, store, seed) for seed in config.experiment.seeds
        )
        summary = self._summary(config, runs)
        figures = self._item(
            "figures",
            "plot",
            {
                "summary": summary.key,
                "figures": [
                    _code_of(figure.entry, figure.path, self.root)
                    for figure in find_figures(self.root)
                ],
            },
            templates=("success_rates.html.j2", "page.css"),
        )
        words = config.experiment.model_dump(mode="json")
        models = self._item(
            "models",
            "release_models",
            {
                "summary": summary.key,
                "folder": name,
                **{word: words[word] for word in ("description", "licence")},
            },
            templates=("model_card.md.j2",),
        )
        readme = self._item(
            "readme",
            "render_readme",
            {"figures": figures.key, "models": models.key, "experiment": words, "folder": name},
            templates=("experiment.md.j2",),
        )
        return Experiment(
            name=name,
            root=self.root,
            config=config,
            accelerator=accelerator,
            dataset=dataset,
            store=store,
            runs=runs,
            summary=summary,
            figures=figures,
            models=models,
            readme=readme,
        )

    def _store(self, config: ExperimentConfig, dataset: DatasetEntry) -> Item:
        manifest = read_manifest(dataset.manifest(self.root))
        identity = {
            "dataset": content_hash(manifest),
            "cameras": list(config.data.cameras),
            **self._made_by("prepare_dataset", "data"),
        }
        name = f"{Path(dataset.path).name}-{key_of(identity)}"
        return Item(name, key_of(identity), identity)

    def _run(
        self, name: str, config: ExperimentConfig, accelerator: str, store: Item, seed: int
    ) -> Run:
        made_by = self._made_by("train", "train", accelerator=accelerator)
        own = _code_of("train.py", self.root / "experiments" / name / "train.py", self.root)
        identity = {
            "seed": seed,
            "model": config.model.model_dump(mode="json", exclude={"num_params"}),
            "training": config.training.model_dump(mode="json"),
            "data": {"store": store.identity, "augmentation": config.data.augmentation},
            "accelerator": accelerator,
            "threads": config.resources.training_threads,
            **made_by,
            "code": made_by["code"] | own,
        }
        key = key_of(identity)
        evaluations = tuple(
            self._evaluation(config, accelerator, key, condition)
            for condition in config.evaluation.conditions
        )
        return Run(f"seed{seed}-{key}", key, identity, seed, evaluations)

    def _evaluation(
        self, config: ExperimentConfig, accelerator: str, run: str, condition: str
    ) -> Evaluation:
        identity = {
            "run": run,
            "condition": condition,
            "evaluation": config.evaluation.model_dump(mode="json", exclude={"conditions"}),
            "accelerator": accelerator,
            **self._made_by("evaluate", "evaluate", accelerator=accelerator),
        }
        key = key_of(identity)
        return Evaluation(f"{condition}-{key}", key, identity, condition)

    def _summary(self, config: ExperimentConfig, runs: tuple[Run, ...]) -> Item:
        return self._item(
            "summary",
            "summarise",
            {
                "evaluations": [e.key for run in runs for e in run.evaluations],
                "targets": config.experiment.targets.model_dump(mode="json"),
                "evaluation_floor": (
                    None
                    if config.monitoring.evaluation_gap == "ignore"
                    else config.monitoring.evaluation_floor
                ),
            },
        )

    def _comparison(self, baseline: str, candidate: str) -> Comparison:
        keys = [self.experiments[name].summary.key for name in (baseline, candidate)]
        names = [self.experiments[name].config.experiment.name for name in (baseline, candidate)]
        identity = {"summaries": keys, "names": names, **self._made_by("compare", "analyse")}
        key = key_of(identity)
        return Comparison(f"comparison-{key}", key, identity, baseline, candidate)

    def _item(
        self, prefix: str, script: str, content: dict[str, Any], templates: tuple[str, ...] = ()
    ) -> Item:
        identity = {**content, **self._made_by(script, "analyse", templates)}
        return Item(f"{prefix}-{key_of(identity)}", key_of(identity), identity)

    def _made_by(
        self, script: str, kind: str, templates: tuple[str, ...] = (), accelerator: str = "cpu"
    ) -> dict[str, dict[str, str]]:
        """The part of an identity that says with what code and in which environment."""
        code = _code_of(f"scripts/{script}.py", self.root / f"scripts/{script}.py", self.root)
        rendered = {
            f"templates/{name}": sha256_file(self.root / "reports/templates" / name)
            for name in templates
        }
        environment = _environment_of(kind, accelerator, self.root, self.use_conda)
        return {"code": code | rendered, "environment": environment}


def collection_name(root: Path, use_conda: bool) -> str:
    """Folder of the demonstrations that config/demonstrations.yaml asks for."""
    path = root / "config/demonstrations.yaml"
    config = validate(DemonstrationsConfig, read_yaml(path), path)
    script = root / "scripts/collect_demonstrations.py"
    identity = {
        "config": config.model_dump(mode="json"),
        "code": _code_of("scripts/collect_demonstrations.py", script, root),
        "environment": _environment_of("evaluate", "cpu", root, use_conda),
    }
    return f"metaworld-{len(config.tasks)}tasks-{key_of(identity)}"


# Hundreds of runs share a handful of scripts and environments.
@cache
def _code_of(name: str, path: Path, root: Path) -> dict[str, str]:
    return code_hashes({name: path}, root)


@cache
def _environment_of(kind: str, accelerator: str, root: Path, use_conda: bool) -> dict[str, str]:
    return environment_identity(kind, accelerator, root, use_conda)
