"""Plug-ins are found by name in the library, beside the Snakefile, and in installed packages."""

import sys
from importlib.metadata import EntryPoint

import pytest

from vla.errors import UserError
from vla.plugins import find_plugin, plugins


@pytest.fixture
def root(tmp_path):
    for folder in ("vla/data/formats/lerobot_v3", "plugins/formats/csv_episodes"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "reader.py").write_text("Reader = object\n")
    return tmp_path


def test_library_and_project_are_searched(root):
    assert set(plugins("formats", root)) == {"lerobot_v3", "csv_episodes"}
    assert find_plugin("formats", "lerobot-v3", root).package == "vla.data.formats.lerobot_v3"
    own = find_plugin("formats", "CSV-Episodes", root)
    assert own.code == {
        "plugins/formats/csv_episodes/reader.py": root / "plugins/formats/csv_episodes/reader.py"
    }


def test_unknown_name_gets_the_nearest_and_the_guide(root):
    with pytest.raises(UserError, match=r"did you mean 'lerobot_v3'\?") as error:
        find_plugin("formats", "lerobot-v2", root)
    assert "docs/plugins.md" in error.value.way_out


def test_folder_without_its_module_is_no_plugin(root):
    (root / "plugins/formats/notes").mkdir()
    assert "notes" not in plugins("formats", root)


def test_one_name_twice_is_refused(root):
    (root / "plugins/formats/lerobot_v3").mkdir()
    (root / "plugins/formats/lerobot_v3/reader.py").write_text("")
    with pytest.raises(UserError, match="Two formats are called lerobot_v3"):
        find_plugin("formats", "csv_episodes", root)


def test_installed_package_is_found_with_all_its_code(root, tmp_path, monkeypatch):
    package = tmp_path / "site/lab_policies/small"
    package.mkdir(parents=True)
    for file in (package.parent / "__init__.py", package / "__init__.py", package / "policy.py"):
        file.write_text("")
    (package.parent / "shared.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    point = EntryPoint("small", "lab_policies.small", "vla.policies")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    found = find_plugin("policies", "small", root)
    assert found.folder == package
    assert "lab_policies/shared.py" in found.code, "its helpers decide results too"


def test_entry_point_to_nothing_is_told(root, monkeypatch):
    point = EntryPoint("small", "there_is_no_such_package", "vla.policies")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    with pytest.raises(UserError, match="names no package"):
        find_plugin("policies", "small", root)
