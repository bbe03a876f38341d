"""Where a file comes from: run, code, configuration, data, environment, machine."""

from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files import check_file, read_sealed
from vla.plan import Plan


def explain(path: Path) -> str:
    """The story of a file that some record names, down to the data. Its bytes are checked first."""
    path = path.absolute()
    if not path.is_file():
        raise UserError(f"{path} is no file.", "Name a result: a policy, a table, a video.")
    document = _document(path)
    if document:
        return document
    record_path, record = find_record(path)
    if path != record_path:
        folder = experiment_folder(record_path)
        check_file(_named(record, path, folder), folder)
    lines = [f"{path.name}: made by {record['kind']}, key {record['key']}", *_story(record)]
    if record["kind"] == "evaluation":
        run = read_sealed(record_path.parents[1] / "run.json")
        lines += ["", f"of the policy of run {run['key']} (seed {run['seed']})", *_story(run)]
        record = run
    data, store = record["dataset"], record["identity"]["data"]["store"]
    lines += [
        "",
        f"on dataset {data['name']} {data['version']}, content {data['content'][:12]}",
        f"  cameras: {', '.join(store['cameras'])}",
    ]
    return "\n".join(lines)


def find_record(path: Path) -> tuple[Path, dict[str, Any]]:
    """The record that names `path`, or `path` itself when it is one."""
    if path.name in ("run.json", "evaluation.json"):
        return path, read_sealed(path)
    folder = experiment_folder(path)
    for pattern in ("results/*/run.json", "results/*/*/evaluation.json"):
        for candidate in sorted(folder.glob(pattern)):
            record = read_sealed(candidate)
            if _named(record, path, folder):
                return candidate, record
    raise UserError(
        f"No record of {folder.name} names {path.name}.",
        "Policies, metrics, episodes and videos have records; documents of an earlier "
        "configuration are explained when that configuration is back.",
    )


def _document(path: Path) -> str:
    """The runs that a README, summary or figure of the present configuration shows; else ''."""
    folder = experiment_folder(path)
    root = folder.parents[1]
    for use_conda in (False, True):
        try:
            experiment = Plan(root, {"experiments": [folder.name]}, use_conda).experiments[
                folder.name
            ]
        except UserError:
            continue
        items = (experiment.summary, experiment.figures, experiment.models, experiment.readme)
        made = {item.name: item for item in items}
        item = made.get(path.parent.name)
        views = {folder / "README.md": experiment.readme}
        if path.parent.parent == folder / "models":
            views[path] = experiment.models
        if path in views:
            shown = experiment.results(views[path].name, path.name)
            same = shown.is_file() and shown.read_bytes() == path.read_bytes()
            item = views[path] if same else None
        if item:
            lines = [f"{path.name}: shows {experiment.name} as it is configured now, {item.name}"]
            for run in experiment.runs:
                lines.append(f"  run {run.name}: {experiment.run_record(run)}")
                lines += [f"    {experiment.evaluation_record(run, e)}" for e in run.evaluations]
            return "\n".join([*lines, "Ask again with one of these records."])
    return ""


def experiment_folder(path: Path) -> Path:
    for parent in path.parents:
        if parent.parent.name == "experiments":
            return parent
    raise UserError(f"{path} lies in no experiment's folder.", "Name a file of experiments/.")


def _named(record: dict[str, Any], path: Path, folder: Path) -> dict[str, Any] | None:
    name = path.relative_to(folder).as_posix()
    return next((file for file in record["files"] if file["path"] == name), None)


def _story(record: dict[str, Any]) -> list[str]:
    git, environment, hardware = record["git"], record["environment"], record["hardware"]
    dirty = f" with {len(git['dirty'])} uncommitted files" if git["dirty"] else ""
    software = environment.get("name", "host environment")
    torch = environment["torch"]["version"] if environment["torch"] else "none"
    gpus = ", ".join(gpu["name"] for gpu in hardware["gpus"]) or "no GPU"
    return [
        f"  when:        {record['started']} to {record['finished']}",
        f"  code:        commit {git['commit'] or '(no git)'}{dirty}, "
        f"{len(record['identity']['code'])} files in the key",
        f"  environment: {environment['deployment']}, {software}; Python {environment['python']}, "
        f"PyTorch {torch}, {len(environment['packages'])} packages",
        f"  machine:     {hardware['hostname']}, {hardware['cpu']}, {gpus}",
    ]
