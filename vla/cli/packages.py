"""Packages: hand an experiment to strangers, reproduce theirs, take numbers into a paper."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from vla.cli.shared import (
    ExperimentName,
    Experiments,
    UseConda,
    console,
    find_experiments,
    find_root,
    read_plan,
)
from vla.errors import UserError
from vla.package.standalone import CODES, CODES_HELP, LEVELS

VERDICT_STYLES = {"identical": "green", "reproduced": "green", "compatible": "yellow"}


def package(
    name: ExperimentName,
    data: Annotated[
        bool,
        typer.Option("--data", help="Pack datasets of any size; small ones are always packed."),
    ] = False,
    weights: Annotated[
        bool, typer.Option(help="Pack the trained policies; else only their hashes.")
    ] = True,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymous", help="For double-blind review: tell nobody who made it."),
    ] = False,
    hide: Annotated[
        list[str] | None,
        typer.Option(help="With --anonymous: a further word that tells who made it."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="With --anonymous: a name to keep, for it tells nobody anything."),
    ] = None,
    use_conda: UseConda = False,
) -> None:
    """Pack a finished experiment so that strangers can reproduce it: one file, no Git needed."""
    from vla.package.anonymous import RECORD, Wish
    from vla.package.building import Options, build_package

    if (hide or keep) and not anonymous:
        raise UserError(
            "--hide and --keep say what an anonymous package tells.", "Add --anonymous."
        )
    wish = Wish(tuple(hide or ()), tuple(keep or ())) if anonymous else None

    plan = read_plan(use_conda)
    (experiment,) = find_experiments(plan, [name])
    built = build_package(plan, experiment, Options(data, weights, wish))
    megabytes = built.path.stat().st_size / 1e6
    console.print(
        f"[green]{built.path.relative_to(plan.root)}[/]: {built.files} files, {megabytes:.1f} MB"
    )
    console.print(f"  sha256 {built.sha256}")
    for dataset in built.record.datasets:
        if dataset.packed == "pointer":
            console.print(f"  {dataset.name} is not in it, only its pins: --data packs it.")
    if anonymous:
        console.print(f"  Nothing in it tells who made it; {RECORD} says what was replaced.")
        shown = ", ".join(built.not_searched) or "none"
        console.print(
            f"  Too short or too common to look for, --hide one of them if it tells: {escape(shown)}"
        )
        console.print("  Family names alone, a group's name, its words for things: --hide them.")
    console.print("On the other side: unzip it, then python reproduce.py")


def reproduce(
    archive: Annotated[
        Path, typer.Argument(help="A package: the archive, or its unpacked folder.")
    ],
    level: Annotated[
        str, typer.Option(help="; ".join(f"{name}: {what}" for name, what in LEVELS.items()))
    ] = "check",
    work: Annotated[
        Path | None, typer.Option(help="Folder to work in; by default beside the package.")
    ] = None,
    here: Annotated[
        bool,
        typer.Option("--here", help="Use the present Python's packages: build no environment."),
    ] = False,
    use_conda: Annotated[
        bool, typer.Option("--use-conda", help="Retrain in the locked conda environments.")
    ] = False,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Retrain with something else: experiment.seed=7."),
    ] = None,
) -> None:
    """Check a package; with --level, run it again and hold its claims against what comes out."""
    from vla.package.checking import WORK, require_work_apart, sha256
    from vla.package.reproducing import Request
    from vla.package.reproducing import reproduce as run_again

    if level not in LEVELS:
        raise UserError(f"There is no level {level!r}.", f"Levels: {', '.join(LEVELS)}.")
    folder = work or (archive / WORK if archive.is_dir() else archive.with_suffix(f".{WORK}"))
    if archive.is_dir():
        require_work_apart(archive, folder)
    request = Request(level, folder.absolute(), here, use_conda, tuple(change or ()))
    if archive.is_file():
        console.print(f"{archive.name}: sha256 {sha256(archive)}")
    outcome = run_again(archive.absolute(), request, console.print)
    _print(outcome)
    if level != "check":
        console.print(f"Written: {folder}/reproduction-{level}.md and .json")
    raise typer.Exit(CODES[outcome.verdict])


reproduce.__doc__ = f"{reproduce.__doc__}\n\n{CODES_HELP}"


def _print(outcome: object) -> None:
    from vla.package.table import HEADINGS, rows

    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for row in rows(outcome):
        style = VERDICT_STYLES.get(row[4], "red" if row[4] == "not reproduced" else "dim")
        cells = [escape(cell) for cell in row]
        cells[4] = f"[{style}]{cells[4]}[/]"
        table.add_row(*cells)
    console.print(table)
    for kind, lines in outcome.differences.items():
        console.print(f"Differs in {kind}:\n  " + escape("\n  ".join(lines)))
    console.print(f"\n[bold]{outcome.experiment}, level {outcome.level}: {outcome.verdict}[/]")


def numbers(
    names: Experiments = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for results.tex and results.typ.")
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(help="Source of a paper, .tex or .typ: does it use only numbers of a record?"),
    ] = None,
    use_conda: UseConda = False,
) -> None:
    """Numbers and tables for a paper, in LaTeX and Typst, from the records; or check a paper's source."""
    from vla.files.atomic import write_text
    from vla.package.numbers import paper_numbers
    from vla.package.paper import check_paper
    from vla.package.results import Results, layout_of
    from vla.package.typesetting import latex, typst
    from vla.records.comparison import ComparisonRecord

    plan = read_plan(use_conda)
    compared = {pair.candidate: [] for pair in plan.comparisons}
    for pair in plan.comparisons:
        record = plan.root / "results" / pair.name / "comparison.json"
        if record.is_file():
            compared[pair.candidate].append(ComparisonRecord.read(record))
    found = [
        paper_numbers(Results(plan.root, layout_of(e)), compared.get(e.name, ()))
        for e in find_experiments(plan, names, listed=False)
    ]
    if check:
        values = {name: value for each in found for name, value in each.values.items()}
        problems = [line for path in check for line in check_paper(path, values)]
        for line in problems:
            console.print(escape(line))
        if not problems:
            console.print("Every number of a result is a record's.")
        raise typer.Exit(int(bool(problems)))
    folder = output or plan.root / "results/paper"
    for name, text in (("results.tex", latex(found)), ("results.typ", typst(found))):
        write_text(folder / name, text)
        console.print(f"{folder / name}")
    console.print(r"LaTeX: \input{results.tex}, then \vla{NAME} and \vlatable{EXPERIMENT}")
    console.print('Typst: #import "results.typ": vla, vla-table, then #vla("NAME")')
    for each in found:
        console.print(
            escape("\n".join(f"  {name}  {value}" for name, value in each.values.items()))
        )


def release(
    name: ExperimentName,
    version: Annotated[str, typer.Argument(help="Semantic version, such as 1.2.0.")],
    use_conda: UseConda = False,
) -> None:
    """Tag commit, datasets, models and package of a finished experiment as one version. Pushes nothing."""
    from vla.package.releasing import release as tag_release

    plan = read_plan(use_conda)
    (experiment,) = find_experiments(plan, [name])
    tag, built = tag_release(plan, experiment, version)
    console.print(
        f"[green]{tag}[/] names {built.path.relative_to(plan.root)}, sha256 {built.sha256}"
    )
    console.print(f"  git push origin {tag}, and deposit the package")


def site(
    folder: Annotated[
        Path, typer.Argument(help="A folder that is not there yet, or a page of before.")
    ],
) -> None:
    """Write all results as static pages for a web server: list, reports, comparisons, lineage."""
    from vla.site.building import build_site

    built = build_site(find_root(), folder)
    console.print(
        f"[green]{escape(str(folder / 'index.html'))}[/]: {len(built.experiments)} experiments, "
        f"{built.pairs} paired comparisons, {built.files} files, {built.bytes / 1e6:.1f} MB"
    )
    for name in built.left_out:
        console.print(f"  left out, no results as it is configured now: {escape(name)}")
    console.print(escape(f"Look at it: python -m http.server --directory {folder}"))
