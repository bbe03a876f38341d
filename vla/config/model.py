"""`model`: what every policy has. Each family extends it in its own `config.py`."""

import re
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, PositiveInt

from vla.config.base import Section

DEFAULT_FAMILY = "BC"
SUFFIXES = {"K": 10**3, "M": 10**6, "B": 10**9}


def parse_count(value: object) -> object:
    """Read '300M', '0.5M' or '7B' as a number of parameters."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMB])", value.strip().upper())
        if not match:
            raise ValueError("write a number of parameters such as 530000, 0.5M, 300M or 7B")
        return round(float(match[1]) * SUFFIXES[match[2]])
    return value


Count = Annotated[int, Field(gt=0), BeforeValidator(parse_count)]


class ModelSection(Section):
    """The policy: image(s) + instruction + proprioception -> action chunk."""

    type: str
    """Policy family: a folder of `vla/policies/`, of `plugins/policies/` or of an installed package."""
    chunk_length: PositiveInt = 10
    """Actions predicted at once (control steps)."""
    num_params: Count | None = None
    """Expected number of parameters, such as 300M; a model more than 10 % off is refused."""


Family = TypeVar("Family", bound=ModelSection)
