"""Where a file comes from: run, code, configuration, data, environment, machine."""

from dataclasses import replace
from pathlib import Path

from vla.errors import UserError
from vla.files.described import File, check_file
from vla.files.yaml import read_yaml
from vla.plan.deployment import Deployment
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.plan.sweeps import Sweep, trained_parts
from vla.records.base import Record
from vla.records.circumstances import JobRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.figures import FiguresRecord
from vla.records.film import FilmRecord
from vla.records.kinds import record_model
from vla.records.models import ModelsRecord
from vla.records.run import RunRecord
from vla.records.rung import RungRecord
from vla.records.validation import ValidationRecord
from vla.reproduction.places import experiment_folder, placed

# What names the files that a job made, and where it lies in an experiment's folder.
RECORDS = {
    "run.json": "results/*",
    "evaluation.json": "results/*/*",
    "film.json": "results/*/*/*",
    "validation.json": "results/*/*",
    "rung.json": "results/*/*",
}


def explain(path: Path) -> str:
    """The story of a file that some record names, down to the data. Its bytes are checked first."""
    path = placed(path)
    if not path.is_file():
        raise UserError(f"{path} is no file.", "Name a result: a policy, a table, a video.")
    document = _document(path)
    if document:
        return document
    view, path = path, _released(path)
    record_path, record = find_record(path)
    if path != record_path:
        folder = experiment_folder(record_path)
        check_file(_named(record, path, folder), folder)
    kind = "import" if "imported" in record.identity else record.KIND
    lines = [f"{path.name}: made by {kind}, key {record.key}", *_story(record)]
    if view != path:
        lines.insert(0, f"{view.parent.parent.name} of the model is {path}")
    if isinstance(record, FilmRecord):
        record_path = record_path.parents[1] / "evaluation.json"
        record = EvaluationRecord.read(record_path)
        lines += ["", f"of the evaluation {record.key}, {record.condition}", *_story(record)]
    if isinstance(record, RungRecord):
        measured = f"loss {record.loss:.4g} on {record.dataset}, content {record.content[:12]}"
        lines += [
            "",
            f"of run {record.run} after {record.step} steps: {record.diverged or measured}",
        ]
        if not (record_path.parents[1] / "run.json").is_file():
            return "\n".join([*lines, "The run has not come to its end, or was stopped here."])
    if isinstance(record, EvaluationRecord | ValidationRecord | RungRecord):
        run = RunRecord.read(record_path.parents[1] / "run.json")
        lines += ["", f"of the policy of run {run.key} (seed {run.seed})", *_story(run)]
        record = run
    if files := record.identity.get("imported"):
        lines += ["", "from a checkpoint of others, not trained here"]
        lines += [f"  {name}, SHA-256 {sha256}" for name, sha256 in files.items()]
    for data, store in zip(record.datasets, record.stores, strict=True):
        lines += [
            "",
            f"on dataset {data.name} {data.version}, content {data.content[:12]}",
            f"  cameras: {', '.join(store['cameras'])}; {100 * store['share']:.4g} % of the samples",
        ]
    return "\n".join(lines)


def find_record(
    path: Path,
) -> tuple[Path, RunRecord | EvaluationRecord | FilmRecord | ValidationRecord | RungRecord]:
    """The record of the job that names `path`, or `path` itself when it is one."""
    if path.name in RECORDS:
        return path, record_model(path).read(path)
    folder = experiment_folder(path)
    damaged = []
    for name, pattern in RECORDS.items():
        for candidate in sorted(folder.glob(f"{pattern}/{name}")):
            try:
                record = record_model(candidate).read(candidate)
            except UserError as error:  # it need not be the one that is sought
                damaged.append(error.problem)
                continue
            if _named(record, path, folder):
                return candidate, record
    raise UserError(
        "\n  ".join([f"No record of {folder.name} names {path.name}.", *damaged]),
        "Policies, metrics, episodes and videos have records; documents of an earlier "
        "configuration are explained when that configuration is back.",
    )


def _released(path: Path) -> Path:
    """The file of a run that models/v1.2.0/seed42/ shows under a second name; else `path` itself."""
    if path.parts[-4:-3] != ("models",) or not path.parent.name.startswith("seed"):
        return path
    folder = path.parents[3]
    for policy in ModelsRecord.read(path.parents[1] / "models.json").policies:
        for file in (policy.weights, policy.description):
            if (f"seed{policy.seed}", file.name) == (path.parent.name, path.name):
                check_file(replace(file, path=path.relative_to(folder).as_posix()), folder)
                return folder / file.path
    return path


def _document(path: Path) -> str:
    """The runs that a README, summary, figure, comparison or report of the present configuration
    shows; else ''."""
    root = next((parent for parent in path.parents if (parent / "Snakefile").is_file()), None)
    mistakes = []
    for use_conda in (False, True) if root else ():
        try:
            name, experiments = _shown(path, root, Deployment.here(use_conda))
        except UserError as error:
            mistakes.append(error)
            continue
        if experiments:
            _check(path)
            names = " and ".join(experiment.name for experiment in experiments)
            lines = [f"{path.name}: shows {names} as configured now, {name}"]
            for experiment in experiments:
                for run in [run for part in trained_parts(experiment) for run in part.runs]:
                    lines.append(f"  run {run.name}: {experiment.run_record(run)}")
                    lines += [
                        f"    {experiment.evaluation_record(run, e)}" for e in run.evaluations
                    ]
                if isinstance(experiment, Sweep):
                    lines += [
                        f"  stopped early by {experiment.halving_record(number)}: "
                        + ", ".join(c.label for c in decision.candidates if not c.goes_on)
                        for number, decision in enumerate(experiment.decisions())
                    ]
            return "\n".join([*lines, "Ask again with one of these records."])
    # Only the configuration could tell of it, for no record names what lies outside of experiments,
    # and it cannot be read for either deployment.
    if len(mistakes) == 2 and (root / "experiments") not in path.parents:
        raise mistakes[0]
    return ""


def _check(document: Path) -> None:
    """`UserError` when sealed numbers or a recorded figure have changed; texts have no hash."""
    if document.suffix == ".json":
        record_model(document).read(document)
    record = document.with_name("figures.json")
    if record.is_file():
        folder = experiment_folder(document)
        named = _named(FiguresRecord.read(record), document, folder)
        if named:
            check_file(named, folder)


def _shown(path: Path, root: Path, deployment: Deployment) -> tuple[str, list[Experiment]]:
    """The key-addressed folder of a document, and the experiments it shows; none when it is none."""
    if path.stem == "report" or path.parent == root / "reports/experiments":
        plan = Plan(root, read_yaml(root / "config/config.yaml"), deployment)
        for name, experiment in plan.experiments.items():
            view = root / "reports/experiments" / f"{name}{path.suffix}"
            made = plan.experiment_report(name, f"report{path.suffix}")
            if path == made or (path == view and _same(path, made)):
                return plan.experiment_reports[name].name, [experiment]
    if (root / "experiments") in path.parents:
        plan = Plan(root, {"experiments": [experiment_folder(path).name]}, deployment)
        (experiment,) = plan.experiments.values()
        return _part(path, experiment), [experiment] if _part(path, experiment) else []
    plan = Plan(root, read_yaml(root / "config/config.yaml"), deployment)
    made = root / "reports" / plan.report.name / "report.html"
    if path == made or (path == root / "reports/report.html" and _same(path, made)):
        return plan.report.name, list(plan.experiments.values())
    for pair in plan.comparisons:
        if path.parent == root / "results" / pair.name:
            return pair.name, [plan.experiments[n] for n in (pair.baseline, pair.candidate)]
    return "", []


def _part(path: Path, experiment: Experiment) -> str:
    """The folder in an experiment's results that holds a document, or the original of a view."""
    views = {experiment.folder / "README.md": experiment.documents["readme"]}
    if path.parent.parent == experiment.folder / "models":
        views[path] = experiment.documents["models"]
    if path in views:
        name = views[path].name
        return name if _same(path, experiment.results(name, path.name)) else ""
    items = [*experiment.documents.values()]
    items += experiment.halvings if isinstance(experiment, Sweep) else ()
    return next((item.name for item in items if path.parent == experiment.results(item.name)), "")


def _same(view: Path, made: Path) -> bool:
    return made.is_file() and made.read_bytes() == view.read_bytes()


def _named(record: Record, path: Path, folder: Path) -> File | None:
    files = record.all_files()
    return next((file for file in files if (folder / file.path).resolve() == path.resolve()), None)


def _story(record: JobRecord) -> list[str]:
    git, environment, hardware = record.git, record.environment, record.hardware
    dirty = f" with {len(git.dirty)} uncommitted files" if git.dirty else ""
    torch = environment.torch.version if environment.torch else "none"
    gpus = ", ".join(gpu.name for gpu in hardware.gpus) or "no GPU"
    return [
        f"  when:        {record.started} to {record.finished}",
        f"  code:        commit {git.commit or '(no git)'}{dirty}, "
        f"{len(record.identity['code'])} files in the key",
        f"  environment: {environment.deployment}, {environment.name or 'host environment'}; "
        f"Python {environment.python}, PyTorch {torch}, {len(environment.packages)} packages",
        f"  machine:     {hardware.hostname}, {hardware.cpu}, {gpus}",
    ]
