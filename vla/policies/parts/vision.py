"""Patch encoders: pictures -> image tokens.

ViT: Dosovitskiy et al. 2021 (arXiv 2010.11929), sizes of its table 1 and of Touvron et al. 2021
(Ti, S). ConvStem: patches by a few convolutions (Xiao et al. 2021, arXiv 2106.14881), no blocks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vla.errors import UserError
from vla.policies.parts.attention import self_attention

STRIDE = 16


@dataclass(frozen=True)
class ViTSize:
    width: int
    layers: int
    heads: int


VIT_SIZES = {
    "ViT-Ti/16": ViTSize(192, 12, 3),
    "ViT-S/16": ViTSize(384, 12, 6),
    "ViT-B/16": ViTSize(768, 12, 12),
    "ViT-L/16": ViTSize(1024, 24, 16),
}


class PatchEncoder(nn.Module):
    """float (batch, 3, size, size) in [-1, 1] -> (batch, (size / 16)^2, out_width)."""

    def __init__(self, name: str, image_size: int, out_width: int):
        super().__init__()
        if image_size % STRIDE:
            raise UserError(
                f"{name} cuts pictures into patches of 16 pixels; {image_size} is no multiple.",
                "Use pictures whose size is a multiple of 16.",
            )
        size = VIT_SIZES.get(name)
        width = size.width if size else out_width
        self.patches = (
            nn.Conv2d(3, width, STRIDE, STRIDE)
            if size
            else nn.Sequential(
                nn.Conv2d(3, width // 2, 8, 4, 2),
                nn.GELU(),
                nn.Conv2d(width // 2, width, 3, 2, 1),
                nn.GELU(),
                nn.Conv2d(width, width, 3, 2, 1),
            )
        )
        self.tokens = (image_size // STRIDE) ** 2
        self.position = nn.Parameter(torch.randn(1, self.tokens, width) * 0.02)
        self.blocks = self_attention(width, size.heads, size.layers) if size else nn.Identity()
        self.project = nn.Linear(width, out_width) if width != out_width else nn.Identity()

    def forward(self, pictures: Tensor) -> Tensor:
        tokens = self.patches(pictures).flatten(2).transpose(1, 2)
        return self.project(self.blocks(tokens + self.position))
