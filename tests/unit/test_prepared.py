"""The prepared store: the dataset's frames, whole and checked."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from readers import Diverging, HoldingOut, Lying, MadeUp, Wide

from vla.data.episode import Episode
from vla.data.formats.lerobot_v3.reader import Reader
from vla.data.formats.lerobot_v3.writer import write_dataset
from vla.data.opening import open_store
from vla.data.preparation import prepare
from vla.errors import UserError
from vla.files.digests import file_digests
from vla.records.prepared import PreparedRecord

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
    prepare(Reader, dataset, ("top", "side"), tmp_path)
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
    prepare(Reader, dataset, ("side",), tmp_path)
    assert open_store(tmp_path).tasks == (
        {
            "name": "door-open-v3",
            "instructions": ["open the door", "pull the door open"],
            "held_out": ["swing the door open"],
        },
        {"name": "door-close-v3", "instructions": ["close the door"], "held_out": []},
    )


def test_dataset_of_lerobot_is_prepared_with_a_task_a_sentence(tmp_path):
    prepare(Reader, REFERENCE, ("side",), tmp_path)
    store = open_store(tmp_path)
    assert len(store) == 241
    assert store.pictures.shape == (241, 1, 3, 64, 64)
    assert [task["instructions"] for task in store.tasks] == [[t["name"]] for t in store.tasks]
    assert store.tasks[0]["name"] == "turn the faucet on"
    assert store.seeds == ()


def contents(folder: Path) -> dict[str, bytes]:
    """What a preparation has left, but for the record of how its files were verified here."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


SHARD = 16 * 3 * 8 * 8  # bytes: 16 frames of one camera


@pytest.fixture(scope="module")
def sharded(tmp_path_factory) -> Path:
    """A store of several shards, of a reader that makes episodes up."""
    folder = tmp_path_factory.mktemp("sharded") / "store"
    prepare(MadeUp, Path("made-up"), ("side",), folder, shard_bytes=SHARD)
    return folder


def test_shards_are_of_bounded_size_and_cut_between_episodes(sharded):
    record = PreparedRecord.read(sharded / "prepared.json")
    assert [shard.frames for shard in record.shards] == [16, 14, 10, 11, 6]
    assert [shard.episodes for shard in record.shards] == [3, 1, 2, 1, 1]


@pytest.mark.parametrize("processes", [1, 3])
def test_any_number_of_processes_gives_the_same_bytes(sharded, tmp_path, processes):
    folder = tmp_path / "store"
    prepare(MadeUp, Path("made-up"), ("side",), folder, shard_bytes=SHARD, processes=processes)
    assert contents(folder) == contents(sharded)


def test_content_is_that_of_the_data_however_it_is_cut(sharded, tmp_path):
    """Content covers what training can see: not files, but every byte, sentence and camera."""
    prepare(MadeUp, Path("made-up"), ("side",), tmp_path / "whole")
    whole = PreparedRecord.read(tmp_path / "whole/prepared.json")
    assert len(whole.shards) == 1
    content = PreparedRecord.read(sharded / "prepared.json").content
    assert whole.content == content
    prepare(MadeUp, Path("made-up"), ("top",), tmp_path / "top")
    assert PreparedRecord.read(tmp_path / "top/prepared.json").content != content


class KilledError(Exception):
    pass


@pytest.mark.parametrize("torn", [False, True])
def test_killed_preparation_goes_on_from_finished_shards(sharded, tmp_path, monkeypatch, torn):
    """Finished shards are not decoded once more, unless their bytes are not those recorded."""
    folder = tmp_path / "store"

    def killed(done: int, shards: int) -> None:
        if done == 3:
            raise KilledError

    with pytest.raises(KilledError):
        prepare(MadeUp, Path("made-up"), ("side",), folder, shard_bytes=SHARD, report=killed)
    assert not (folder / "prepared.json").exists()
    (folder / ".pictures-00003.host-1.part.npy").write_bytes(b"left by the killed process")
    if torn:
        (folder / "pictures-00001.npy").write_bytes(b"torn")
    decoded = []
    read = MadeUp.read

    def count(reader, cameras, episodes=None):
        decoded.append(episodes)
        return read(reader, cameras, episodes)

    monkeypatch.setattr(MadeUp, "read", count)
    prepare(MadeUp, Path("made-up"), ("side",), folder, shard_bytes=SHARD)
    # The first episode is read for the size of its pictures.
    resumed = [range(1), range(6, 7), range(7, 8)]
    assert decoded == ([range(1), range(3, 4), *resumed[1:]] if torn else resumed)
    assert contents(folder) == contents(sharded)


def test_statistics_are_numpys_of_all_frames(sharded):
    """Also where a mean is large beside the spread."""
    store = open_store(sharded)
    state, action = store.state.astype(np.float64), store.action.astype(np.float64)
    assert np.allclose(store.spec.state_mean, state.mean(0), rtol=1e-14)
    assert np.allclose(store.spec.state_std, state.std(0) + 1e-4, rtol=1e-10)
    assert store.spec.action_low == tuple(action.min(0))
    assert store.spec.action_high == tuple(action.max(0))
    assert store.spec.sentences == ("open it", "pull it", "close it")


def test_pictures_of_all_shards_are_read_as_one_array(sharded):
    store = open_store(sharded)
    reader = MadeUp(Path("made-up"))
    frames = np.concatenate([e.frames["side"] for e in reader.read(("side",))])
    rows = np.random.default_rng(0).permutation(len(frames))
    assert store.pictures.shape == (57, 1, 3, 8, 8)
    assert np.array_equal(store.pictures[rows][:, 0].transpose(0, 2, 3, 1), frames[rows])


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (Diverging, "state of episode 3 holds infinite values or NaN"),
        (Lying, "the dataset states"),
        (HoldingOut, "episode 2 carries the sentence 'pull it'"),
        (Wide, "4 pixels high and 8 wide"),
    ],
)
def test_data_that_cannot_be_trained_on_is_refused(tmp_path, reader, said):
    with pytest.raises(UserError, match=said):
        prepare(reader, Path("made-up"), ("side",), tmp_path)
    assert not (tmp_path / "prepared.json").exists()


def test_pinned_content_is_refused_when_it_is_different(sharded, tmp_path):
    content = PreparedRecord.read(sharded / "prepared.json").content
    prepare(MadeUp, Path("made-up"), ("side",), tmp_path / "same", pinned=content)
    assert open_store(tmp_path / "same", content).content == content
    with pytest.raises(UserError, match="not the one that is pinned") as caught:
        prepare(MadeUp, Path("made-up"), ("side",), tmp_path / "other", pinned="0" * 64)
    assert "vla pin" in caught.value.way_out
    assert not (tmp_path / "other/prepared.json").exists()
    with pytest.raises(UserError, match="not the pinned one"):
        open_store(tmp_path / "same", "0" * 64)


@pytest.fixture
def copy(sharded, tmp_path) -> Path:
    """A store that was never opened here."""
    shutil.copytree(sharded, tmp_path / "copy", ignore=shutil.ignore_patterns("verified.json"))
    return tmp_path / "copy"


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Names of the files that are hashed from now on."""
    names = []

    def note(path: Path, algorithms: tuple[str, ...]) -> dict[str, str]:
        names.append(path.name)
        return file_digests(path, algorithms)

    monkeypatch.setattr("vla.files.states.file_digests", note)
    return names


def test_store_is_hashed_once_and_then_where_it_changed(copy, hashed):
    open_store(copy)
    assert len(hashed) == 5 + 5, "pictures of every shard and every column"
    hashed.clear()
    open_store(copy)
    assert hashed == []
    os.utime(copy / "action.npy")
    open_store(copy)
    open_store(copy)
    assert hashed == ["action.npy"]


@pytest.mark.parametrize("name", ["pictures-00001.npy", "action.npy"])
@pytest.mark.parametrize("known", [False, True])
def test_flipped_byte_is_found_and_its_file_named(copy, name, known):
    if known:
        open_store(copy)
    before = (copy / name).stat()
    content = bytearray((copy / name).read_bytes())
    content[-1] ^= 1
    (copy / name).write_bytes(content)
    os.utime(copy / name, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if nothing had changed
    with pytest.raises(UserError, match=f"{name} does not hold the bytes that were recorded"):
        open_store(copy)


def test_missing_file_is_named(copy):
    open_store(copy)
    (copy / "step.npy").unlink()
    with pytest.raises(UserError, match=r"step\.npy is missing"):
        open_store(copy)


def test_unfinished_store_is_not_opened(copy):
    (copy / "prepared.json").unlink()
    with pytest.raises(UserError, match=r"prepared\.json is missing"):
        open_store(copy)


def test_cameras_of_different_sizes_are_refused(tmp_path):
    episode = make_episode(4, "open the door", 1, {"side": 16, "top": 32})
    write_dataset(tmp_path / "mixed", [episode], SENTENCES, 20, NAMES, "arm")
    with pytest.raises(UserError, match="pictures differ in size"):
        prepare(Reader, tmp_path / "mixed", ("side", "top"), tmp_path / "store")
