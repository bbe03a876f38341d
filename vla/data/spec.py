"""What data fixes about a policy: cameras, sizes, sentences, ranges."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DataSpec:
    """Measured when the data was prepared; stored with the data and with every policy.

    `sentences`: every instruction of the training data; `state_mean`, `state_std` and
    `action_low`, `action_high`: one value a dimension, in the dataset's units.
    """

    cameras: tuple[str, ...]
    image_size: int
    sentences: tuple[str, ...]
    state_mean: tuple[float, ...]
    state_std: tuple[float, ...]
    action_low: tuple[float, ...]
    action_high: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "DataSpec":
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in content.items()})
