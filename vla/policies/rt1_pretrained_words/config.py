"""`model` of RT-1-style policies with pretrained word vectors."""

from typing import Annotated, Literal

from pydantic import Field

from vla.policies.parts.pretrained_words.config import DISTRIBUTIONS as DISTRIBUTIONS
from vla.policies.parts.pretrained_words.config import PretrainedWordsConfig


class Config(PretrainedWordsConfig):
    """`RT1` that takes its words from a pretrained embedding."""

    type: Literal["RT1-pretrained-words"] = "RT1-pretrained-words"
    """Policy family."""
    num_bins: Annotated[int, Field(ge=2)] = 256
    """Bins an action dimension."""
