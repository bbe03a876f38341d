"""The prepared store: the dataset's frames, whole and checked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vla.data.episode import Episode
from vla.data.formats.lerobot_v3.writer import write_dataset
from vla.data.preparation import prepare
from vla.data.store import open_store
from vla.errors import UserError

REFERENCE = Path(__file__).parents[1] / "data/lerobot/ref_image"
SENTENCES = pd.DataFrame(
    {
        "task_index": [0, 1, 2, 3],
        "task": ["door-open-v3", "door-open-v3", "door-open-v3", "door-close-v3"],
        "held_out": [False, False, True, False],
    },
    index=["open the door", "pull the door open", "swing the door open", "close the door"],
)
NAMES = {"observation.state": ["x", "y"], "action": ["dx", "dy"]}


def make_episode(length: int, instruction: str, seed: int, sizes: dict[str, int]) -> Episode:
    random = np.random.default_rng(seed)
    return Episode(
        frames={
            camera: random.integers(0, 256, (length, size, size, 3), np.uint8)
            for camera, size in sizes.items()
        },
        state=random.normal(size=(length, 2)).astype(np.float32),
        action=random.normal(size=(length, 2)).astype(np.float32),
        instruction=instruction,
        seed=seed,
    )


@pytest.fixture(scope="module")
def episodes():
    sizes = {"side": 16, "top": 16}
    return [
        make_episode(5, "pull the door open", 30, sizes),
        make_episode(7, "close the door", 10, sizes),
        make_episode(6, "open the door", 20, sizes),
    ]


@pytest.fixture(scope="module")
def dataset(episodes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "doors"
    write_dataset(folder, episodes, SENTENCES, 20, NAMES, "arm")
    return folder


def test_store_holds_every_frame_of_the_dataset(dataset, episodes, tmp_path):
    prepare(dataset, ("top", "side"), tmp_path)
    store = open_store(tmp_path)
    assert len(store) == 18
    assert store.pictures.shape == (18, 2, 3, 16, 16)
    for number, camera in enumerate(("top", "side")):
        frames = np.concatenate([episode.frames[camera] for episode in episodes])
        assert np.array_equal(store.pictures[:, number].transpose(0, 2, 3, 1), frames)
    assert np.array_equal(store.state, np.concatenate([e.state for e in episodes]))
    assert np.array_equal(store.action, np.concatenate([e.action for e in episodes]))
    assert store.step.tolist() == [*range(5), *range(7), *range(6)]
    assert store.length.tolist() == [5] * 5 + [7] * 7 + [6] * 6
    assert store.task.tolist() == [0] * 5 + [1] * 7 + [0] * 6
    assert store.seeds == (10, 20, 30)
    assert store.cameras == ("top", "side")


def test_sentences_are_grouped_by_task_and_held_out_ones_apart(dataset, tmp_path):
    prepare(dataset, ("side",), tmp_path)
    assert open_store(tmp_path).tasks == (
        {
            "name": "door-open-v3",
            "instructions": ["open the door", "pull the door open"],
            "held_out": ["swing the door open"],
        },
        {"name": "door-close-v3", "instructions": ["close the door"], "held_out": []},
    )


def test_dataset_of_lerobot_is_prepared_with_a_task_a_sentence(tmp_path):
    prepare(REFERENCE, ("side",), tmp_path)
    store = open_store(tmp_path)
    assert len(store) == 241
    assert store.pictures.shape == (241, 1, 3, 64, 64)
    assert [task["instructions"] for task in store.tasks] == [[t["name"]] for t in store.tasks]
    assert store.tasks[0]["name"] == "turn the faucet on"
    assert store.seeds == ()


def test_preparing_twice_gives_the_same_bytes(dataset, tmp_path):
    for name in ("a", "b"):
        prepare(dataset, ("side",), tmp_path / name)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab"
    )
    assert first == second


@pytest.mark.parametrize("name", ["pictures.npy", "action.npy"])
def test_flipped_byte_is_found_and_its_file_named(dataset, tmp_path, name):
    prepare(dataset, ("side",), tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[-1] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name} has changed"):
        open_store(tmp_path)


def test_unfinished_store_is_not_opened(dataset, tmp_path):
    prepare(dataset, ("side",), tmp_path)
    (tmp_path / "prepared.json").unlink()
    with pytest.raises(UserError, match=r"prepared\.json is missing"):
        open_store(tmp_path)


def test_cameras_of_different_sizes_are_refused(tmp_path):
    episode = make_episode(4, "open the door", 1, {"side": 16, "top": 32})
    write_dataset(tmp_path / "mixed", [episode], SENTENCES, 20, NAMES, "arm")
    with pytest.raises(UserError, match="pictures differ in size"):
        prepare(tmp_path / "mixed", ("side", "top"), tmp_path / "store")
