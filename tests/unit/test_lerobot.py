"""LeRobotDataset v3.0: what lerobot 0.4.4 wrote is read, what is written reads back exactly."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from vla.data.episode import Episode
from vla.data.formats.lerobot_v3 import shape
from vla.data.formats.lerobot_v3.reader import Reader, decode_video
from vla.data.formats.lerobot_v3.writer import encode_video, write_dataset
from vla.data.formats.protocol import Shape
from vla.errors import UserError

REFERENCE = Path(__file__).parents[1] / "data/lerobot"
CAMERA = "observation.images.side"
NAMES = {"observation.state": ["x", "y", "z", "g"], "action": ["dx", "dy", "dz", "g"]}
SENTENCES = pd.DataFrame({"task_index": [0, 1]}, index=["open the door", "close the door"])


def read(name: str) -> list[Episode]:
    return list(Reader(REFERENCE / name).read(("side",)))


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    """Noise: what no lossy codec gives back."""
    random = np.random.default_rng(0)
    return [
        Episode(
            frames={
                camera: random.integers(0, 256, (length, 32, 32, 3), np.uint8)
                for camera in ("side", "top")
            },
            state=random.normal(size=(length, 4)).astype(np.float32),
            action=random.uniform(-1, 1, (length, 4)).astype(np.float32),
            instruction=instruction,
            seed=seed,
        )
        for length, instruction, seed in (
            (60, "open the door", 7),  # longer than a group of pictures
            (5, "close the door", 8),
            (9, "open the door", 9),
        )
    ]


@pytest.fixture(scope="module")
def written(episodes, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "dataset"
    write_dataset(folder, episodes, SENTENCES, 20, NAMES, "arm")
    return folder


def test_pictures_and_video_of_lerobot_are_read():
    images, videos = read("ref_image"), read("ref_video")
    assert [episode.instruction for episode in images] == [
        "turn the faucet on",
        "turn the faucet off",
        "press the coffee machine button",
        "press the red button from above",
    ]
    assert [len(episode.action) for episode in images] == [68, 68, 40, 65]
    for image, video in zip(images, videos, strict=True):
        assert image.instruction == video.instruction
        assert image.seed == video.seed == -1
        assert np.array_equal(image.state, video.state)
        assert np.array_equal(image.action, video.action)
        assert image.state.dtype == image.action.dtype == np.float32
        assert image.frames["side"].shape == (len(image.action), 64, 64, 3)
        difference = np.abs(image.frames["side"].astype(int) - video.frames["side"])
        assert difference.mean() < 6  # AV1 is lossy


def test_video_pictures_belong_to_their_own_steps():
    """A picture off by one step would be close enough on average: compare where things move."""
    for image, video in zip(read("ref_image"), read("ref_video"), strict=True):
        truth, decoded = image.frames["side"].astype(int), video.frames["side"].astype(int)
        here = np.abs(decoded[1:] - truth[1:]).mean()
        before = np.abs(decoded[1:] - truth[:-1]).mean()
        assert here < before


def test_some_episodes_are_the_same_as_among_all():
    reader = Reader(REFERENCE / "ref_video")
    every = list(reader.read(("side",)))
    assert reader.lengths() == [len(episode.action) for episode in every]
    for one, other in zip(reader.read(("side",), range(1, 3)), every[1:3], strict=True):
        assert one.instruction == other.instruction
        assert np.array_equal(one.frames["side"], other.frames["side"])
        assert np.array_equal(one.state, other.state)


def test_sizes_are_known_by_the_small_files_alone():
    info = {name: (REFERENCE / "ref_video" / name).read_bytes() for name in shape.FILES}
    assert shape.stated_shape(info, "side") == Shape(241, (64, 64), 4, 4)
    assert shape.stated_shape(info, "wrist") is None


def test_unknown_camera_names_the_valid_ones():
    with pytest.raises(UserError, match=r"no camera 'wrist'") as caught:
        next(Reader(REFERENCE / "ref_video").read(("wrist",)))
    assert "side" in caught.value.way_out


def test_older_version_is_refused(tmp_path):
    shutil.copytree(REFERENCE / "ref_video/meta", tmp_path / "meta")
    info = json.loads((tmp_path / "meta/info.json").read_text())
    (tmp_path / "meta/info.json").write_text(json.dumps(info | {"codebase_version": "v2.1"}))
    with pytest.raises(UserError, match=r"v2\.1; v3\.0 is read"):
        Reader(tmp_path)


def test_folder_without_dataset_is_refused(tmp_path):
    with pytest.raises(UserError, match="is no LeRobotDataset"):
        Reader(tmp_path)


def test_dataset_without_episodes_is_refused(tmp_path):
    shutil.copytree(REFERENCE / "ref_video/meta", tmp_path / "meta")
    shutil.rmtree(tmp_path / "meta/episodes")
    with pytest.raises(UserError, match=str(tmp_path)):
        Reader(tmp_path)


def test_missing_frames_are_noticed(written, tmp_path):
    shutil.copytree(written, tmp_path / "cut")
    path = tmp_path / "cut/data/chunk-000/file-000.parquet"
    pd.read_parquet(path).iloc[:-1].to_parquet(path)
    with pytest.raises(UserError, match=r"episode 2 has 8 frames, its metadata says 9"):
        list(Reader(tmp_path / "cut").read(("side",)))


def test_video_without_picture_at_a_time_is_refused(tmp_path):
    path = tmp_path / "video.mp4"
    encode_video(path, iter(np.zeros((10, 32, 32, 3), np.uint8)), 20)
    assert decode_video(path, np.array([0.1, 0.15])).shape == (2, 32, 32, 3)
    with pytest.raises(UserError, match="no picture at"):
        decode_video(path, np.array([0.11]))
    with pytest.raises(UserError, match="ends too early"):
        decode_video(path, np.array([0.4, 0.45, 0.5]))


def test_written_dataset_reads_back_exactly(written, episodes):
    found = list(Reader(written).read(("top", "side")))
    for one, other in zip(found, episodes, strict=True):
        for camera in ("side", "top"):
            assert np.array_equal(one.frames[camera], other.frames[camera])
        assert np.array_equal(one.state, other.state)
        assert np.array_equal(one.action, other.action)
        assert (one.instruction, one.seed) == (other.instruction, other.seed)


def test_writing_twice_gives_the_same_bytes(written, episodes, tmp_path):
    write_dataset(tmp_path / "again", episodes, SENTENCES, 20, NAMES, "arm")
    first, second = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (written, tmp_path / "again")
    )
    assert first == second
    assert len(first) == 7


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory) -> Path:
    """The reference's own episodes, as this writer writes them."""
    reader = Reader(REFERENCE / "ref_image")
    folder = tmp_path_factory.mktemp("rewritten") / "dataset"
    write_dataset(folder, list(reader.read(("side",))), reader.sentences, 20, NAMES, "arm")
    return folder


def test_info_has_the_form_of_lerobots(rewritten):
    ours, theirs = (
        json.loads((folder / "meta/info.json").read_text())
        for folder in (rewritten, REFERENCE / "ref_video")
    )
    codec = {"video.codec", "video.pix_fmt"}  # lossless H.264 rather than AV1
    for info in (ours, theirs):
        for name in codec:
            del info["features"][CAMERA]["info"][name]
        del info["robot_type"]
    assert ours == theirs


def test_columns_are_those_of_lerobots(rewritten):
    def types(folder: Path, name: str) -> dict:
        schema = pq.read_schema(folder / name)
        return dict(zip(schema.names, schema.types, strict=True))

    reference = REFERENCE / "ref_video"
    data = "data/chunk-000/file-000.parquet"
    assert types(rewritten, data) == types(reference, data)
    # Moments of bookkeeping columns, such as the mean frame index, are not written.
    features = ("stats/observation.", "stats/action/")
    name = "meta/episodes/chunk-000/file-000.parquet"
    wanted = {
        column: kind
        for column, kind in types(reference, name).items()
        if not column.startswith("stats/") or column.startswith(features)
    }
    assert {column: types(rewritten, name).get(column) for column in wanted} == wanted


def test_statistics_are_those_of_lerobot(rewritten):
    ours, theirs = (
        json.loads((folder / "meta/stats.json").read_text())
        for folder in (rewritten, REFERENCE / "ref_image")
    )
    for key in NAMES:
        assert ours[key].keys() == theirs[key].keys()
        for moment in ("min", "max", "mean", "std", "count"):
            assert np.allclose(ours[key][moment], theirs[key][moment], atol=1e-4)
    assert np.shape(ours[CAMERA]["mean"]) == np.shape(theirs[CAMERA]["mean"]) == (3, 1, 1)
    assert np.allclose(ours[CAMERA]["mean"], theirs[CAMERA]["mean"], atol=0.01)
