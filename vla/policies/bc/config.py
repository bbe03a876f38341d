"""`model` of behaviour cloning."""

from typing import Literal

from vla.policies.parts.config import FusedConfig


class Config(FusedConfig):
    """Behaviour cloning: L1 regression of action chunks."""

    type: Literal["BC"] = "BC"
    """Policy family."""
