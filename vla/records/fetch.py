"""`*.fetched.json`: a dataset's files were brought here."""

from vla.records.base import Record, same_fields


class FetchRecord(Record):
    """A dataset's files were brought here."""

    KIND = "fetch"
    VERSION = 2
    UPGRADES = (same_fields,)

    pulled: tuple[str, ...]
    """Paths, in the dataset's folder, of the files that were missing."""
