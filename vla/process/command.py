"""The command that a person gave, as records show it."""

import re
import shlex
from pathlib import Path


def command_line(arguments: list[str]) -> str:
    """A command as one would type it, without the value of any option that looks like a secret."""
    shown, hide = [], False
    for argument in arguments:
        name, separator, _ = argument.partition("=")
        secret = re.search(
            r"secret|passw|token|api-?key|access-key|credential", name, re.IGNORECASE
        )
        shown.append("***" if hide else f"{name}=***" if secret and separator else argument)
        hide = bool(secret) and not separator and argument.startswith("-")
    program = Path(shown[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *shown[1:]])
