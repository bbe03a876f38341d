"""`data`: which dataset, and how samples are made from it."""

from typing import Any

from pydantic import Field, PositiveFloat, model_validator

from vla.config.base import Section

EMBEDDED = "metaworld-4tasks"


class DataSection(Section):
    """Which dataset, and how samples are made from it."""

    dataset: str | None = Field(default=None, min_length=1)
    """Name in `config/datasets.yaml`; `metaworld-4tasks` when neither it nor `mixture` is given."""
    mixture: dict[str, PositiveFloat] | None = Field(default=None, min_length=1)
    """Instead of `dataset`: several names in `config/datasets.yaml`, each with its weight: the share of samples that come from it, relative to the others."""
    cameras: tuple[str, ...] = Field(default=("side",), min_length=1)
    """Cameras used, by name (LeRobot feature `observation.images.<name>`)."""
    augmentation: bool = False
    """Random shift of up to 3 pixels, brightness and contrast jitter of up to 10 %."""

    @model_validator(mode="before")
    @classmethod
    def _embedded_dataset(cls, content: Any) -> Any:
        named = isinstance(content, dict) and (content.get("dataset") or content.get("mixture"))
        return (
            content if named or not isinstance(content, dict) else content | {"dataset": EMBEDDED}
        )

    @model_validator(mode="after")
    def _one_of_two(self) -> "DataSection":
        if self.dataset and self.mixture:
            raise ValueError("give `dataset` or `mixture`, not both")
        return self
