"""`model` of OpenVLA-OFT."""

from typing import Literal

from vla.policies.parts.vlm.config import DISTRIBUTIONS as DISTRIBUTIONS
from vla.policies.parts.vlm.config import VLMConfig


class Config(VLMConfig):
    """OpenVLA-OFT: a vision-language model gives all actions of a chunk in one pass, as numbers."""

    type: Literal["OFT"] = "OFT"
    """Policy family."""
