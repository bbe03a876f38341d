"""`model` of an Action Chunking Transformer that was trained with LeRobot."""

from typing import Literal

from pydantic import PositiveInt

from vla.config.imported import ImportedModel


class Config(ImportedModel):
    """An ACT checkpoint of LeRobot's, taken as it comes."""

    type: Literal["lerobot-act"] = "lerobot-act"
    """Policy family."""
    chunk_length: PositiveInt = 100
    """Actions predicted at once (control steps): the checkpoint's `chunk_size`, which is checked."""
