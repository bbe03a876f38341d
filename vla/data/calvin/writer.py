"""Write demonstrations in CALVIN's own layout, the same bytes for the same content."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from vla.data.calvin.layout import ANNOTATIONS, SPLITS, frame_file

EPOCH = (1980, 1, 1, 0, 0, 0)  # the time that every member of an archive carries


@dataclass(frozen=True)
class Recording:
    """One demonstration: `frames`, one a control step, with the arrays of CALVIN's npz by name."""

    task: str
    sentence: str
    frames: tuple[dict[str, np.ndarray], ...]


def write_split(
    folder: Path, split: str, recordings: Sequence[Recording], first: int, scene: str
) -> int:
    """Write a split whose frames are numbered from `first`; returns the number behind its last.

    One recording is one episode and one annotated window; sentence embeddings are left out (`emb` is
    an empty array): they are a language model's, and no reader here uses them.
    """
    target = folder / split
    (target / ANNOTATIONS).parent.mkdir(parents=True)
    number, ids = first, []
    for recording in recordings:
        begin = number
        for frame in recording.frames:
            frame_file(target, number).write_bytes(_archive(frame))
            number += 1
        ids.append((begin, number - 1))
    language = {
        "ann": [recording.sentence for recording in recordings],
        "task": [recording.task for recording in recordings],
        "emb": np.zeros((len(recordings), 0), np.float32),
    }
    annotations = {"language": language, "info": {"episodes": [], "indx": ids}}
    np.save(target / ANNOTATIONS, np.array(annotations, dtype=object), allow_pickle=True)
    np.save(target / "ep_start_end_ids.npy", np.array(ids).reshape(-1, 2))
    np.save(target / "ep_lens.npy", np.array([last - begin + 1 for begin, last in ids]))
    if recordings:
        _write_statistics(target / "statistics.yaml", recordings)
    if split == SPLITS[0]:
        scenes = {f"calvin_scene_{scene}": [first, number - 1]}
        np.save(target / "scene_info.npy", np.array(scenes, dtype=object), allow_pickle=True)
    return number


def _archive(frame: dict[str, np.ndarray]) -> bytes:
    """An npz that NumPy reads.

    NumPy's own would hold the time at which it was written. Not compressed: another release of zlib
    compresses to other bytes, and pinned ones must come back on any machine.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, values in frame.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), member.getvalue())
    return stream.getvalue()


def _write_statistics(path: Path, recordings: Sequence[Recording]) -> None:
    """Mean and spread of states and the range of actions, as CALVIN's loader normalises by them."""

    def column(name: str) -> np.ndarray:
        return np.stack([frame[name] for recording in recordings for frame in recording.frames])

    def normalised(name: str) -> list[dict[str, Any]]:
        values = column(name)
        target = "calvin_agent.utils.transforms.NormalizeVector"
        return [
            {"_target_": target, "mean": values.mean(0).tolist(), "std": values.std(0).tolist()}
        ]

    actions = column("actions")
    content = {
        "robot_obs": normalised("robot_obs"),
        "scene_obs": normalised("scene_obs"),
        "act_max_bound": actions.max(0).tolist(),
        "act_min_bound": actions.min(0).tolist(),
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False))
