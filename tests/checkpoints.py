"""Checkpoints as LeRobot writes them, for tests: its own text files, weights drawn by name.

tests/data/lerobot_act/README.md says how the data came to be.
"""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.project import ROOT

DATA = ROOT / "tests/data/lerobot_act"
CASES = ("mean_std", "min_max")


def draw(name: str, shape: tuple[int, ...]) -> Tensor:
    """A weight by its name: NumPy guarantees that this generator gives the same numbers everywhere."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        values = random.uniform(0.5, 1.5, shape)
    elif name.endswith(("bn1.weight", "bn2.weight", "downsample.1.weight")):
        values = random.uniform(0.5, 1.0, shape)
    elif len(shape) > 1:
        values = random.standard_normal(shape) * (2 / np.prod(shape[1:])) ** 0.5
    else:
        values = random.standard_normal(shape) * 0.1
    return torch.from_numpy(np.asarray(values, np.float32))


def write_checkpoint(case: str, folder: Path) -> Path:
    """The whole checkpoint of a case, in `folder`."""
    folder.mkdir(parents=True)
    for file in (DATA / case).iterdir():
        if file.name not in ("golden.safetensors", "shapes.json"):
            shutil.copy(file, folder)
    shapes = json.loads((DATA / case / "shapes.json").read_text())
    save_file({n: draw(n, tuple(s)) for n, s in shapes.items()}, folder / "model.safetensors")
    return folder
