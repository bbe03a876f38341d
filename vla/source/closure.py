"""Which files of this repository a job executes: entries, and every module they import.

Imports in functions count; those under `if TYPE_CHECKING` do not, since nothing executes them.
"""

from functools import cache
from pathlib import Path

from vla.errors import UserError
from vla.source.syntax import read_source, syntax_hash

# Holds values and no logic: what a section says stands in an identity by value, after validation.
VALUES_ONLY = ("vla/config/",)


def code_hashes(entries: dict[str, Path], root: Path) -> dict[str, str]:
    """Hash of every file that `entries` execute, by name, but for sections of the configuration.

    `entries`: name in the result -> path. Names keep keys free of where an experiment lies.
    """
    files = executed_files(entries, root, without=VALUES_ONLY)
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
    return {name.split(".")[0] for name in _imports(path)}


@cache
def _imported_files(importer: Path, beside: Path, root: Path) -> list[tuple[str, Path]]:
    files: dict[str, Path] = {}
    for name in _imports(importer):
        for base in (root, beside):
            for module_name, module in _modules(name, base):
                files.setdefault(module_name, module)
    return sorted(files.items())


@cache
def _modules(name: str, base: Path) -> tuple[tuple[str, Path], ...]:
    """The files below `base` that an import of `name` executes; most names are of other packages."""
    parts = name.split(".")
    if parts[0] not in _top_names(base):
        return ()
    found = []
    for length in range(1, len(parts) + 1):
        stem = "/".join(parts[:length])
        for relative in (f"{stem}/__init__.py", f"{stem}.py"):
            if (base / relative).is_file():
                found.append((relative, base / relative))
    return tuple(found)


@cache
def _top_names(base: Path) -> frozenset[str]:
    """Names with which an import of something below `base` can begin."""
    return frozenset(path.stem for path in base.iterdir())


def _imports(path: Path) -> frozenset[str]:
    imports = read_source(path).imports
    if imports.relative_at:
        raise UserError(
            f"{path}, line {imports.relative_at}: relative import.",
            "Import by the full name, as in `from vla.data.spec import DataSpec`.",
        )
    return imports.names
