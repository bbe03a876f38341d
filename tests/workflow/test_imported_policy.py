"""The rules of a policy that others trained. What its jobs do: tests/unit/test_imported.py."""

from tests.project import SMALL

IMPORTED = {
    "experiment": {name: value for name, value in SMALL["experiment"].items() if name != "seed"},
    "model": {
        "type": "lerobot-act",
        "weights": "tiny-act",
        "tasks": {"button-press-topdown-v3": ["press the button"]},
    },
    "evaluation": SMALL["evaluation"],
    "resources": SMALL["resources"],
}


def test_it_is_imported_in_place_of_trained_beside_one_that_is_trained(fresh, tmp_path):
    project = fresh.copy(tmp_path / "project")
    project.write("a", SMALL)
    project.write("b", IMPORTED)
    files = {"model.safetensors": {"sha256": "f" * 64, "bytes": 1}}
    entry = {"folder": "elsewhere", "licence": "MIT", "files": files}
    project.write_yaml("config/weights.yaml", {"tiny-act": entry})
    alone = project.jobs("--config", 'experiments=["b"]', "comparisons=[]")
    assert {"fetch_weights", "verify_weights", "check_experiment", "import_policy"} <= set(alone)
    assert not {"train", "prepare_dataset", "fetch_dataset"} & set(alone)
    both = project.jobs()
    once = ("import_policy", "train", "prepare_dataset", "compare")
    assert [both[rule] for rule in once] == [1] * 4
    assert both["evaluate"] == both["film"] == 2
