"""`model` of flow-matching policies."""

from typing import Literal

from pydantic import PositiveInt

from vla.config.base import Section
from vla.policies.parts.vlm.config import DISTRIBUTIONS as DISTRIBUTIONS
from vla.policies.parts.vlm.config import VLMConfig


class ExpertSection(Section):
    """The action expert: as many blocks and heads as the language model, whose keys and values it reads."""

    width: PositiveInt = 512
    """Width of every action token (features); even."""
    mlp_width: PositiveInt = 1408
    """Width inside each block's gated MLP."""


class Config(VLMConfig):
    """π0: an action expert reads a vision-language model, and turns noise into a chunk of actions."""

    type: Literal["flow"] = "flow"
    """Policy family."""
    expert: ExpertSection = ExpertSection()
    """The action expert."""
    integration_steps: PositiveInt = 10
    """Steps from noise to actions (Euler), each a pass of the expert."""
