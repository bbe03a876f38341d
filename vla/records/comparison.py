"""`comparison.json`: two experiments on the episodes they share."""

from pydantic import Field

from vla.files.described import File
from vla.records.base import Content, Record
from vla.records.rates import PairedRates


def _named(content: Content) -> Content:
    """Version 1 listed its one file."""
    (figure,) = content.pop("files")
    return content | {"figure": figure}


class ComparisonRecord(PairedRates, Record):
    """A paired comparison of two experiments, on instructed episodes but for `others`."""

    KIND = "comparison"
    VERSION = 2
    UPGRADES = (_named,)

    experiments: tuple[str, str]
    """Folders in experiments/: baseline and candidate."""
    names: tuple[str, str]
    """Their names in tables and figures."""
    figure: File
    """Relative to the record's own folder, as the other two."""
    print: File | None = None
    """The figure as a PDF, for print; null in records of before it was drawn."""
    data: File | None = None
    """The numbers of the figure; null in records of before they were kept."""
    others: dict[str, PairedRates] = Field(default_factory=dict)
    """Further conditions that both were evaluated under; empty in records of before they were compared."""

    @property
    def by_condition(self) -> dict[str, PairedRates]:
        """Every condition that was compared, `instructed` first."""
        instructed = {name: getattr(self, name) for name in PairedRates.model_fields}
        return {"instructed": PairedRates(**instructed), **self.others}
