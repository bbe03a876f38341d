"""A run depends on what was prepared where that is pinned, else on the code that prepares it."""

import json
import shutil

import pytest
import yaml
from readers import MadeUp
from typer.testing import CliRunner

from vla.cli.main import app
from vla.data.pins import pin_content, pinned_content
from vla.data.places import pins_file, store_record
from vla.data.preparation import prepare
from vla.errors import UserError
from vla.files.sealed import read_sealed
from vla.plan.items import Experiment
from vla.plan.plan import Plan

READER = "vla/data/formats/lerobot_v3/reader.py"


@pytest.fixture
def unpinned(experiment) -> Experiment:
    """The baseline of a project whose store is not pinned."""
    pins_file(experiment.datasets[0], experiment.root).unlink(missing_ok=True)
    return planned(experiment)


def planned(experiment: Experiment) -> Experiment:
    """The experiment as its project is now, in a folder of its own: code is hashed once a path."""
    number = len(list(experiment.root.parent.glob("copy*")))
    root = experiment.root.parent / f"copy{number}"
    ignored = shutil.ignore_patterns("copy*")
    shutil.copytree(experiment.root, root, ignore=ignored)
    config = {"experiments": [experiment.name]}
    return Plan(root, config).experiments[experiment.name]


def pin(experiment: Experiment, content: str) -> None:
    (store,) = experiment.stores
    pin_content(store.entry, store.identity["dataset"], store.cameras, content, experiment.root)


def keys(experiment: Experiment) -> tuple[str, str]:
    return experiment.stores[0].key, experiment.runs[0].key


def edit(experiment: Experiment, name: str) -> None:
    path = experiment.root / name
    path.write_text(path.read_text() + "\nMORE = 1\n")


@pytest.fixture
def experiment(experiment, tmp_path) -> Experiment:
    """As in conftest.py, one folder deeper, so that copies have room beside it."""
    root = tmp_path / "project"
    root.mkdir()
    for path in list(tmp_path.iterdir()):
        if path != root:
            path.rename(root / path.name)
    return Plan(root, {"experiments": [experiment.name]}).experiments[experiment.name]


def test_without_a_pin_the_code_that_prepares_decides(unpinned):
    store = unpinned.stores[0]
    assert store.pinned is None
    assert {READER, "vla/data/preparation.py", "vla/data/shards.py"} <= set(store.identity["code"])
    edit(unpinned, READER)
    assert keys(planned(unpinned)) != keys(unpinned)


def test_adding_another_reader_changes_no_store_and_no_run(unpinned):
    for place in ("vla/data/formats/other", "plugins/formats/mine"):
        folder = unpinned.root / place
        folder.mkdir(parents=True)
        (folder / "reader.py").write_text("Reader = object\n")
    assert keys(planned(unpinned)) == keys(unpinned)


def test_a_pinned_run_depends_on_content_and_not_on_code(unpinned):
    pin(unpinned, "a" * 64)
    pinned = planned(unpinned)
    assert pinned.stores[0].identity == {
        "dataset": unpinned.stores[0].identity["dataset"],
        "cameras": ["side"],
        "content": "a" * 64,
    }
    assert keys(pinned) != keys(unpinned)
    for name in (READER, "vla/data/preparation.py"):
        edit(pinned, name)
    assert keys(planned(pinned)) == keys(pinned)
    pin(pinned, "b" * 64)
    assert planned(pinned).runs[0].key != pinned.runs[0].key


def test_pin_is_of_one_dataset_content_and_its_cameras(unpinned):
    pin(unpinned, "a" * 64)
    (store,) = unpinned.stores
    dataset, root = store.identity["dataset"], unpinned.root
    assert pinned_content(store.entry, dataset, ("side",), root) == "a" * 64
    assert pinned_content(store.entry, dataset, ("top",), root) is None
    assert pinned_content(store.entry, "0" * 64, ("side",), root) is None
    pin_content(store.entry, dataset, ("top",), "c" * 64, root)
    pin(unpinned, "b" * 64)
    assert pinned_content(store.entry, dataset, ("side",), root) == "b" * 64
    assert pinned_content(store.entry, dataset, ("top",), root) == "c" * 64


@pytest.mark.parametrize("text", ["{}", "[]", '{"schema": 1, "stores": [{}]}', '{"schema": 9}'])
def test_damaged_pins_are_refused(unpinned, text):
    path = pins_file(unpinned.datasets[0], unpinned.root)
    path.write_text(text)
    with pytest.raises(UserError, match=path.name):
        planned(unpinned)


def test_store_that_ships_with_the_project_is_pinned(experiment):
    assert experiment.stores[0].pinned


def test_command_pins_what_was_prepared_and_keeps_it(unpinned, monkeypatch):
    record = store_record(unpinned.root, unpinned.stores[0].name)
    (unpinned.root / "Snakefile").write_text("")
    config = yaml.safe_dump({"experiments": [unpinned.name]})
    (unpinned.root / "config/config.yaml").write_text(config)
    monkeypatch.chdir(unpinned.root)
    missing = CliRunner().invoke(app, ["pin", unpinned.name])
    assert isinstance(missing.exception, UserError)
    prepare(MadeUp, unpinned.root, ("side",), record.parent)
    content = read_sealed(record)["content"]
    assert CliRunner().invoke(app, ["pin", unpinned.name]).exit_code == 0
    pins = json.loads(pins_file(unpinned.datasets[0], unpinned.root).read_text())
    assert pins["stores"][0]["content"] == content
    pinned = planned(unpinned)
    assert pinned.stores[0].pinned == content
    assert store_record(pinned.root, pinned.stores[0].name).is_file(), "nothing is prepared anew"


def test_experiment_may_mix_datasets(unpinned):
    root = unpinned.root
    for ending in ("dvc", "manifest.json"):
        name = f"data/metaworld-4tasks.{ending}"
        (root / name.replace("metaworld-4tasks", "more")).write_bytes((root / name).read_bytes())
    path = root / "config/datasets.yaml"
    registry = yaml.safe_load(path.read_text())
    registry["more"] = registry["metaworld-4tasks"] | {"path": "data/more"}
    path.write_text(yaml.safe_dump(registry))
    path = unpinned.folder / "config.yaml"
    content = yaml.safe_load(path.read_text())

    def mixed(**weights: float) -> Experiment:
        content["data"] = {"mixture": weights}
        path.write_text(yaml.safe_dump(content))
        return planned(unpinned)

    found = mixed(**{"metaworld-4tasks": 3, "more": 1})
    assert [store.dataset for store in found.stores] == ["metaworld-4tasks", "more"]
    assert found.shares == (0.75, 0.25)
    assert [entry.path for entry in found.datasets] == ["data/metaworld-4tasks", "data/more"]
    run = found.runs[0].key
    assert mixed(**{"more": 10, "metaworld-4tasks": 30}).runs[0].key == run, "the same shares"
    assert mixed(**{"metaworld-4tasks": 1, "more": 1}).runs[0].key != run
