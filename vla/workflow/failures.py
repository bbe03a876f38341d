"""Why jobs on other nodes failed: the last lines of their logs, from what Snakemake says of them."""

import re
from pathlib import Path

LINES = 12  # of each log
LOG = re.compile(r"^\s+log: (.+) \(check log file\(s\) for error details\)$", re.MULTILINE)


def last_lines(snakemake_log: Path, root: Path) -> str:
    """The end of each log that Snakemake's own log names for a failed job, of its newest attempt."""
    text = snakemake_log.read_text(encoding="utf-8", errors="replace")
    # The rule's log comes first, then that of the attempt.
    newest = {names.split(", ")[0]: names for names in LOG.findall(text)}
    shown = []
    for name in ", ".join(newest.values()).split(", "):
        path = root / name
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES:]
            shown.append("\n".join([f"--- the end of {path}", *lines]))
    return "\n".join(shown)
