"""Secrets that must not leave this machine with a package."""

import os
import re
from collections.abc import Iterable, Mapping

from vla.errors import UserError
from vla.source.git import looks_secret

SHORTEST = 8  # characters of a value that is looked for; shorter ones stand anywhere
SECRET_NAME = re.compile(r"secret|passw|token|api_?key|access_?key|credential", re.IGNORECASE)
# Tokens that tell by their beginning what they are.
TOKENS = {
    "a private key": rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}",
    "an AWS access key": rb"\bAKIA[0-9A-Z]{16}\b",
    "a GitHub token": rb"\bgh[opsur]_[A-Za-z0-9]{36}\b",
    "a Hugging Face token": rb"\bhf_[A-Za-z0-9]{34}\b",
}
TOKEN = {what: re.compile(pattern) for what, pattern in TOKENS.items()}


def require_no_secrets(
    files: Iterable[tuple[str, bytes]], variables: Mapping[str, str] = os.environ
) -> None:
    """`UserError` naming files (name, content) that look secret, or hold a secret.

    Looked for are the values of environment variables whose names say that they are secret, and
    tokens of well-known forms.
    """
    values = {
        name: value.encode()
        for name, value in variables.items()
        if SECRET_NAME.search(name) and len(value) >= SHORTEST and not os.path.exists(value)  # noqa: PTH110
    }
    found = []
    for name, content in files:
        if looks_secret(name) and not name.endswith(".py"):  # code about secrets is none
            found.append(f"{name}: its name says that nobody else is to read it")
        found += [
            f"{name}: holds the value of ${v}" for v, value in values.items() if value in content
        ]
        found += [f"{name}: holds {what}" for what, form in TOKEN.items() if form.search(content)]
    if found:
        raise UserError(
            "\n  ".join(["Secrets would be packed:", *found]),
            "Take them out, commit, run again what wrote them, and change the secrets that were "
            "committed.",
        )
