"""Vision transformers up to their last block but one, as OpenVLA reads them.

Names and shapes of the weights are timm's (`VisionTransformer`, DINOv2 with registers: Darcet et al. 2023,
arXiv 2309.16588; SigLIP: Zhai et al. 2023, arXiv 2303.15343), with OpenVLA's `scale_factor` for layer scale.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vla.policies.openvla.architecture import Tower

EPS = 1e-6  # timm's, of every layer norm


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        parts = self.qkv(tokens).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.proj(attended.transpose(1, 2).flatten(2))


class LayerScale(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.scale_factor = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.scale_factor


class Block(nn.Module):
    """Pre-norm, with exact GELU (not the approximation by tanh that SigLIP was trained with)."""

    def __init__(self, tower: Tower):
        super().__init__()
        width, inner = tower.width, tower.mlp_width
        self.norm1 = nn.LayerNorm(width, EPS)
        self.attn = Attention(width, tower.heads)
        self.ls1 = LayerScale(width) if tower.layer_scale else nn.Identity()
        self.norm2 = nn.LayerNorm(width, EPS)
        layers = {"fc1": nn.Linear(width, inner), "act": nn.GELU(), "fc2": nn.Linear(inner, width)}
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.ls2 = LayerScale(width) if tower.layer_scale else nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        return tokens + self.ls2(self.mlp(self.norm2(tokens)))


class VisionTransformer(nn.Module):
    """float (batch, 3, picture, picture) -> (batch, (picture // patch)^2, width)."""

    def __init__(self, tower: Tower):
        super().__init__()
        width, patch = tower.width, tower.patch
        self.patch_embed = nn.Sequential(OrderedDict(proj=nn.Conv2d(3, width, patch, patch)))
        self.pos_embed = nn.Parameter(torch.zeros(1, (tower.picture // patch) ** 2, width))
        self.registers = tower.registers
        if tower.registers:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
            self.reg_token = nn.Parameter(torch.zeros(1, tower.registers - 1, width))
        self.blocks = nn.Sequential(*(Block(tower) for _ in range(tower.layers - 1)))

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.patch_embed(pixels).flatten(2).transpose(1, 2) + self.pos_embed
        if self.registers:
            before = torch.cat([self.cls_token, self.reg_token], 1)
            tokens = torch.cat([before.expand(len(tokens), -1, -1), tokens], 1)
        return self.blocks(tokens)[:, self.registers :]
