"""`model` of RT-1-style policies."""

from typing import Annotated, Literal

from pydantic import Field

from vla.policies.parts.config import FusedConfig


class Config(FusedConfig):
    """RT-1's actions: every action dimension is one of `num_bins` tokens of their own."""

    type: Literal["RT1"] = "RT1"
    """Policy family."""
    num_bins: Annotated[int, Field(ge=2)] = 256
    """Bins an action dimension."""
