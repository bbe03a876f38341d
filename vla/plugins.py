"""Policies, simulators and dataset formats, found by their names; nothing is imported to find them.

A plug-in is a folder of Python modules whose names its kind fixes. It lies in the library, in the
project's folder `plugins/`, or in an installed package that names it as an entry point. Whoever
plans passes the chosen one's modules to the key; those not chosen are in no key.
"""

import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from vla.errors import UserError, nearest

ROOT = Path(__file__).parents[1]
# kind -> package of the library, and the module without which a folder there is no plug-in
KINDS = {
    "formats": ("vla.data.formats", "reader"),
    "policies": ("vla.policies", "policy"),
    "simulators": ("vla.simulation", "simulator"),
}


@dataclass(frozen=True)
class Plugin:
    """One plug-in: `package` is what its modules are imported from, `folder` where they lie.

    `code`: what of it a key covers, with all that it imports: name in the key -> path.
    """

    kind: str
    name: str
    package: str
    folder: Path
    code: dict[str, Path]

    def load(self, module: str) -> ModuleType:
        """Import one of its modules: `config`, or the one that its kind is named for."""
        return importlib.import_module(f"{self.package}.{module}")


def find_plugin(kind: str, name: str, root: Path | None = None) -> Plugin:
    """The plug-in that the configuration names, in any case, with - for _; `UserError` without one.

    `root`: the project whose folders are searched, by default this one.
    """
    there = plugins(kind, root)
    folder = name.lower().replace("-", "_")
    if folder not in there:
        raise UserError(
            f"There is no {name!r} among the {kind}; {nearest(folder, sorted(there))}",
            f"Take one of them, or add it: docs/plugins.md. Looked in vla/, plugins/{kind}/ and the "
            f"entry points vla.{kind}.",
        )
    return there[folder]


def plugins(kind: str, root: Path | None = None) -> dict[str, Plugin]:
    """Every plug-in of a kind, by name. `UserError` when two have the same."""
    package, main = KINDS[kind]
    found = [
        *_in_folder(kind, package, root or ROOT, main),
        *_in_folder(kind, f"plugins.{kind}", root or ROOT, main),
        *(
            _installed(kind, point)
            for point in importlib.metadata.entry_points(group=f"vla.{kind}")
        ),
    ]
    by_name: dict[str, Plugin] = {}
    for plugin in found:
        if plugin.name in by_name:
            raise UserError(
                f"Two {kind} are called {plugin.name}: {by_name[plugin.name].folder} and "
                f"{plugin.folder}.",
                "Rename one.",
            )
        by_name[plugin.name] = plugin
    return by_name


def _in_folder(kind: str, package: str, root: Path, main: str) -> list[Plugin]:
    found = []
    for path in sorted(root.joinpath(*package.split(".")).glob(f"*/{main}.py")):
        name = path.parent.name
        code = {path.relative_to(root).as_posix(): path}
        found.append(Plugin(kind, name, f"{package}.{name}", path.parent, code))
    return found


def _installed(kind: str, point: importlib.metadata.EntryPoint) -> Plugin:
    """An entry point `name = "package"`; the package is found, not imported."""
    outermost, *inside = point.value.split(".")
    found = importlib.util.find_spec(outermost)
    places = found.submodule_search_locations if found else None
    folder = Path(next(iter(places))).joinpath(*inside) if places else None
    if folder is None or not folder.is_dir():
        raise UserError(
            f"The entry point {point.name} = {point.value} of vla.{kind} names no package.",
            "Correct it in that package's pyproject.toml, or uninstall it.",
        )
    top = folder.parents[len(inside)]
    whole = sorted((top / outermost).rglob("*.py"))
    code = {path.relative_to(top).as_posix(): path for path in whole}
    return Plugin(kind, point.name, point.value, folder, code)
