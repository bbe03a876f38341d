"""Checkpoints in the layout that OpenVLA publishes, for tests: its own text files, weights drawn by name.

tests/data/openvla/README.md says how the data came to be.
"""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

DATA = Path(__file__).parent / "data/openvla"
CASES = ("fused", "single")
NOT_COPIED = ("golden.safetensors", "shapes.json")
EVERY = 4  # row and column of tensorflow.safetensors
PERIOD = 65521  # a prime: rows of a weight differ
ACTION_TOKENS = slice(31744, 32000)  # of Llama's vocabulary


def draw(name: str, shape: tuple[int, ...]) -> Tensor:
    """A weight by its name, bf16: NumPy guarantees that this generator gives the same bits everywhere.

    What is large repeats itself, so that it is drawn fast.
    """
    raw = np.random.PCG64(zlib.crc32(name.encode())).random_raw(PERIOD // 4 + 1)
    values = torch.from_numpy(raw.view(np.int16)[:PERIOD]).float() / 2**15
    if name.endswith("lm_head.weight"):
        values *= 0.2
    elif "norm" in name and name.endswith("weight"):
        values = 1 + values / 4
    elif name.endswith("scale_factor"):
        values = 0.5 + values / 4
    elif len(shape) > 1 and not name.endswith(("token", "embed", "latent", "embed_tokens.weight")):
        values *= (3 / np.prod(shape[1:])) ** 0.5
    else:
        values *= 0.5
    count = int(np.prod(shape))
    weight = values.bfloat16().repeat(-(-count // PERIOD))[:count].view(shape).clone()
    if name.endswith("lm_head.weight"):  # the policy shall say what it was trained to say
        weight[: ACTION_TOKENS.start] *= 0.125
        weight[ACTION_TOKENS.stop :] *= 0.125
    return weight


def draw_picture(number: int, size: int) -> np.ndarray:
    """Patches of colour and some noise: uint8 (size, size, 3)."""
    raw = np.random.PCG64(number).random_raw(8 * 8 * 3 + size * size * 3).astype(np.uint64)
    coarse = (raw[:192] >> np.uint64(56)).reshape(8, 8, 3).astype(int)
    noise = (raw[192:] >> np.uint64(59)).reshape(size, size, 3).astype(int) - 16
    places = np.arange(size) * 8 // size
    return (coarse[places][:, places] + noise).clip(0, 255).astype(np.uint8)


def write_checkpoint(case: str, folder: Path, shards: int = 3) -> Path:
    """The whole checkpoint of a case, in `folder`."""
    folder.mkdir(parents=True)
    for file in (DATA / case).iterdir():
        if file.name not in NOT_COPIED:
            shutil.copy(file, folder)
    shapes = json.loads((DATA / case / "shapes.json").read_text())
    names, placed = list(shapes), {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        here = names[number * len(names) // shards : (number + 1) * len(names) // shards]
        save_file({n: draw(n, tuple(shapes[n])) for n in here}, folder / file, {"format": "pt"})
        placed |= dict.fromkeys(here, file)
    index = {"metadata": {}, "weight_map": placed}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder
