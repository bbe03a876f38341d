"""Hashes of Python files by what they do: comments, documentation, layout and messages do not count."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from vla.errors import UserError
from vla.files.hashing import sha256_bytes
from vla.source.imports import Imports, find_imports

T = TypeVar("T")

LOGGERS = {"logger", "logging"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


@dataclass(frozen=True)
class Source:
    """What is known of a Python file; its syntax tree is not kept, being many times larger."""

    hash: str
    imports: Imports


def syntax_hash(path: Path) -> str:
    """SHA-256 of a file's syntax tree; the same in every Python version that parses it.

    Left out are comments, strings that stand alone (docstrings, attribute documentation), and the
    messages of errors, assertions and logs. Of a message only the calls in it count: they could do
    something. A log line that calls nothing may come and go.
    """
    return read_source(path).hash


@cache
def read_source(path: Path) -> Source:
    return _read(path, _source)


def parse(path: Path) -> ast.Module:
    """A file's syntax tree; a missing or invalid file is a `UserError`."""
    return _read(path, ast.parse)


def _read(path: Path, make: Callable[[str, str], T]) -> T:
    """What `make` makes of a file's text and name."""
    try:
        return make(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        raise UserError(f"{path} is missing.", "Restore it: git checkout.") from None
    except SyntaxError as error:
        raise UserError(f"{path} is not valid Python: {error}", "Correct the file.") from None


@cache
def _source(text: str, name: str) -> Source:
    """Of files with the same text, in copies of a project, once."""
    tree = ast.parse(text, name)
    return Source(sha256_bytes(repr(_plain(tree)).encode()), find_imports(tree))


def _plain(node: object) -> object:
    """A syntax tree as nested tuples, without what does not count and without empty fields."""
    if isinstance(node, list):
        return tuple(plain for item in node for plain in _item(item))
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, ast.Raise) and _is_error(node.exc):
        error = node.exc
        message = [*error.args, *(keyword.value for keyword in error.keywords)]
        return "Raise", _plain(error.func), _calls(message), _plain(node.cause)
    if isinstance(node, ast.Assert):
        return "Assert", _plain(node.test), _calls([node.msg])
    fields = []
    for name in _names_of_fields(type(node)):
        value = getattr(node, name, None)
        if value is not None and value != []:
            fields.append((name, value if isinstance(value, str) else _plain(value)))
    return type(node).__name__, tuple(fields)


@cache
def _names_of_fields(kind: type[ast.AST]) -> list[str]:
    return sorted(kind._fields)


def _item(node: object) -> tuple:
    """What counts of one item of a list: none, one or, of a log line, the calls in it."""
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return ()
        if _is_log(node.value):
            return _calls([*node.value.args, *(keyword.value for keyword in node.value.keywords)])
    return (_plain(node),)


def _is_error(node: ast.expr | None) -> bool:
    """The making of an exception, whose class has a capital: `UserError(...)`, not `next(...)`."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name.lstrip("_")[:1].isupper()


def _is_log(node: ast.expr) -> bool:
    """`logger.info(...)`, `logging.getLogger("vla").warning(...)` and the like."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    receiver = node.func.value
    if isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Attribute):
        receiver = receiver.func.value  # logging.getLogger(...)
    name = getattr(receiver, "id", "")
    return node.func.attr in LOG_METHODS and name in LOGGERS


def _calls(message: list[ast.expr | None]) -> tuple:
    """The outermost expressions of a message that may do more than look: calls, `:=`, `await`, `yield`."""
    acting = (ast.Call, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
    found: list[object] = []
    pending = [part for part in reversed(message) if part is not None]
    while pending:
        node = pending.pop()
        if isinstance(node, acting):
            found.append(_plain(node))
        else:
            pending += reversed(list(ast.iter_child_nodes(node)))
    return tuple(found)
