"""`data`: which dataset, and how samples are made from it."""

from pydantic import Field

from vla.config.base import Section


class DataSection(Section):
    """Which dataset, and how samples are made from it."""

    dataset: str = Field(default="metaworld-4tasks", min_length=1)
    """Name in `config/datasets.yaml`."""
    cameras: tuple[str, ...] = Field(default=("side",), min_length=1)
    """Cameras used, by name (LeRobot feature `observation.images.<name>`)."""
    augmentation: bool = False
    """Random shift of up to 3 pixels, brightness and contrast jitter of up to 10 %."""
