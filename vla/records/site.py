"""`site.json`: the files of a public page."""

from vla.records.base import Record


class SiteRecord(Record):
    """What `vla site` wrote into a folder, which is thereby known as its own."""

    KIND = "site"
    WAY_OUT = "Name a new folder, or remove this one and make the page again."

    complete: bool
    """False while files are being put in place, and after that was broken off."""
    files: dict[str, str]
    """Path in the folder -> SHA-256; while it is not complete, those of the page before, too."""
