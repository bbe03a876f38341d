"""Pictures as OpenVLA's evaluation and its processor prepare them, computed with Pillow and NumPy.

First as `experiments/robot` does: a JPEG and back, since the training data was stored so; Lanczos to 224
pixels; where asked for, the middle of the picture, drawn at 224 again. Then, for each vision tower, as
`preprocessor_config.json` says. Differences from TensorFlow's pixels: docs/published_policies.md.
"""

import io
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, PositiveInt

from vla.errors import UserError
from vla.policies.openvla.architecture import parse_json, validated

SIZE = 224  # pixels, whatever the towers see
QUALITY = 95  # TensorFlow's default, which also halves the resolution of colours
CROPPED_AREA = 0.9
Channels = tuple[float, float, float]
Pair = tuple[PositiveInt, PositiveInt]


class Resize(BaseModel):
    """`size`: of the shorter side, or of both (pixels); `interpolation`: Pillow's number for it."""

    size: PositiveInt | Pair
    interpolation: Literal[0, 1, 2, 3, 4, 5]


class Crop(BaseModel):
    output_size: Pair


class Normalize(BaseModel):
    mean: Channels
    std: Channels


class Settings(BaseModel):
    """What OpenVLA's `PrismaticImageProcessor` works by, one of each for a vision tower.

    The pictures are square by then, so that `letterbox` adds nothing, `resize-crop` cuts nothing off, and
    both do what `resize-naive` does.
    """

    tvf_resize_params: tuple[Resize, ...]
    tvf_crop_params: tuple[Crop, ...]
    tvf_normalize_params: tuple[Normalize, ...]


class Pictures:
    """uint8 (3, any, any) -> float32 (3 x towers, size, size).

    `text`: of preprocessor_config.json; `sizes`: of the towers' pictures (pixels); `center_crop`: show
    the middle 90 % of the area. `UserError` that names `source` where its sizes are others.
    """

    def __init__(self, text: str, sizes: tuple[int, ...], center_crop: bool, source: object):
        settings = validated(Settings, parse_json(text, source), source)
        said = [
            {*(one.size if isinstance(one.size, tuple) else (one.size,)), *crop.output_size}
            for one, crop in zip(settings.tvf_resize_params, settings.tvf_crop_params, strict=False)
        ]
        if said != [{size} for size in sizes] or len(settings.tvf_normalize_params) != len(sizes):
            raise UserError(
                f"{source} prepares pictures for {said}, config.json says {list(sizes)} (image_sizes).",
                "The files are not of one checkpoint: bring its folder anew.",
            )
        self._center_crop = center_crop
        self._towers = [
            (size, resize.interpolation, *(_channels(values) for values in (norm.mean, norm.std)))
            for size, resize, norm in zip(
                sizes, settings.tvf_resize_params, settings.tvf_normalize_params, strict=True
            )
        ]

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        shown = as_stored(np.ascontiguousarray(picture.transpose(1, 2, 0)))
        return self.for_towers(crop_center(shown) if self._center_crop else shown)

    def for_towers(self, shown: np.ndarray) -> np.ndarray:
        """What `PrismaticImageProcessor` makes of a picture: uint8 (any, any, 3), of equal sides."""
        parts = []
        for size, interpolation, mean, std in self._towers:
            resized = Image.fromarray(shown).resize((size, size), interpolation)
            parts.append(((np.asarray(resized, np.float32) / 255).transpose(2, 0, 1) - mean) / std)
        return np.concatenate(parts)


def as_stored(picture: np.ndarray) -> np.ndarray:
    """A simulator's picture as OpenVLA's training data has it: uint8 (any, any, 3) -> (224, 224, 3)."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=QUALITY, subsampling="4:2:0")
    # As numbers: Pillow would round and clip bytes after the rows and again after the columns.
    channels = [np.asarray(one, np.float32) for one in Image.open(file).split()]
    small = [
        Image.fromarray(one).resize((SIZE, SIZE), Image.Resampling.LANCZOS) for one in channels
    ]
    return np.rint(np.stack(small, -1)).clip(0, 255).astype(np.uint8)


def crop_center(picture: np.ndarray) -> np.ndarray:
    """The middle 90 % of the area of a square picture at its size: uint8 (size, size, 3), the same.

    Bilinear, in fp32 and rounded down as TensorFlow's `crop_and_resize` and `convert_image_dtype` do.
    """
    last = np.float32(len(picture) - 1)
    side = np.sqrt(np.float32(CROPPED_AREA))
    start = (1 - side) / 2
    step = (start + side - start) * last / last
    places = start * last + np.arange(len(picture), dtype=np.float32) * step
    low = np.floor(places).astype(int)
    high, part = np.ceil(places).astype(int), (places - low).astype(np.float32)
    values = picture.astype(np.float32) * np.float32(1 / 255)
    across = part[None, :, None]
    columns = values[:, low] + (values[:, high] - values[:, low]) * across
    rows = columns[low] + (columns[high] - columns[low]) * part[:, None, None]
    return np.minimum(rows * np.float32(255.5), 255).astype(np.uint8)


def _channels(values: Channels) -> np.ndarray:
    return np.array(values, np.float32)[:, None, None]
