"""The house: imports between packages run one way, and the configuration holds values only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import ROOT

# From the ground up: a module imports from its own line and those above.
LAYERS = (
    *(("errors", "words"), ("plugins",), ("files",), ("config",), ("records",), ("source",)),
    *(("locks",), ("process",), ("data",), ("weights",), ("plan",), ("simulation",), ("policies",)),
    *(("monitoring",), ("tracking",), ("training",), ("evaluation",), ("statistics",)),
    *(("knowledge",), ("report",), ("release",), ("reproduction",), ("checks",)),
    *(("upkeep",), ("workflow",), ("package",), ("site",), ("cli",)),
)
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
PLUGIN_PACKAGES = ("vla/policies", "vla/simulation", "vla/data/formats")


def modules() -> list[Path]:
    return sorted(path for path in (ROOT / "vla").rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> set[str]:
    """Modules of the library that a file imports, also in functions, but for type checkers."""
    direct = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vla."):
            direct.add(node.module)
    return direct


def package(name: str) -> str:
    return name.split(".")[1]


def test_every_package_has_its_place():
    there = {path.relative_to(ROOT / "vla").parts[0].removesuffix(".py") for path in modules()}
    assert there - {"__init__", "__main__"} == HEIGHT.keys()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down(path):
    own = path.relative_to(ROOT / "vla").parts[0].removesuffix(".py")
    above = {name for name in imports(path) if HEIGHT[package(name)] > HEIGHT.get(own, 99)}
    assert not above


def test_no_plugin_imports_another():
    for place in PLUGIN_PACKAGES:
        folders = [folder for folder in (ROOT / place).iterdir() if folder.is_dir()]
        plugins = {f.name for f in folders if f.name not in ("parts", "__pycache__")}
        for name in plugins:
            for path in (ROOT / place / name).rglob("*.py"):
                others = {
                    found
                    for found in imports(path)
                    for other in plugins - {name}
                    if f"{found}.".startswith(f"{place.replace('/', '.')}.{other}.")
                }
                assert not others, path


def test_every_folder_says_what_lives_there():
    for folder in sorted({path.parent for path in modules()}):
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
        assert text, folder


def test_configuration_holds_values_only():
    """Keys leave these classes out, because what they say stands in an identity by value."""
    allowed = {"model_config"}
    for path in [*(ROOT / "vla/config").glob("*.py"), *(ROOT / "vla").rglob("config.py")]:
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    decorators = {ast.unparse(d).split("(")[0] for d in item.decorator_list}
                    assert decorators & {"field_validator", "model_validator"}, (path, item.name)
                elif isinstance(item, ast.Assign):
                    assert {ast.unparse(t) for t in item.targets} <= allowed, (path, node.name)


def test_documents_wait_for_no_library_that_they_do_not_need():
    """Each is a job of its own, of two seconds; PyTorch or SciPy would double that."""
    scripts = ("publish", "release_models", "render_readme", "report", "report_experiment")
    code = "import sys; " + "".join(f"import scripts.{name}; " for name in scripts)
    code += "print(*{'scipy', 'statsmodels', 'torch'} & sys.modules.keys())"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert not loaded.strip()
