"""ACT checkpoints of LeRobot's: the same actions as LeRobot's own code, or a refusal that says why."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.checkpoints import CASES, DATA, write_checkpoint
from tests.records import POLICY_FACTS
from vla.errors import UserError
from vla.evaluation.batching import BatchedPolicy
from vla.policies.lerobot_act.config import Config
from vla.policies.lerobot_act.policy import LeRobotACT, load
from vla.policies.storage import load_policy, save_policy

TASKS = {"button-press-topdown-v3": ["press the button"]}
CONFIG = Config(weights="tiny", tasks=TASKS, chunk_length=8)


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory) -> Path:
    """A checkpoint's folder, named for its case. Not to be changed."""
    return write_checkpoint(request.param, tmp_path_factory.mktemp("lerobot") / request.param)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return write_checkpoint("mean_std", tmp_path_factory.mktemp("lerobot") / "mean_std")


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    """One to change; its weights are the same file until a test replaces them."""
    copy = tmp_path / "checkpoint"
    copy.mkdir()
    for path in whole.iterdir():
        if path.suffix == ".json":
            shutil.copy(path, copy)
        else:
            (copy / path.name).symlink_to(path)
    return copy


def golden(case: str) -> dict[str, torch.Tensor]:
    return load_file(DATA / case / "golden.safetensors")


def assert_acts_as_lerobot(policy: LeRobotACT, case: str) -> None:
    expected = golden(case)
    inputs = {name: expected[name] for name in ("pictures", "state")}
    actions = policy.act(inputs)
    # What pictures and state decide is a thousand times more.
    torch.testing.assert_close(actions, expected["actions"], rtol=0, atol=2e-6)
    for name in inputs:
        other = policy.act(inputs | {name: inputs[name].flip(0)})
        assert (other - actions).abs().max() > 1e-3


def test_acts_as_in_lerobot_also_after_it_was_saved_as_ours(case, tmp_path):
    policy = load(CONFIG, case)
    assert_acts_as_lerobot(policy, case.name)
    save_policy(policy, tmp_path / "policy.safetensors", POLICY_FACTS)
    saved = load_policy(tmp_path / "policy.safetensors")
    assert_acts_as_lerobot(saved, case.name)
    assert_acts_as_lerobot(BatchedPolicy(saved, 4), case.name)  # for several episodes at once


def test_checkpoint_of_before_processors_has_its_normalisation_among_the_weights(folder):
    tensors = load_file(folder / "model.safetensors")
    statistics = load_file(folder / "policy_preprocessor_step_3_normalizer_processor.safetensors")
    for name, tensor in statistics.items():
        feature, _, statistic = name.rpartition(".")
        part = "unnormalize_outputs" if feature == "action" else "normalize_inputs"
        tensors[f"{part}.buffer_{feature.replace('.', '_')}.{statistic}"] = tensor.clone()
    for path in folder.glob("policy_*"):
        path.unlink()
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors")
    assert_acts_as_lerobot(load(CONFIG, folder), "mean_std")


def test_cameras_are_named_by_the_last_word_or_by_the_map(folder):
    assert load(CONFIG, folder).spec.cameras == ("image",)
    mapped = CONFIG.model_copy(update={"cameras": {"observation.image": "corner2"}})
    assert load(mapped, folder).spec.cameras == ("corner2",)


def edit(path: Path, *keys: object, value: object) -> None:
    content = json.loads(path.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(content))


VISUAL = {"type": "VISUAL", "shape": [3, 48, 64]}
CHANGES = {
    "another policy": (("type",), "diffusion", "the policy's type is 'diffusion', not 'act'"),
    "ensembling": (("temporal_ensemble_coeff",), 0.01, "temporal_ensemble_coeff"),
    "another backbone": (("vision_backbone",), "resnet50", "'resnet18' or 'resnet34'"),
    "an oblong picture": (("input_features", "observation.image"), VISUAL, "square"),
    "another input": (
        ("input_features", "observation.environment_state"),
        {"type": "ENV", "shape": [2]},
        "no simulator here gives observation.environment_state",
    ),
    "another width": (("dim_model",), 64, "not those that its config.json says"),
    "fewer layers": (("n_encoder_layers",), 1, "not those that its config.json says"),
    "another size of state": (
        ("input_features", "observation.state", "shape"),
        [5],
        "config.json says (5,)",
    ),
    "another chunk": (("chunk_size",), 16, "Set model.chunk_length: 16"),
}


@pytest.mark.parametrize(("keys", "value", "said"), CHANGES.values(), ids=CHANGES)
def test_what_would_act_differently_is_refused(folder, keys, value, said):
    edit(folder / "config.json", *keys, value=value)
    with pytest.raises(UserError) as caught:
        load(CONFIG, folder)
    assert said in str(caught.value)
    assert caught.value.way_out


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "model.safetensors",
        "policy_preprocessor.json",
        "policy_postprocessor_step_0_unnormalizer_processor.safetensors",
    ],
)
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match=name):
        load(CONFIG, folder)


def test_missing_statistic_is_refused_where_lerobot_would_not_normalise(folder):
    name = "policy_preprocessor_step_3_normalizer_processor.safetensors"
    kept = load_file(folder / name)
    (folder / name).unlink()
    save_file({n: t for n, t in kept.items() if n != "observation.state.std"}, folder / name)
    with pytest.raises(UserError, match=r"observation.state: normalisation MEAN_STD needs std"):
        load(CONFIG, folder)


def test_step_that_is_not_known_is_named(folder):
    steps = [{"registry_name": "delta_action_processor", "config": {}}]
    edit(folder / "policy_postprocessor.json", "steps", value=steps)
    with pytest.raises(UserError, match="the step 'delta_action_processor' is not known"):
        load(CONFIG, folder)


def test_statistics_are_read_from_the_folder_alone(folder):
    edit(folder / "policy_preprocessor.json", "steps", 3, "state_file", value="../secret")
    with pytest.raises(UserError, match="names no file with statistics"):
        load(CONFIG, folder)


def test_camera_that_the_checkpoint_lacks_names_the_nearest(folder):
    mistaken = CONFIG.model_copy(update={"cameras": {"observation.imag": "side"}})
    with pytest.raises(UserError, match=r"did you mean 'observation.image'"):
        load(mistaken, folder)


def test_it_is_not_trained(folder):
    with pytest.raises(UserError, match="not trained here"):
        load(CONFIG, folder).loss({})
