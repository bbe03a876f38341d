"""Every job behind packed results: what it read, what it made, when, on what."""

from dataclasses import dataclass

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
    manifests = tuple(f"{SOURCE}/{data.path}.manifest.json" for data in record.datasets)
    verified, prepared = (
        tuple(results.name(path) for path in sorted(results.root.glob(pattern)))
        for pattern in ("data/.state/*/*.verified.json", "data/.prepared/*/prepared.json")
    )
    actions = [
        Action("verify_dataset", "verification", "Verification of the data", manifests, verified),
        Action("prepare_dataset", "preparation", "Preparation of the data", verified, prepared),
    ]
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
