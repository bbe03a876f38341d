"""Write LeRobotDataset v3.0 to disk, with lossless video, without the lerobot package."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vla.data.episode import Episode
from vla.data.formats.lerobot_v3.reader import IMAGE_PREFIX
from vla.files.atomic import write_json


def encode_video(path: Path, frames: Iterator[np.ndarray], fps: int) -> None:
    """Lossless H.264 in RGB (High 4:4:4 Predictive, qp 0), so that pixels come back exactly."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=fps)
        stream.pix_fmt = "rgb24"
        # One thread and fixed options: the same frames give the same file.
        stream.options = {"qp": "0", "preset": "slow", "g": "50", "threads": "1"}
        stream.time_base = Fraction(1, fps)
        for picture in frames:
            stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_dataset(
    folder: Path,
    episodes: list[Episode],
    sentences: pd.DataFrame,
    fps: int,
    names: dict[str, list[str]],
    robot: str,
) -> None:
    """Write `episodes` as LeRobotDataset v3.0 with one data file and one video a camera.

    `sentences`: what `meta/tasks.parquet` will hold, as `Reader.sentences`; `names`: names of the
    dimensions of `observation.state` and `action`; `robot`: the robot's name.
    """
    (folder / "meta/episodes/chunk-000").mkdir(parents=True)
    (folder / "data/chunk-000").mkdir(parents=True)
    task_index = sentences["task_index"].to_dict()
    rows, metas, start = [], [], 0
    for number, episode in enumerate(episodes):
        length = len(episode.action)
        meta: dict[str, Any] = {
            "episode_index": number,
            "tasks": [episode.instruction],
            "length": length,
            "seed": episode.seed,
            "data/chunk_index": 0,
            "data/file_index": 0,
            "dataset_from_index": start,
            "dataset_to_index": start + length,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        for camera in episode.frames:
            meta |= {
                f"videos/{IMAGE_PREFIX}{camera}/chunk_index": 0,
                f"videos/{IMAGE_PREFIX}{camera}/file_index": 0,
                f"videos/{IMAGE_PREFIX}{camera}/from_timestamp": start / fps,
                f"videos/{IMAGE_PREFIX}{camera}/to_timestamp": (start + length) / fps,
            }
        for key, values in _statistics([episode]).items():
            meta |= {f"stats/{key}/{name}": value for name, value in values.items()}
        metas.append(meta)
        rows.append(
            pd.DataFrame(
                {
                    "observation.state": list(episode.state),
                    "action": list(episode.action),
                    "timestamp": (np.arange(length) / fps).astype(np.float32),
                    "frame_index": np.arange(length),
                    "episode_index": number,
                    "index": np.arange(start, start + length),
                    "task_index": task_index[episode.instruction],
                }
            )
        )
        start += length
    table = pd.concat(rows, ignore_index=True)
    _write_parquet(folder / "data/chunk-000/file-000.parquet", table)
    _write_parquet(folder / "meta/episodes/chunk-000/file-000.parquet", pd.DataFrame(metas))
    sentences.to_parquet(folder / "meta/tasks.parquet")
    write_json(folder / "meta/stats.json", _statistics(episodes))
    for camera in episodes[0].frames:
        path = folder / f"videos/{IMAGE_PREFIX}{camera}/chunk-000/file-000.mp4"
        path.parent.mkdir(parents=True)
        encode_video(path, (f for e in episodes for f in e.frames[camera]), fps)
    write_json(folder / "meta/info.json", _info(episodes, sentences, fps, names, robot, start))


def _info(
    episodes: list[Episode],
    sentences: pd.DataFrame,
    fps: int,
    names: dict[str, list[str]],
    robot: str,
    total_frames: int,
) -> dict[str, Any]:
    scalar = {"shape": [1], "names": None}
    features: dict[str, Any] = {}
    for camera, frames in episodes[0].frames.items():
        height, width = frames.shape[1:3]
        features[IMAGE_PREFIX + camera] = {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channel"],
            "info": {
                "video.height": height,
                "video.width": width,
                "video.codec": "h264",
                "video.pix_fmt": "gbrp",
                "video.is_depth_map": False,
                "video.fps": fps,
                "video.channels": 3,
                "has_audio": False,
            },
        }
    for key, values in names.items():
        features[key] = {"dtype": "float32", "shape": [len(values)], "names": values}
    features["timestamp"] = {"dtype": "float32", **scalar}
    for key in ("frame_index", "episode_index", "index", "task_index"):
        features[key] = {"dtype": "int64", **scalar}
    return {
        "codebase_version": "v3.0",
        "robot_type": robot,
        "total_episodes": len(episodes),
        "total_frames": total_frames,
        "total_tasks": len(sentences),
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": features,
    }


def _statistics(episodes: list[Episode]) -> dict[str, dict[str, Any]]:
    """LeRobot's `stats.json`: each feature's moments and quantiles; pictures a channel, in [0, 1]."""
    columns = {
        "observation.state": np.concatenate([e.state for e in episodes]).astype(np.float64),
        "action": np.concatenate([e.action for e in episodes]).astype(np.float64),
    }
    result = {key: _moments(values) for key, values in columns.items()}
    for camera in episodes[0].frames:
        pixels = np.concatenate([e.frames[camera][::5].reshape(-1, 3) for e in episodes]) / 255.0
        moments = _moments(pixels)
        result[IMAGE_PREFIX + camera] = {
            name: value if name == "count" else np.reshape(value, (3, 1, 1)).tolist()
            for name, value in moments.items()
        }
    return result


def _moments(values: np.ndarray) -> dict[str, list]:
    quantiles = np.quantile(values, [0.01, 0.1, 0.5, 0.9, 0.99], axis=0)
    return {
        "min": values.min(0).tolist(),
        "max": values.max(0).tolist(),
        "mean": values.mean(0).tolist(),
        "std": values.std(0).tolist(),
        "count": [len(values)],
        **dict(zip(("q01", "q10", "q50", "q90", "q99"), quantiles.tolist(), strict=True)),
    }


def _write_parquet(path: Path, table: pd.DataFrame) -> None:
    for column in ("observation.state", "action"):
        if column in table:
            table[column] = table[column].map(lambda value: value.astype(np.float32).tolist())
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    for column in ("observation.state", "action"):
        if column in table:
            width = len(table[column].iloc[0])
            position = arrow.schema.get_field_index(column)
            cast = arrow.column(column).cast(pa.list_(pa.float32(), width))
            arrow = arrow.set_column(position, column, cast)
    pq.write_table(arrow, path)
