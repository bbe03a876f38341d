"""Read LeRobotDataset v3.0 from disk, without the lerobot package.

Format: huggingface.co/docs/lerobot, "LeRobotDataset v3.0". Many episodes share a Parquet file and
a video file; `meta/` says where each begins.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pandas as pd

from vla.data.episode import Episode
from vla.data.formats.lerobot_v3.shape import IMAGE_PREFIX
from vla.data.formats.protocol import DatasetReader, Task
from vla.errors import UserError

TIMESTAMP_TOLERANCE = 1e-4  # seconds between a frame's timestamp and the decoded picture


class Reader(DatasetReader):
    """A dataset in v3.0 layout, opened for reading."""

    def __init__(self, folder: Path):
        self.folder = folder
        try:
            self.info = json.loads((folder / "meta/info.json").read_text())
            self.sentences = pd.read_parquet(folder / "meta/tasks.parquet")
        except (OSError, ValueError) as error:
            raise UserError(f"{folder} is no LeRobotDataset: {error}", "Check its path.") from None
        version = str(self.info.get("codebase_version"))
        if not version.startswith("v3."):
            raise UserError(
                f"{folder} is a LeRobotDataset {version}; v3.0 is read.",
                "Convert it with lerobot's convert_dataset_v21_to_v30.",
            )
        files = sorted((folder / "meta/episodes").rglob("*.parquet"))
        if not files:
            raise UserError(f"{folder} lists no episodes in meta/episodes.", "Fetch it again.")
        self.episodes = pd.concat([pd.read_parquet(file) for file in files]).sort_values(
            "episode_index"
        )

    def tasks(self) -> list[Task]:
        """Sentences by task. A dataset that does not group paraphrases has one task a sentence.

        `meta/tasks.parquet` has one row a sentence (index) and, where the dataset groups them,
        `task` (name in the simulator) and `held_out`.
        """
        table = self.sentences.copy()
        if "task" not in table:
            table["task"] = table.index
        if "held_out" not in table:
            table["held_out"] = False
        return [
            Task(
                name,
                tuple(rows.index[~rows["held_out"].astype(bool)]),
                tuple(rows.index[rows["held_out"].astype(bool)]),
            )
            for name, rows in table.groupby("task", sort=False)
        ]

    def lengths(self) -> list[int]:
        return self.episodes["length"].tolist()

    def read(self, cameras: tuple[str, ...], episodes: range | None = None) -> Iterator[Episode]:
        for camera in cameras:
            if IMAGE_PREFIX + camera not in self.info["features"]:
                valid = [
                    name.removeprefix(IMAGE_PREFIX)
                    for name in self.info["features"]
                    if name.startswith(IMAGE_PREFIX)
                ]
                raise UserError(
                    f"{self.folder} has no camera {camera!r}.",
                    f"Set data.cameras to some of: {', '.join(valid)}.",
                )
        sentence_of = dict(zip(self.sentences["task_index"], self.sentences.index, strict=True))
        tables: dict[tuple[int, int], pd.DataFrame] = {}
        chosen = self.episodes if episodes is None else self.episodes.iloc[list(episodes)]
        for _, meta in chosen.iterrows():
            place = (meta["data/chunk_index"], meta["data/file_index"])
            if place not in tables:
                tables = {place: self._read_table(*place)}  # episodes come in file order
            table = tables[place]
            rows = table[table["episode_index"] == meta["episode_index"]]
            if len(rows) != meta["length"]:
                raise UserError(
                    f"{self.folder}: episode {meta['episode_index']} has {len(rows)} frames, "
                    f"its metadata says {meta['length']}.",
                    "The dataset is damaged: fetch it again.",
                )
            yield Episode(
                frames={camera: self._frames(camera, meta, rows) for camera in cameras},
                state=np.stack(rows["observation.state"].to_list()).astype(np.float32),
                action=np.stack(rows["action"].to_list()).astype(np.float32),
                instruction=sentence_of[rows["task_index"].iloc[0]],
                seed=int(meta.get("seed", -1)),
            )

    def _read_table(self, chunk: int, file: int) -> pd.DataFrame:
        path = self.info["data_path"].format(chunk_index=chunk, file_index=file)
        return pd.read_parquet(self.folder / path)

    def _frames(self, camera: str, meta: pd.Series, rows: pd.DataFrame) -> np.ndarray:
        key = IMAGE_PREFIX + camera
        if self.info["features"][key]["dtype"] == "image":
            return np.stack([_decode_image(cell["bytes"]) for cell in rows[key]])
        path = self.folder / self.info["video_path"].format(
            video_key=key,
            chunk_index=meta[f"videos/{key}/chunk_index"],
            file_index=meta[f"videos/{key}/file_index"],
        )
        start = meta[f"videos/{key}/from_timestamp"]
        return decode_video(path, start + rows["timestamp"].to_numpy(dtype=np.float64))


def _decode_image(content: bytes) -> np.ndarray:
    with av.open(io.BytesIO(content), format="png_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def decode_video(path: Path, timestamps: np.ndarray) -> np.ndarray:
    """Pictures at ascending `timestamps` (s): uint8 (n, height, width, 3).

    Seeks to the key frame before the first, decodes forward, takes the nearest picture and
    raises `UserError` when none is within `TIMESTAMP_TOLERANCE`.
    """
    pictures: list[np.ndarray] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        half = 0.5 / float(stream.average_rate)
        container.seek(
            max(0, int((timestamps[0] - half) / stream.time_base)), stream=stream, backward=True
        )
        for frame in container.decode(stream):
            if len(pictures) == len(timestamps):
                break
            if frame.time < timestamps[len(pictures)] - half:
                continue
            difference = abs(frame.time - timestamps[len(pictures)])
            if difference > TIMESTAMP_TOLERANCE:
                raise UserError(
                    f"{path} has no picture at {timestamps[len(pictures)]:.4f} s "
                    f"(nearest {difference:.4f} s away).",
                    "The dataset is damaged: fetch it again.",
                )
            pictures.append(frame.to_ndarray(format="rgb24"))
    if len(pictures) < len(timestamps):
        raise UserError(f"{path} ends too early.", "The dataset is damaged: fetch it again.")
    return np.stack(pictures)
