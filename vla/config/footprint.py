"""`footprint`: what the energy of an experiment is estimated from, where it has no meter."""

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from vla.config.base import Section


class FootprintSection(Section):
    """Assumptions behind an estimate of energy and carbon, each with its source. Nothing is looked up. In no key but the report's."""

    country: str = Field(min_length=1)
    """Whose electricity it was."""
    carbon_g_per_kwh: NonNegativeFloat
    """Carbon intensity of that electricity, in grams of CO₂ equivalents per kWh, such as the grid's yearly mean."""
    carbon_source: str = Field(min_length=1)
    """Who says so, and of which year."""
    core_watts: PositiveFloat | None = None
    """Power (W) of one fully used core, for processors whose meter could not be read: such as the processor's rated power divided by its cores."""
    gpu_watts: PositiveFloat | None = None
    """Power (W) of one GPU at work, for GPUs without a meter."""
    power_source: str = ""
    """Who says so of the watts."""
    pue: float = Field(default=1.0, ge=1)
    """Power usage effectiveness: energy of the whole building by that of its machines; 1 leaves cooling and supply out."""

    @model_validator(mode="after")
    def _watts_have_a_source(self) -> "FootprintSection":
        if (self.core_watts or self.gpu_watts) and not self.power_source:
            raise ValueError("core_watts and gpu_watts need a power_source: who says so")
        return self
