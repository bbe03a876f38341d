"""How results are named and numbers are said, the same in every document."""

import re

CONDITIONS = {
    "instructed": "instructed",
    "held_out": "held-out paraphrases",
    "no_instruction": "instruction hidden",
}

NOT_REACHED = "not reached"  # the outcome of a chain's subtasks behind the one that failed


def short_task(task: str) -> str:
    """A task's name as words, without its version: 'faucet open' of 'faucet-open-v3'."""
    return re.sub(r"[-_]v\d+$", "", task).replace("-", " ").replace("_", " ")


def duration(seconds: float) -> str:
    """'36 h 5 min', '1 min 52 s', '48 s'."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def size(count: float) -> str:
    """'58.1 GB', '1.2 MB', of a number of bytes."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
