"""What decides an outcome is in an evaluation's key, what shows it in a film's, the rest in neither."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT
from vla.files.yaml import read_yaml
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.plan.stages import EVALUATE
from vla.plugins import find_plugin
from vla.source.closure import executed_files

EVERYTHING_AFTER = {"evaluation", "film", "summary", "readme"}
OF_THE_FILM = {"film", "readme"}


def test_what_surrounds_episodes_is_not_executed_by_what_decides_them():
    entries = {name: ROOT / name for name in EVALUATE.core}
    entries |= find_plugin("simulators", "metaworld", ROOT).code
    names = set(executed_files(entries, ROOT))
    assert {"vla/evaluation/rollout.py", "vla/simulation/metaworld/environment.py"} <= names
    for name in ("workers", "serving", "journal", "episodes", "film"):
        assert f"vla/evaluation/{name}.py" not in names
    operational = ("records", "tracking", "monitoring", "workflow", "plan", "checks", "report")
    assert [name for name in names if name.split("/")[1] in operational] == []
    assert "vla/process/progress.py" not in names


def keys(experiment: Experiment) -> dict[str, str]:
    (run,) = experiment.runs
    evaluation = run.evaluations[0]
    return {
        "run": run.key,
        "evaluation": evaluation.key,
        "film": evaluation.film.key,
        "summary": experiment.documents["summary"].key,
        "readme": experiment.documents["readme"].key,
    }


def changed(experiment: Experiment, root: Path, edits: dict[str, tuple[str, str]]) -> set[str]:
    """Which keys other files give; in a copy, since hashes are cached by path."""
    shutil.copytree(experiment.root, root)
    for name, (old, new) in edits.items():
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))
    config = read_yaml(root / "config/config.yaml")
    edited = keys(Plan(root, config).find_experiment(experiment.name))
    return {name for name, key in keys(experiment).items() if edited[name] != key}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("evaluation/film.py", "FRAME_MS = 200", "FRAME_MS = 100", OF_THE_FILM),
        ("evaluation/workers.py", "import os\n", "import os\nimport vla.evaluation.empty\n", set()),
        ("evaluation/journal.py", "os.fsync", "os.fdatasync", set()),
        ("evaluation/episodes.py", '== "crash"', '!= "success"', set()),
        ("evaluation/rollout.py", "steps += 1", "steps += 2", EVERYTHING_AFTER),
        ("evaluation/protocol.py", "% len(sentences)", "% 1", EVERYTHING_AFTER),
        ("simulation/metaworld/cameras.py", "0.95", "0.96", EVERYTHING_AFTER),
        ("simulation/metaworld/card.py", "MIT", "Apache", set()),
        ("simulation/experts.py", "executed[:3]", "executed[:2]", set()),
        ("evaluation/batching.py", "[0] * (self", "[1] * (self", set()),
    ],
)
def test_changed_code_changes_the_keys_of_what_it_decides(
    experiment, tmp_path_factory, name, old, new, expected
):
    root = tmp_path_factory.mktemp("edited") / "project"
    assert changed(experiment, root, {f"vla/{name}": (old, new)}) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"videos_per_task": 2}, OF_THE_FILM),
        ({"simulator": {"object_range_x": 0.1}}, EVERYTHING_AFTER),
        ({"simulator": {"type": "metaworld"}}, set()),
        ({"max_steps": 151}, EVERYTHING_AFTER),
        ({"batch_size": 1}, set()),
        ({"batch_size": 8}, EVERYTHING_AFTER),
    ],
)
def test_changed_setting_changes_the_keys_of_what_it_decides(
    experiment, tmp_path_factory, setting, expected
):
    root = tmp_path_factory.mktemp("edited") / "project"
    path = f"experiments/{experiment.name}/config.yaml"
    before = (experiment.root / path).read_text()
    config = yaml.safe_load(before)
    config["evaluation"] |= setting
    assert changed(experiment, root, {path: (before, yaml.safe_dump(config))}) == expected


def test_what_fills_batches_decides_outcomes_where_episodes_share_a_policy(
    experiment, tmp_path_factory
):
    path = experiment.root / f"experiments/{experiment.name}/config.yaml"
    config = yaml.safe_load(path.read_text())
    path.write_text(
        yaml.safe_dump(config | {"evaluation": config["evaluation"] | {"batch_size": 8}})
    )
    config = read_yaml(experiment.root / "config/config.yaml")
    sharing = Plan(experiment.root, config).find_experiment(experiment.name)
    root = tmp_path_factory.mktemp("edited")
    batching = {"vla/evaluation/batching.py": ("[0] * (self", "[1] * (self")}
    assert changed(sharing, root / "batching", batching) == EVERYTHING_AFTER
    serving = {"vla/evaluation/serving.py": ("self._ended = True", "self._ended = bool(1)")}
    assert changed(sharing, root / "serving", serving) == set()
