"""The base of all parts of records: values, and nothing else."""

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer


class Part(BaseModel):
    """Frozen, refuses unknown fields; the text below an attribute is its documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


# JSON has no NaN and no infinity: they are written as text, which is read as the number again.
Number = Annotated[float, PlainSerializer(_plain, when_used="json")]
