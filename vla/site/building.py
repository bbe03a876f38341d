"""Make the public page of all experiments that have results."""

from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError
from vla.knowledge.database import HOST_THEN_CONDA, find_finished, plans_here
from vla.plan.plan import Plan
from vla.plan.reading import experiment_names
from vla.records.summary import SummaryRecord
from vla.site.entry import machines, read_entry
from vla.site.folder import new_page
from vla.site.pages import Pages, list_row
from vla.site.pairs import Pair, find_recorded, read_pairs
from vla.site.privacy import Privacy


@dataclass(frozen=True)
class BuiltSite:
    """`left_out`: experiments without results as they are configured now; `bytes`: of all files."""

    experiments: tuple[str, ...]
    pairs: int
    files: int
    bytes: int
    left_out: tuple[str, ...]


def build_site(root: Path, folder: Path) -> BuiltSite:
    """Write the page into `folder`. The same results give the same bytes.

    `UserError` when nothing is finished, a result has changed since its record, `folder` holds what
    `vla site` did not write, or a file would tell what is not for the public.
    """
    names = experiment_names(root)
    plans = plans_here(root, names, HOST_THEN_CONDA)
    found = {name: find_finished(name, plans) for name in names}
    finished = {name: experiment for name, experiment in found.items() if experiment}
    left_out = tuple(name for name in names if name not in finished)
    for name in left_out:
        _require_no_damage(name, plans)
    if not finished:
        raise UserError(
            "No experiment has results as it is configured now: there is nothing to show.",
            "Run snakemake first.",
        )
    hosts = {host for experiment in finished.values() for host in machines(experiment)}
    privacy = Privacy(root, hosts)
    with new_page(folder, privacy) as draft:
        recorded = find_recorded(root, finished)
        pairs = read_pairs(finished, recorded)
        pages = Pages(root, draft)
        parents = {name: e.config.experiment.parent for name, e in finished.items()}
        rows = []
        for name, experiment in finished.items():
            entry = read_entry(experiment, recorded, parents, privacy)
            pages.add_experiment(entry, _of(name, pairs))
            rows.append(list_row(entry))
        pages.add_shared(rows)
        size = sum((draft.folder / name).stat().st_size for name in draft.files)
    return BuiltSite(tuple(finished), len(pairs), len(draft.files), size, left_out)


def _require_no_damage(name: str, plans: list[Plan]) -> None:
    """`UserError` when an experiment that seems to have no results has a summary that cannot be read."""
    for plan in plans:
        try:
            summary = plan.find_experiment(name).document("summary", "summary.json")
        except UserError:  # not to be planned here: its data, say, is not pinned
            continue
        if summary.is_file():
            SummaryRecord.read(summary)


def _of(name: str, pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if name in (pair.baseline, pair.candidate)]
