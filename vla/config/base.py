"""The base of all configuration models."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Frozen, refuses unknown keys; the text below an attribute is its documentation.

    Attribute docstrings rather than `Field(description=...)`: run keys leave docstrings out,
    so that a better explanation never reruns an experiment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
