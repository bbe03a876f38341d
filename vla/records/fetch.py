"""`*.fetched.json`: files of a dataset, or of pretrained weights, were brought here."""

from vla.records.base import Record, same_fields


class FetchRecord(Record):
    """Files of a dataset, or of pretrained weights, were brought here."""

    KIND = "fetch"
    VERSION = 2
    UPGRADES = (same_fields,)

    pulled: tuple[str, ...]
    """Paths, in the folder of the dataset or the weights, of the files that were missing."""
