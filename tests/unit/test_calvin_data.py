"""CALVIN's layout: what is written is read, in both dtypes, and annotations execute nothing."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from vla.data.calvin.annotations import load_restricted
from vla.data.calvin.layout import ANNOTATIONS
from vla.data.calvin.writer import Recording, write_split
from vla.data.formats.calvin.reader import Reader
from vla.data.formats.calvin_absolute.reader import Reader as AbsoluteReader
from vla.data.pictures import average
from vla.errors import UserError

LENGTHS = (3, 4)


def recording(task: str, sentence: str, length: int, dtype: type = np.float64) -> Recording:
    random = np.random.default_rng(length)
    frames = tuple(
        {
            "actions": random.normal(size=7).astype(dtype),
            "rel_actions": random.uniform(-1, 1, 7).astype(dtype),
            "robot_obs": random.normal(size=15).astype(dtype),
            "scene_obs": random.normal(size=24).astype(dtype),
            "rgb_static": random.integers(0, 256, (20, 20, 3), np.uint8),
            "rgb_gripper": random.integers(0, 256, (8, 8, 3), np.uint8),
        }
        for _ in range(length)
    )
    return Recording(task, sentence, frames)


@pytest.fixture
def recordings() -> list[Recording]:
    return [
        recording("turn_on_led", "light up", LENGTHS[0]),
        recording("open_drawer", "pull", LENGTHS[1], np.float32),
    ]


@pytest.fixture
def dataset(tmp_path, recordings) -> Path:
    behind = write_split(tmp_path, "training", recordings, 5, "D")
    write_split(tmp_path, "validation", recordings[:1], behind, "D")
    return tmp_path


def test_windows_come_back_with_their_actions_states_and_pictures(dataset, recordings):
    reader = Reader(dataset)
    assert {t.name: t.instructions for t in reader.tasks()} == {
        "open_drawer": ("pull",),
        "turn_on_led": ("light up",),
    }
    assert reader.lengths() == list(LENGTHS)
    for number, (episode, written) in enumerate(
        zip(reader.read(("static", "gripper")), recordings, strict=True)
    ):
        assert episode.instruction == written.sentence
        assert episode.state.dtype == episode.action.dtype == np.float32
        for step, frame in enumerate(written.frames):
            assert np.allclose(episode.state[step], frame["robot_obs"])
            assert np.allclose(episode.action[step], frame["rel_actions"])
            assert np.array_equal(episode.frames["gripper"][step], frame["rgb_gripper"])
        assert episode.frames["static"].shape == (LENGTHS[number], 8, 8, 3)
    (alone,) = AbsoluteReader(dataset).read(("static",), range(1, 2))
    assert np.allclose(alone.action[0], recordings[1].frames[0]["actions"])
    assert np.array_equal(alone.frames["static"][0], recordings[1].frames[0]["rgb_static"])


def test_a_split_can_be_named_by_itself(dataset):
    assert Reader(dataset / "validation").lengths() == [LENGTHS[0]]
    with pytest.raises(UserError, match="auto_lang_ann"):
        Reader(dataset / "validation" / "lang_annotations")


def test_the_same_demonstrations_are_the_same_bytes(dataset, recordings, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write_split(again, "training", recordings, 5, "D")
    for path in sorted(again.rglob("*.np?")):
        assert path.read_bytes() == (dataset / path.relative_to(again)).read_bytes()


class Malicious:
    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


@pytest.mark.parametrize("deep", [False, True])
def test_malicious_annotations_run_nothing(dataset, tmp_path, deep):
    trace = tmp_path / "executed"
    path = dataset / "training" / ANNOTATIONS
    bad = Malicious(trace)
    np.save(path, np.array({"language": {"ann": [bad] if deep else bad}}, dtype=object))
    with pytest.raises(UserError, match=r"names pathlib\.Path") as caught:
        Reader(dataset)
    assert "Nothing in it was executed" in caught.value.way_out
    assert not trace.exists()
    pickle.loads(pickle.dumps(bad))  # the trap works when it is sprung
    assert trace.exists()


def test_damaged_annotations_are_an_error_that_names_the_file(dataset):
    path = dataset / "training" / ANNOTATIONS
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match="auto_lang_ann"):
        Reader(dataset)


def test_annotations_as_numpy_1_wrote_them_are_read(tmp_path):
    """The official ones are: their pickles call NumPy's modules by the old name."""
    content = {"emb": np.ones((2, 1, 3), np.float32), "indx": [(np.int64(0), np.int64(3))]}
    path = tmp_path / "a.npy"
    np.save(path, np.array(content, dtype=object))
    old = path.read_bytes().replace(b"numpy._core", b"numpy.core")
    # Pickles of protocol 4 and later count the bytes of names and of frames; protocol 3 does not.
    head = old[: old.index(b"\n") + 1]
    body = pickle.dumps(np.array(content, dtype=object), protocol=3)
    path.write_bytes(head + body.replace(b"numpy._core", b"numpy.core"))
    read = load_restricted(path).item()
    assert read["emb"].shape == (2, 1, 3)
    assert read["indx"] == [(0, 3)]


def test_pictures_are_averaged_over_areas():
    picture = np.zeros((1, 4, 4, 3), np.uint8)
    picture[0, :2, :2] = (10, 20, 31)
    assert average(picture, 2)[0, 0, 0].tolist() == [10, 20, 31]
    assert average(picture, 1)[0, 0, 0].tolist() == [2, 5, 8]
    assert average(picture, 4) is picture
    random = np.random.default_rng(0).integers(0, 256, (3, 200, 200, 3), np.uint8)
    assert np.array_equal(average(random, 84)[1], average(random[1:2], 84)[0])
    assert np.abs(average(random, 84).mean() - random.mean()) < 0.5
