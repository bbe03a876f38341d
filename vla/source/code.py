"""The code that a job executes, as part of its key.

A job's code is its entry script and every module of this repository that it imports, directly or
not. Files are hashed as syntax trees without comments, docstrings and layout: a comment or a
reformatted line reruns nothing, a changed expression reruns what executes it.
"""

import ast
from functools import cache
from pathlib import Path

from vla.errors import UserError
from vla.files.hashing import sha256_bytes

# Modules that plan, write down and report, but decide no result: what they contribute to a run
# (resolved configuration, versions) stands in its identity by value.
DECIDES_NO_RESULT = (
    "vla/checks/",
    "vla/config/",
    "vla/locks/",
    "vla/errors.py",
    "vla/files/",
    "vla/monitoring/",
    "vla/process/progress.py",
    "vla/plan/",
    "vla/process/software.py",
    "vla/process/accelerator.py",
    "vla/records/",
    "vla/source/",
    "vla/workflow/",
    "vla/tracking/",
)


def code_hashes(entries: dict[str, Path], root: Path) -> dict[str, str]:
    """Hash of every file that `entries` execute and that decides a result.

    `entries`: name in the result -> path. Names keep keys free of where an experiment lies.
    """
    files = executed_files(entries, root, without=DECIDES_NO_RESULT)
    return {name: syntax_hash(path) for name, path in files.items()}


def executed_files(
    entries: dict[str, Path], root: Path, without: tuple[str, ...] = ()
) -> dict[str, Path]:
    """The files of this repository that `entries` execute, by name.

    Modules are looked for below `root` and beside the entry that imports them; nothing is followed
    through modules whose names start with one of `without`.
    """
    files: dict[str, Path] = {}
    for name, path in entries.items():
        files[name] = path
        pending = [path]
        while pending:
            importer = pending.pop()
            for module_name, module in _imported_files(importer, path.parent, root):
                if module_name not in files and not module_name.startswith(without):
                    files[module_name] = module
                    pending.append(module)
    return files


def imported_names(path: Path) -> set[str]:
    """First words of all that a file imports: `torch` of `torch.nn.functional`."""
    names: set[str] = set()
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@cache
def syntax_hash(path: Path) -> str:
    return sha256_bytes(repr(_plain(_parse(path))).encode())


@cache
def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing.", "Restore it, or copy one of an experiment."
        ) from None
    except SyntaxError as error:
        raise UserError(f"{path} is not valid Python: {error}", "Correct the file.") from None


def _plain(node: object) -> object:
    """A syntax tree as nested tuples; the same in every Python version that parses it.

    Strings that stand alone as statements (docstrings, attribute documentation) and empty or
    absent fields are left out.
    """
    if isinstance(node, ast.AST):
        fields = (
            (name, _plain(value))
            for name, value in ast.iter_fields(node)
            if value not in (None, [], ())
        )
        return type(node).__name__, tuple(sorted(fields, key=lambda field: field[0]))
    if isinstance(node, list):
        return tuple(_plain(item) for item in node if not _is_documentation(item))
    return node


def _is_documentation(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@cache
def _imported_files(importer: Path, beside: Path, root: Path) -> list[tuple[str, Path]]:
    names: set[str] = set()
    for node in ast.walk(_parse(importer)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise UserError(
                f"{importer}, line {node.lineno}: relative import.",
                "Import by the full name, as in `from vla.policies.policy import Policy`.",
            )
    files: dict[str, Path] = {}
    for name in names:
        parts = name.split(".")
        for base in (root, beside):
            for length in range(1, len(parts) + 1):
                for relative in (
                    Path(*parts[:length], "__init__.py"),
                    Path(*parts[:length]).with_suffix(".py"),
                ):
                    if (base / relative).is_file():
                        files.setdefault(relative.as_posix(), base / relative)
    return sorted(files.items())
