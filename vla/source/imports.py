"""What a Python file imports, and at which line it does so by a relative name."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

# Where a node of a syntax tree keeps statements, or the handlers and cases that do.
PARTS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True)
class Imports:
    """`names`: full names of what a file imports, and of what it imports from them, which may be modules.

    `relative_at`: the line of an import by a relative name, which `names` do not have.
    """

    names: frozenset[str]
    relative_at: int | None = None


def find_imports(tree: ast.Module) -> Imports:
    names: set[str] = set()
    relative_at = None
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            relative_at = node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return Imports(frozenset(names), relative_at)


def _executed(tree: ast.Module) -> Iterator[ast.stmt]:
    """All statements, without those that only type checkers look at; expressions import nothing."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.stmt):
            yield node
        for part in PARTS:
            for child in getattr(node, part, ()):
                if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
                    pending += child.orelse
                else:
                    pending.append(child)
