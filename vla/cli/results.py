"""Afterwards: compare, conclude, look up, verify, clean."""

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
    styled,
)
from vla.errors import UserError
from vla.knowledge import folders
from vla.words import CONDITIONS

RunFolder = Annotated[
    Path, typer.Argument(help="Folder of a run, experiments/E/results/seed42-KEY, or its run.json.")
]
Margin = Annotated[float, typer.Option(help="Success rates within it are equivalent.")]
Tolerance = Annotated[
    float, typer.Option(help="Final losses of the same model agree within this part of them.")
]
CODES = "Exit codes: identical 0, equivalent 10, undecided 11, different 12; a mistake 1."


def compare(
    baseline: ExperimentName, candidate: ExperimentName, use_conda: UseConda = False
) -> None:
    """What differs between two experiments, and what it did, on the episodes they share."""
    from vla.plan.sections import changes, flat
    from vla.statistics import comparison
    from vla.statistics.episodes import read_episodes
    from vla.statistics.rates import describe

    plan = read_plan(use_conda)
    one, other = find_experiments(plan, [baseline, candidate], listed=False)
    sections = ("model", "training", "data", "evaluation")
    configs = [e.config.model_dump(mode="json", include=set(sections)) for e in (one, other)]
    lines = changes(*map(flat, configs))
    seeds = [tuple(run.seed for run in e.runs) for e in (one, other)]
    lines += [f"seeds {seeds[0]} → {seeds[1]}"] if seeds[0] != seeds[1] else []
    console.print("[bold]Differs in[/]\n  " + (escape("\n  ".join(lines)) or "nothing"))
    tables = [read_episodes(e) for e in (one, other)]
    others = comparison.compare_conditions(*tables)
    found = others.pop("instructed")
    table = Table(box=None, pad_edge=False)
    for heading in ("Task", baseline, candidate, "Pairs"):
        table.add_column(heading)
    for task, rates in found.by_task.items():
        shown = (f"{100 * rate:.0f} %" for rate in (rates.baseline, rates.candidate))
        table.add_row(task, *shown, str(rates.pairs))
    overall = (f"[bold]{escape(describe(rate))}[/]" for rate in (found.baseline, found.candidate))
    table.add_row("[bold]all[/]", *overall, str(found.pairs))
    console.print("\n[bold]Success, the same instructed episodes[/]", table, sep="\n")
    console.print(f"\n{candidate} against {baseline}: [bold]{escape(found.statement)}[/]")
    for condition, paired in others.items():
        console.print(f"{CONDITIONS[condition]}: {escape(paired.statement)}")


def note(
    name: ExperimentName,
    text: Annotated[str, typer.Argument(help="A line for notes.md, with today's date.")] = "",
    outcome: Annotated[
        str, typer.Option(help="open, confirmed, refuted, inconclusive or dead end.")
    ] = "",
    finding: Annotated[list[str] | None, typer.Option(help="What was learnt.")] = None,
    next_step: Annotated[list[str] | None, typer.Option("--next", help="What to try next.")] = None,
    drawn_from: Annotated[
        bool,
        typer.Option("--drawn-from", help="Name the present results as those concluded from."),
    ] = False,
    use_conda: UseConda = False,
) -> None:
    """Write down an outcome, findings, next steps, or a note. No run's key changes.

    An outcome or a finding names the present results as those that it was drawn from; --drawn-from
    alone does only that, and leaves every word as it is.
    """
    if not (text or outcome or finding or next_step or drawn_from):
        raise UserError(
            "There is nothing to note.",
            "Give a text, or --outcome, --finding, --next, --drawn-from.",
        )
    from vla.knowledge.conclusions import describe
    from vla.knowledge.database import find_results

    root = find_root()
    folders.find_folder(root, name)
    concluded = bool(outcome or finding)
    results = find_results(root, name, use_conda) if concluded or drawn_from else None
    if drawn_from and results is None:
        raise UserError(
            f"{name} has no results yet as it is configured now: nothing can be drawn from them.",
            "Run snakemake first; name --use-conda if it ran with that.",
        )
    folders.note(root, name, text, outcome, tuple(finding or ()), tuple(next_step or ()))
    if results:
        folders.note_results(root, name, results)
    changed = [f"experiments/{name}/config.yaml"] if concluded or next_step or drawn_from else []
    changed += [f"experiments/{name}/notes.md"] if text else []
    console.print(f"Noted in {' and '.join(changed)}; snakemake renders the README anew.")
    if results:
        console.print(f"Drawn from {escape(describe(results))}.")
    elif concluded:
        console.print(
            "There are no results yet that the outcome could name as those it was drawn from."
        )


def list_experiments(
    query: Annotated[str, typer.Argument(help="Only experiments with this in any column.")] = "",
) -> None:
    """Every experiment with its outcome and success, from the records."""
    from vla.knowledge.conclusions import is_doubtful
    from vla.knowledge.database import build_database, read_table

    root = find_root()
    build_database(root)
    doubts = []
    table = Table(box=None, pad_edge=False, expand=True)
    for heading in ("Experiment", "Outcome", "Success", "Target", "Verdict", "Runs"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Hypothesis", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in read_table(root, "experiments"):
        if query.lower() not in " ".join(str(value) for value in row.values()).lower():
            continue
        doubtful = is_doubtful(row["basis"])
        table.add_row(
            row["experiment"],
            styled(row["outcome"]) + (" [yellow]⚠[/]" if doubtful else ""),
            escape(row["success"] or "–"),
            f"{100 * row['target']:.0f} %" if row["target"] is not None else "–",
            styled(row["verdict"] or "–"),
            f"{row['finished_runs']}/{row['runs']}",
            escape(row["hypothesis"]),
        )
        if doubtful:
            doubts.append(f"{row['experiment']}: {row['outcome']}, {row['drawn_from']}")
    console.print(table)
    for line in doubts:
        console.print(f"[yellow]⚠ {escape(line)}[/]")


def published(
    name: Experiments = None,
    write: Annotated[
        bool, typer.Option("--write", help="Publish the present results, to be committed.")
    ] = False,
    use_conda: UseConda = False,
) -> None:
    """How much of what was published (in published/) the results here reproduce, bit for bit."""
    from vla.reproduction.published import compare_published, publish

    plan = read_plan(use_conda)
    experiments = find_experiments(plan, name, listed=False)
    if write:
        for experiment in experiments:
            files = publish(experiment)
            console.print(f"{len(files)} files in published/{experiment.name}: commit them.")
        return
    result = compare_published(experiments)
    console.print(str(result))
    for missing in result.missing:
        console.print(f"  not run here: {missing}")
    for kind, lines in result.found.items():
        console.print(f"Differs in {kind}:\n  " + escape("\n  ".join(sorted(lines))))
    for one, other in result.others:
        places = (str(path.relative_to(plan.root)) for path in (one, other))
        console.print(f"  → vla verify {escape(' '.join(places))}")


def explain(
    file: Annotated[Path, typer.Argument(help="A policy, table, video, record, README or report.")],
) -> None:
    """Where a result comes from: run, code, environment, machine, data."""
    from vla.reproduction.explain import explain as tell

    console.print(tell(file), markup=False)


def verify(
    one: RunFolder, other: RunFolder, margin: Margin = 0.1, tolerance: Tolerance = 0.05
) -> None:
    """Does one run reproduce another? A verdict in one word, with reasons."""
    from vla.reproduction.verify import VERDICTS, read_run
    from vla.reproduction.verify import verify as judge

    found = judge(read_run(one), read_run(other), margin, tolerance)
    console.print(str(found), markup=False, soft_wrap=True)
    raise typer.Exit(VERDICTS[found.word])


def replay(
    run: RunFolder,
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    margin: Margin = 0.1,
    tolerance: Tolerance = 0.05,
) -> None:
    """Check out a run's commit in a clean folder, run it again, and verify."""
    from vla.reproduction.replay import replay as again
    from vla.reproduction.verify import VERDICTS, read_run

    found = again(read_run(run), folder, find_root(), margin, tolerance)
    console.print(str(found), markup=False, soft_wrap=True)
    raise typer.Exit(VERDICTS[found.word])


verify.__doc__ = f"{verify.__doc__}\n\n{CODES}"
replay.__doc__ = f"{replay.__doc__}\n\n{CODES}"


def archive(names: Experiments = None, use_conda: UseConda = False) -> None:
    """Pack finished experiments and keep them with DVC: models, records, episodes, figures.

    Pushed to the DVC remote that archive_remote in config/config.yaml names.
    """
    from vla.upkeep.archive import archive as pack

    plan = read_plan(use_conda)
    for experiment in find_experiments(plan, names, whole=True):
        entry = pack(experiment, plan.config.archive_remote)
        where = f"pushed to {entry.remote}" if entry.remote else "in DVC's cache, not pushed"
        size = f"{entry.files} files, {entry.bytes / 1e6:.1f} MB"
        console.print(f"{entry.experiment} {entry.version}: {size}, {where}")
        console.print(f"  commit {entry.pointer}, with archives.jsonl beside it")


def clean(
    names: Experiments = None,
    old: Annotated[
        bool, typer.Option("--old", help="Remove what finished runs no longer need.")
    ] = False,
    use_conda: UseConda = False,
) -> None:
    """What lies on the disk, and what of it can go. Removes nothing without --old.

    Never a policy, a record, metrics or episodes; never what an unfinished run would go on from.
    """
    from vla.upkeep.disk import KINDS, find_old, remove, usage

    plan = read_plan(use_conda)
    named = [folders.find_folder(plan.root, name) for name in names or ()]
    table = Table(box=None, pad_edge=False)
    for heading in ("On the disk (MB)", *KINDS):
        table.add_column(heading, justify="left" if heading.startswith("On") else "right")
    found = usage(plan.root)
    data = found.pop("(data)")
    for name, sizes in found.items():
        table.add_row(name, *(f"{sizes[kind] / 1e6:.1f}" for kind in KINDS))
    console.print(table)
    console.print(", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in data.items()))
    going, kept = find_old(plan)
    if named:
        going = [item for item in going if item.folder.parents[1] in named]
    console.print(f"\n[bold]{'Removed' if old else 'Could go'}[/]")
    freed = remove(going, plan.root) if old else sum(item.bytes for item in going)
    for item in going:
        folder = item.folder.relative_to(plan.root)
        console.print(f"  {item.bytes / 1e6:8.1f} MB  {folder}: {item.why}")
    for run in kept:
        console.print(f"  [dim]kept        {run.folder.relative_to(plan.root)}: {run.why}[/]")
    console.print(f"  {freed / 1e6:8.1f} MB in all" + ("" if old else ": vla clean --old"))
