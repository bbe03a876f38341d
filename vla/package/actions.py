"""Every job behind packed results: what it read, what it made, when, on what."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from vla.package.project import OUTPUTS, SOURCE
from vla.package.results import Results
from vla.plan.stages import DOCUMENTS
from vla.records.circumstances import JobRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.package import PackageRecord
from vla.records.run import RunRecord
from vla.words import CONDITIONS


@dataclass(frozen=True)
class Action:
    """A job: `rule` made `made` of `used` (paths in the package). `record`: where it left one that
    tells when and on what."""

    rule: str
    name: str
    says: str
    used: tuple[str, ...]
    made: tuple[str, ...]
    record: JobRecord | None = None


def list_actions(results: Results, record: PackageRecord) -> list[Action]:
    """Every job behind the results, in the order of the workflow."""
    layout, folder = results.layout, f"{OUTPUTS}/experiments/{results.layout.experiment}"
    config = f"{SOURCE}/experiments/{layout.experiment}/config.yaml"
    actions = _of_data(results, record)
    prepared = tuple(
        n for action in actions if action.rule == "prepare_dataset" for n in action.made
    )
    for run in layout.runs:
        check = f"{folder}/results/{run.name}/check.json"
        says = f"Check before training of seed {run.seed}"
        actions.append(Action("check_experiment", f"check-{run.name}", says, (config,), (check,)))
        trained = results.runs[run.seed]
        run_json = f"{folder}/results/{run.name}/run.json"
        made = (run_json, *(f"{folder}/{file.path}" for file in trained.all_files()))
        says = f"Training of {layout.experiment}, seed {run.seed}"
        actions.append(Action("train", run.name, says, (config, check, *prepared), made, trained))
        for evaluation in run.evaluations:
            evaluated = results.evaluations[run.seed, evaluation.condition]
            place = f"{folder}/results/{run.name}/{evaluation.name}"
            made = (
                f"{place}/evaluation.json",
                *(f"{folder}/{f.path}" for f in evaluated.all_files()),
            )
            says = f"Evaluation of seed {run.seed}, {CONDITIONS[evaluation.condition]}"
            used = (f"{folder}/{trained.files.policy.path}", run_json)
            actions.append(Action("evaluate", evaluation.name, says, used, made, evaluated))
            filmed = results.film(run, evaluation)
            made = (
                f"{place}/{evaluation.film}/film.json",
                *(f"{folder}/{f.path}" for f in filmed.all_files()),
            )
            says = f"Films of seed {run.seed}, {CONDITIONS[evaluation.condition]}"
            used = (f"{place}/evaluation.json", f"{folder}/{evaluated.files.episodes.path}")
            actions.append(Action("film", evaluation.film, says, used, made, filmed))
    return actions + _documents(results, folder)


def _of_data(results: Results, record: PackageRecord) -> list[Action]:
    """Each dataset is verified by a job of its own, and so is each store prepared."""
    actions, verified = [], {}
    for path in dict.fromkeys(data.path for data in record.datasets):
        dataset = PurePosixPath(path).name
        found = sorted(results.root.glob(f"data/.state/{dataset}/*.verified.json"))
        verified[dataset] = tuple(map(results.name, found))
        says, manifest = f"Verification of {dataset}", f"{SOURCE}/{path}.manifest.json"
        name = f"verification-{dataset}"
        actions.append(Action("verify_dataset", name, says, (manifest,), verified[dataset]))
    for path in sorted(results.root.glob("data/.prepared/*/prepared.json")):
        store = path.parent.name  # the dataset's folder and a key
        dataset = store.rpartition("-")[0]
        says, used = f"Preparation of {dataset}", verified.get(dataset, ())
        made = (results.name(path),)
        actions.append(Action("prepare_dataset", f"preparation-{store}", says, used, made))
    return actions


def _documents(results: Results, folder: str) -> list[Action]:
    episodes = tuple(f"{folder}/{e.files.episodes.path}" for e in results.evaluations.values())
    actions = []
    for name, item in results.layout.documents.items():
        made = sorted(path for path in results.path(item).iterdir() if path.is_file())
        says = f"{name.capitalize()} of {results.layout.experiment}"
        rule = DOCUMENTS[name].rule
        actions.append(Action(rule, item, says, episodes, tuple(map(results.name, made))))
    return actions


def usage(record: JobRecord) -> list[tuple[str, float, str]]:
    """Name, value and unit; units by their UN/CEFACT code as an address of QUDT."""
    second = "https://qudt.org/vocab/unit/SEC"
    if isinstance(record, RunRecord):
        return [("training_seconds", record.training_seconds, second)]
    if isinstance(record, EvaluationRecord):
        return [("episode_seconds", record.episode_seconds, second)]
    return []
