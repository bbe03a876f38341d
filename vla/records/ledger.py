"""Ledgers: files of one JSON line an entry, to which lines are only added."""

import json
from pathlib import Path
from typing import Self

from vla.errors import UserError
from vla.records.base import Versioned


class Entry(Versioned):
    """One line of a ledger. Lines that state no `schema` are of version 1."""

    def append_to(self, ledger: Path) -> None:
        content = {"schema": self.VERSION, **self.model_dump(mode="json")}
        with open(ledger, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(content, allow_nan=False) + "\n")

    @classmethod
    def read_all(cls, ledger: Path) -> tuple[Self, ...]:
        """All entries, oldest first; none where there is no ledger. A last line that was cut off is
        left out."""
        lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.is_file() else []
        entries = []
        for number, line in enumerate(lines, start=1):
            try:
                content = json.loads(line)
            except json.JSONDecodeError:
                if number == len(lines):
                    break
                raise UserError(
                    f"{ledger}, line {number} is damaged.", "Mend the line, or take it out."
                ) from None
            version = content.pop("schema", 1)
            entries.append(cls.of_version(version, content, f"{ledger}, line {number}"))
        return tuple(entries)
