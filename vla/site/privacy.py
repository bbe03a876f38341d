"""What a public page does not say: secrets, names of machines, and where on their disks things lie."""

import html
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.package.secrets import SHORTEST, require_no_secrets
from vla.records.part import Part

# An absolute path of two parts or more; not what follows a host in an address, nor a relative one.
ABSOLUTE = re.compile(r"(?<![\w.:/<~-])/(?:[\w.@+~-]+/)+[\w.@+~-]*")
TEXTS = (".html", ".json")
NOT_TELLING = ("localhost", "")


class Privacy:
    """Takes the machine out of texts, and refuses files that still name it."""

    def __init__(self, root: Path, hosts: Iterable[str]):
        """`hosts`: of the machines that worked; this one is added."""
        self._root = root.resolve()
        named = {name for host in (*hosts, socket.gethostname()) for name in (host, _short(host))}
        self._hosts = sorted(named - {*NOT_TELLING}, key=lambda name: (-len(name), name))
        words = "|".join(map(re.escape, self._hosts))
        self._host = re.compile(rf"(?<![\w.-])(?:{words})(?![\w-])")

    def clean(self, value: Any) -> Any:
        """The same value; in its texts, paths of the machine are cut to what says nothing of it.

        A path inside the project becomes relative, of any other the last part stays; a machine's name
        becomes [machine]. Goes through mappings, sequences, dataclasses and parts of records.
        """
        if isinstance(value, str):
            return self._host.sub("[machine]", ABSOLUTE.sub(self._cut, value))
        if isinstance(value, Mapping):
            return {name: self.clean(content) for name, content in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self.clean, value))
        if isinstance(value, Part):
            named = {name: self.clean(getattr(value, name)) for name in type(value).model_fields}
            return value.model_copy(update=named)
        if is_dataclass(value):
            named = {field.name: getattr(value, field.name) for field in fields(value)}
            return replace(value, **{name: self.clean(content) for name, content in named.items()})
        return value

    def require(self, name: str, content: bytes) -> None:
        """`UserError` when a file of the page holds a secret, or names this project's folder, the
        user's, or a machine (one whose name is too long to be a word by chance)."""
        if not name.endswith(TEXTS):
            require_no_secrets([(name, [content])])
            return
        text = html.unescape(content.decode())
        require_no_secrets([(name, [text.encode()])])
        places = [str(place) for place in (self._root, Path.home()) if len(place.parts) > 1]
        hosts = [host for host in self._hosts if len(host) >= SHORTEST]
        for private in (*places, *hosts):
            if re.search(rf"(?<![\w.-]){re.escape(private)}(?![\w-])", text):
                raise UserError(
                    f"{name} would tell the public of {private}, which belongs to a machine.",
                    "Take it out of the experiment's configuration and notes.",
                )

    def _cut(self, match: re.Match[str]) -> str:
        path = Path(match[0])
        if path.is_relative_to(self._root):
            return path.relative_to(self._root).as_posix()
        return f"…/{path.name}"


def _short(host: str) -> str:
    """A machine's name without its domain."""
    return host.partition(".")[0]
