"""The settings of families that take their words from a pretrained embedding."""

from typing import Annotated

from pydantic import Field

from vla.policies.parts.config import FusedConfig

DISTRIBUTIONS = ("tokenizers",)


class PretrainedWordsConfig(FusedConfig):
    """A policy that fuses tokens, and whose word vectors are pretrained."""

    word_weights: Annotated[str, Field(min_length=1, json_schema_extra={"registry": "weights"})]
    """The word embedding with its tokenizer: a name in `config/weights.yaml`. It stays frozen; a projection to the fusing transformer's width learns."""
