"""The Action Chunking Transformer (Zhao et al. 2023, arXiv 2304.13705) as it acts.

Names and shapes of the weights are those of LeRobot's `ACTPolicy` (0.1 to 0.4). Its variational
encoder serves training alone: a policy that acts takes the latent to be zero.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vla.policies.lerobot_act.architecture import Architecture
from vla.policies.lerobot_act.backbone import WIDTHS, ResNet

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


class Layer(nn.Module):
    """A transformer layer. Positions are added to queries and keys, never to values.

    `crosses`: whether it also attends to what an encoder gave.
    """

    def __init__(self, config: Architecture, crosses: bool):
        super().__init__()
        width, heads = config.dim_model, config.n_heads
        self.pre_norm, self.activation = config.pre_norm, ACTIVATIONS[config.feedforward_activation]
        self.self_attn = nn.MultiheadAttention(width, heads)
        self.multihead_attn = nn.MultiheadAttention(width, heads) if crosses else None
        self.linear1 = nn.Linear(width, config.dim_feedforward)
        self.linear2 = nn.Linear(config.dim_feedforward, width)
        for number in range(3 if crosses else 2):
            self.add_module(f"norm{number + 1}", nn.LayerNorm(width))

    def forward(
        self,
        tokens: Tensor,
        position: Tensor,
        seen: Tensor | None = None,
        where: Tensor | None = None,
    ) -> Tensor:
        """All (tokens, batch, width). `seen`, `where`: what the encoder gave, and its positions."""

        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x + position, x + position, x, need_weights=False)[0]

        def look(x: Tensor) -> Tensor:
            return self.multihead_attn(x + position, seen + where, seen, need_weights=False)[0]

        def think(x: Tensor) -> Tensor:
            return self.linear2(self.activation(self.linear1(x)))

        parts = [attend, look, think] if self.multihead_attn else [attend, think]
        for number, part in enumerate(parts):
            norm = getattr(self, f"norm{number + 1}")
            inner = part(norm(tokens)) if self.pre_norm else part(tokens)
            tokens = tokens + inner if self.pre_norm else norm(tokens + inner)
        return tokens


class Stack(nn.Module):
    """Layers, and a norm behind them."""

    def __init__(self, layers: list[Layer], norm: nn.Module):
        super().__init__()
        self.layers, self.norm = nn.ModuleList(layers), norm

    def forward(self, tokens: Tensor, *others: Tensor) -> Tensor:
        for layer in self.layers:
            tokens = layer(tokens, *others)
        return self.norm(tokens)


class ACT(nn.Module):
    """Pictures and state, both normalised -> chunk of normalised actions."""

    def __init__(self, config: Architecture):
        super().__init__()
        width = config.dim_model
        self.config = config
        self.backbone = ResNet(config.vision_backbone)
        self.encoder_img_feat_input_proj = nn.Conv2d(WIDTHS[-1], width, 1)
        self.encoder_latent_input_proj = nn.Linear(config.latent_dim, width)
        self.encoder_robot_state_input_proj = nn.Linear(config.state_dim, width)
        self.encoder_1d_feature_pos_embed = nn.Embedding(2, width)  # of the latent, of the state
        layers = [Layer(config, crosses=False) for _ in range(config.n_encoder_layers)]
        self.encoder = Stack(layers, nn.LayerNorm(width) if config.pre_norm else nn.Identity())
        layers = [Layer(config, crosses=True) for _ in range(config.n_decoder_layers)]
        self.decoder = Stack(layers, nn.LayerNorm(width))
        self.decoder_pos_embed = nn.Embedding(config.chunk_size, width)
        self.action_head = nn.Linear(width, config.action_dim)

    def forward(self, pictures: Tensor, state: Tensor) -> Tensor:
        """`pictures`: float (batch, cameras, 3, height, width); `state`: float (batch, state_dim).

        Returns float (batch, chunk, action_dim).
        """
        batch, cameras = pictures.shape[:2]
        latent = torch.zeros(batch, self.config.latent_dim, device=state.device)
        tokens = [
            self.encoder_latent_input_proj(latent),
            self.encoder_robot_state_input_proj(state),
        ]
        features = self.backbone(pictures.flatten(0, 1))
        places = grid_positions(*features.shape[2:], self.config.dim_model).to(features)
        features = self.encoder_img_feat_input_proj(features).flatten(2)
        # (batch x cameras, width, places) -> (cameras x places, batch, width)
        features = features.unflatten(0, (batch, cameras)).permute(1, 3, 0, 2).flatten(0, 1)
        seen = torch.cat([torch.stack(tokens), features])
        of_tokens = self.encoder_1d_feature_pos_embed.weight
        where = torch.cat([of_tokens, places.repeat(cameras, 1)])[:, None]
        seen = self.encoder(seen, where)
        queries = self.decoder_pos_embed.weight[:, None]
        blank = torch.zeros_like(queries).expand(-1, batch, -1)
        return self.action_head(self.decoder(blank, queries, seen, where)).transpose(0, 1)


def grid_positions(height: int, width: int, size: int) -> Tensor:
    """Sines and cosines of the places of a feature map: float32 (height x width, size).

    The first half of `size` tells the row, the second the column; rows and columns are counted from
    1 and scaled so that the last is 2 pi.
    """
    half = size // 2
    frequency = 10000 ** (2 * (torch.arange(half) // 2) / half)

    def waves(count: int) -> Tensor:
        steps = torch.arange(1, count + 1, dtype=torch.float32)
        angles = (steps / (count + 1e-6) * 2 * math.pi)[:, None] / frequency
        return torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], -1).flatten(1)

    rows, columns = waves(height)[:, None], waves(width)[None]
    both = [rows.expand(-1, width, -1), columns.expand(height, -1, -1)]
    return torch.cat(both, -1).flatten(0, 1)
