"""`check.json`: what was found before an experiment ran."""

from dataclasses import dataclass

from vla.records.base import Record, same_fields


@dataclass(frozen=True)
class Finding:
    """One line of the check. `status`: ok, warn or fail; `way_out`: what to do unless it is ok."""

    name: str
    status: str
    found: str
    way_out: str = ""


class CheckRecord(Record):
    """What was found before an experiment ran."""

    KIND = "check"
    VERSION = 2
    UPGRADES = (same_fields,)
    LEVELS = 2

    checks: tuple[Finding, ...]
