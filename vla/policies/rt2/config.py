"""`model` of RT-2."""

from typing import Annotated, Literal

from pydantic import Field

from vla.policies.parts.vlm.config import DISTRIBUTIONS as DISTRIBUTIONS
from vla.policies.parts.vlm.config import VLMConfig


class Config(VLMConfig):
    """RT-2: a vision-language model writes every action dimension as one of `num_bins` tokens of its vocabulary."""

    type: Literal["RT2"] = "RT2"
    """Policy family."""
    num_bins: Annotated[int, Field(ge=2)] = 256
    """Bins an action dimension, each a token: the least used ones of the vocabulary."""
    order: Literal["sequential", "parallel"] = "sequential"
    """Tokens of a chunk one after another, each seeing those before it, or all at once."""
