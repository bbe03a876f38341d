"""Transformer blocks."""

from torch import nn


def self_attention(width: int, heads: int, layers: int) -> nn.TransformerEncoder:
    """Pre-norm transformer blocks with a final norm: (batch, tokens, width) -> the same."""
    block = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(
        block, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
    )


def cross_attention(width: int, heads: int, layers: int) -> nn.TransformerDecoder:
    """Pre-norm transformer blocks with a final norm, in which (batch, queries, width) read tokens
    (batch, tokens, width)."""
    block = nn.TransformerDecoderLayer(
        width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerDecoder(block, layers, norm=nn.LayerNorm(width))
