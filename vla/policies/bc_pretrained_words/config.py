"""`model` of behaviour cloning with pretrained word vectors."""

from typing import Literal

from vla.policies.parts.pretrained_words.config import DISTRIBUTIONS as DISTRIBUTIONS
from vla.policies.parts.pretrained_words.config import PretrainedWordsConfig


class Config(PretrainedWordsConfig):
    """`BC` that takes its words from a pretrained embedding."""

    type: Literal["BC-pretrained-words"] = "BC-pretrained-words"
    """Policy family."""
