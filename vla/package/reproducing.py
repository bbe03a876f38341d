"""Reproduce a package at a level, and hold its claims against what came out."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError
from vla.files.atomic import write_text
from vla.files.clock import now
from vla.package.checking import SUMS, check_folder, path_problem, refuse, sha256
from vla.package.environment import build_environment, has_conda, run
from vla.package.jobs import LAYOUT
from vla.package.judging import explain_differences, judge_claims, worst
from vla.package.project import SOURCE, change_configuration, make_project, published
from vla.package.results import Results
from vla.package.table import render
from vla.package.unpacking import is_unpacked, unpack
from vla.process.variables import choose_portable
from vla.records.claims import ClaimsRecord
from vla.records.kinds import record_model
from vla.records.package import Layout, PackageRecord
from vla.records.reproduction import ReproductionRecord


@dataclass(frozen=True)
class Request:
    """What somebody asks for.

    `work`: folder to work in; `here`: use this interpreter's packages; `use_conda`: train in the
    locked conda environments; `changed`: `KEY=VALUE` of the configuration, at level retrain.
    """

    level: str
    work: Path
    here: bool = False
    use_conda: bool = False
    changed: tuple[str, ...] = ()


def reproduce(package: Path, request: Request, say: Callable[[str], None]) -> ReproductionRecord:
    """Check a package (an archive or its folder), run what the level asks for, and judge.

    Nothing of the package runs at level check. Writes `reproduction-LEVEL.json` and `.md` into the
    folder to work in, and at level check nothing but the unpacked package.
    """
    if request.changed and request.level != "retrain":
        raise UserError("--set changes what is trained.", "Add --level retrain.")
    folder = package
    if not package.is_dir():
        folder = request.work / "package"
        if not folder.is_dir():
            unpack(package, folder)
        elif not is_unpacked(package, folder):
            raise UserError(
                f"{folder} holds another package.", "Name another folder with --work, or remove it."
            )
    files = check_folder(folder)
    say(f"Intact: {len(files)} files have the bytes of {SUMS}.")
    record = PackageRecord.read(folder / "package.json")
    claims = ClaimsRecord.read(folder / "claims.json")
    results = published(folder, record)
    _check_records(results)
    reproduced = None
    if request.level != "check":
        reproduced = _run(folder, record, request)
    judged = judge_claims(claims, results, reproduced, request.level)
    outcome = ReproductionRecord(
        experiment=claims.experiment,
        package=sha256(folder / SUMS),
        level=request.level,
        changed=request.changed,
        time=now(),
        claims=judged,
        verdict=worst(judged),
        differences=(explain_differences(results, reproduced, request.level) if reproduced else {}),
    )
    if reproduced:
        outcome.write(request.work / f"reproduction-{request.level}.json")
        write_text(request.work / f"reproduction-{request.level}.md", render(outcome))
    return outcome


def _check_records(results: Results) -> None:
    """Every record of the results is whole, and names the bytes that are there."""
    for path in sorted(results.root.rglob("*.json")):
        try:
            model = record_model(path)
        except UserError:  # no record: a resolved configuration
            continue
        record = model.read(path)
        for file in record.all_files():
            named = model.folder_of(path) / file.path
            if path_problem(file.path):
                raise refuse([f"{path.name} names {file.path!a}"], results.root.parent)
            if named.is_file() and sha256(named) != file.sha256:
                raise UserError(
                    f"{named} is not the file that {path} names.",
                    "Ask for the package again: it contradicts itself.",
                )


def _use_conda(record: PackageRecord, request: Request) -> bool:
    """As asked for; else as the results were made, where that can be."""
    if request.use_conda and not has_conda():
        raise UserError(
            "--use-conda: conda is not on the PATH.",
            "Install Miniforge, or leave it: the host environment is then used.",
        )
    return request.use_conda or (record.deployment == "conda" and has_conda())


def _run(package: Path, record: PackageRecord, request: Request) -> Results:
    """Run the level in a project of its own; returns where its results are."""
    project = (request.work / request.level).absolute()
    make_project(package, record, request.level, project)
    experiment = record.layout.experiment
    change_configuration(project, experiment, request.changed)
    python = Path(sys.executable)
    if not request.here:
        python = build_environment(package / SOURCE, request.work.absolute() / "environment")
    command = [str(python), "-m", "vla.package.jobs", request.level, experiment]
    write_text(project / LAYOUT, record.layout.model_dump_json(indent=2) + "\n")
    command += ["--use-conda"] if _use_conda(record, request) else []
    command += ["--dirty"] if request.changed else []
    variables = dict(os.environ)
    choose_portable(variables)  # before the job loads libraries that read them
    run(command, project, **variables | {"PYTHONPATH": str(project)})
    layout = Layout.model_validate_json((project / LAYOUT).read_bytes())
    return Results(project, layout)
