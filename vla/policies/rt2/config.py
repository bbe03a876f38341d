"""`model` of RT-2-style policies."""

from typing import Annotated, Literal

from pydantic import Field

from vla.policies.parts.config import FusedConfig


class Config(FusedConfig):
    """RT-2's actions: every action dimension is one of `num_bins` tokens."""

    type: Literal["RT2"] = "RT2"
    """Policy family."""
    num_bins: Annotated[int, Field(ge=2)] = 256
    """Bins an action dimension."""
