"""Why jobs on other nodes failed: the last lines of their logs, from what Snakemake says of them."""

import re
from pathlib import Path

LINES = 12  # of each log
LOG = re.compile(r"^\s+log: (.+) \(check log file\(s\) for error details\)$", re.MULTILINE)


def last_lines(snakemake_log: Path, root: Path) -> str:
    """The end of every log that Snakemake's own log names for a failed job; the newest attempt's."""
    text = snakemake_log.read_text(encoding="utf-8", errors="replace")
    named = [name for names in LOG.findall(text) for name in names.split(", ")]
    shown = []
    for path in dict.fromkeys(root / name for name in named):
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES:]
            shown.append("\n".join([f"--- the end of {path}", *lines]))
    return "\n".join(shown)
