"""The `vla` command in the process of the tests, which has imported it: a process of its own takes seconds."""

import contextlib
import io
import os
from pathlib import Path
from unittest import mock

from vla.cli.main import run


def ask(folder: Path, *arguments: str) -> tuple[int, str]:
    """`vla ARGUMENTS` in that folder, on a wide terminal; exit code and all that it prints."""
    printed, code = io.StringIO(), None
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, COLUMNS="200"),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        try:
            run(list(arguments))
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int), "a command ends in an exit code"
    return code, printed.getvalue()


def vla(folder: Path, *arguments: str, ok: bool = True) -> str:
    """`vla ARGUMENTS` in that folder, which has to succeed, or not; all that it prints."""
    code, printed = ask(folder, *arguments)
    assert (code == 0) == ok, printed
    return printed
