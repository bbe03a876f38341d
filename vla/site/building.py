"""Make the public page of all experiments that have results."""

from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError
from vla.knowledge.database import HOST_THEN_CONDA, find_finished, plans_here
from vla.plan.items import Experiment
from vla.plan.reading import experiment_names
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
        children = _children(finished)
        titles = {
            name: privacy.clean(about.title or about.name)
            for name, about in ((n, e.config.experiment) for n, e in finished.items())
        }
        rows = []
        for name, experiment in finished.items():
            entry = read_entry(experiment, recorded, children[name], privacy)
            pages.add_experiment(entry, titles, _of(name, pairs))
            rows.append(list_row(entry))
        pages.add_shared(rows)
        size = sum((draft.folder / name).stat().st_size for name in draft.files)
    left_out = tuple(name for name in names if name not in finished)
    return BuiltSite(tuple(finished), len(pairs), len(draft.files), size, left_out)


def _children(finished: dict[str, Experiment]) -> dict[str, tuple[str, ...]]:
    """Experiment -> those that name it as their parent."""
    parents = {name: e.config.experiment.parent for name, e in finished.items()}
    return {
        name: tuple(child for child, parent in parents.items() if parent == name and child != name)
        for name in finished
    }


def _of(name: str, pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if name in (pair.baseline, pair.candidate)]
