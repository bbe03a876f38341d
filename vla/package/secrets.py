"""Secrets that must not leave this machine with a package."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping

from vla.errors import UserError
from vla.source.git import looks_secret

SHORTEST = 8  # characters of a value that is looked for; shorter ones stand anywhere
SECRET_NAME = re.compile(r"secret|passw|token|api_?key|access_?key|credential", re.IGNORECASE)
# Tokens that tell by their beginning what they are. A form that begins with letters is found fast; so
# that these begin a word is asked behind them.
TOKENS = {
    "a private key": rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}",
    "an AWS access key": rb"AKIA(?<!\wAKIA)[0-9A-Z]{16}\b",
    "a GitHub token": rb"gh(?<!\wgh)[opsur]_[A-Za-z0-9]{36}\b",
    "a Hugging Face token": rb"hf_(?<!\whf_)[A-Za-z0-9]{34}\b",
}
TOKEN = {what: re.compile(pattern) for what, pattern in TOKENS.items()}
LONGEST = 1 << 16  # bytes of a secret that is found wherever blocks meet


def require_no_secrets(
    files: Iterable[tuple[str, Iterable[bytes]]], variables: Mapping[str, str] = os.environ
) -> None:
    """`UserError` naming files (name, blocks of the content) that look secret, or hold a secret.

    Looked for are the values of environment variables whose names say that they are secret, and
    tokens of well-known forms.
    """
    values = {
        name: value.encode()
        for name, value in variables.items()
        if SECRET_NAME.search(name) and len(value) >= SHORTEST and not os.path.exists(value)  # noqa: PTH110
    }
    found = []
    for name, blocks in files:
        if looks_secret(name) and not name.endswith(".py"):  # code about secrets is none
            found.append(f"{name}: its name says that nobody else is to read it")
        held: dict[str, None] = {}
        for window in windows(blocks):
            for variable, value in values.items():
                if value in window:
                    held[f"{name}: holds the value of ${variable}"] = None
            for what, form in TOKEN.items():
                if form.search(window):
                    held[f"{name}: holds {what}"] = None
        found += held
    if found:
        raise UserError(
            "\n  ".join(["Secrets would be packed:", *found]),
            "Take them out, commit, run again what wrote them, and change the secrets that were "
            "committed.",
        )


def windows(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Each block behind the end of the one before, so that nothing is cut where two meet."""
    end = b""
    for block in blocks:
        yield end + block
        end = block[-LONGEST:]
