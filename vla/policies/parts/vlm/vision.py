"""Vision towers of `transformers`: pictures -> features of their patches.

Fresh ViTs (Dosovitskiy et al. 2021, arXiv 2010.11929) in the sizes of its table 1 and of Touvron et al.
2021 (Ti, S); pretrained ViT, SigLIP (Zhai et al. 2023, arXiv 2303.15343), DINOv2 (Oquab et al. 2023,
arXiv 2304.07193).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    Dinov2Config,
    Dinov2Model,
    PreTrainedModel,
    SiglipVisionConfig,
    SiglipVisionModel,
    ViTConfig,
    ViTModel,
)

from vla.errors import UserError
from vla.policies.parts.vlm.pretrained import check_kind, load_model, make_config

SIZES = {"ViT-Ti": (192, 12, 3), "ViT-S": (384, 12, 6), "ViT-B": (768, 12, 12)}
SIZES |= {"ViT-L": (1024, 24, 16)}  # width, layers, heads
# model_type -> classes, and arguments that leave out what pools all patches into one feature
TOWERS = {
    "vit": (ViTConfig, ViTModel, {"add_pooling_layer": False}),
    "siglip_vision_model": (SiglipVisionConfig, SiglipVisionModel, {}),
    "dinov2": (Dinov2Config, Dinov2Model, {}),
}


@dataclass(frozen=True)
class Pixels:
    """What a tower takes: `size` (pixels), and the `mean` and `std` of its channels' values in [0, 1]."""

    size: int
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)


class VisionTower(nn.Module):
    """uint8 (batch, 3, any, any) -> float (batch, (size / patch)^2, width)."""

    def __init__(self, model: PreTrainedModel, pixels: Pixels):
        super().__init__()
        self.model, self.size = model, pixels.size
        self.width = model.config.hidden_size
        self.tokens = (pixels.size // model.config.patch_size) ** 2
        for name in ("mean", "std"):
            value = torch.tensor(getattr(pixels, name)).view(1, 3, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        scaled = pictures.float() / 255
        if scaled.shape[-2:] != (self.size, self.size):
            size = (self.size, self.size)
            scaled = F.interpolate(scaled, size, mode="bilinear", antialias=True)
        features = self.model(pixel_values=(scaled - self.mean) / self.std).last_hidden_state
        return features[:, -self.tokens :]  # ViT and DINOv2 put a token of the whole picture first


def fresh_tower(name: str, size: int) -> VisionTower:
    """A ViT such as ViT-B/16 for pictures of that size, with weights from PyTorch's global generator."""
    kind, _, patch = name.partition("/")
    if size % int(patch):
        raise UserError(
            f"{name} cuts pictures into patches of {patch} pixels; {size} is no multiple.",
            f"Set model.picture_size to one, such as {max(1, round(size / int(patch))) * int(patch)}.",
        )
    width, layers, heads = SIZES[kind]
    config = ViTConfig(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        image_size=size,
        patch_size=int(patch),
    )
    return VisionTower(ViTModel(config, add_pooling_layer=False), Pixels(size))


def pretrained_tower(assets: dict[str, str], folder: Path | None) -> VisionTower:
    """The tower that `config.json` among the assets describes; with `folder`'s weights, if given.

    `UserError` for other kinds, and when the weights are not that tower's.
    """
    content: dict[str, Any] = json.loads(assets["config.json"])
    content = content.get("vision_config", content)  # SigLIP: beside that of its text model
    kind = content.get("model_type", "siglip_vision_model")
    check_kind("vision tower", kind, TOWERS)
    config_class, model_class, arguments = TOWERS[kind]
    config = make_config(config_class, content)
    config.vision_use_head = False  # SigLIP's pooling
    model = load_model(model_class, config, folder, **arguments)
    said = json.loads(assets.get("preprocessor_config.json", "{}"))
    channels = {n: tuple(said[f"image_{n}"]) for n in ("mean", "std") if f"image_{n}" in said}
    return VisionTower(model, Pixels(config.image_size, **channels))
