"""What `config.json` of an ACT checkpoint says, as far as it decides how the policy acts."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from vla.errors import UserError

STATE, ACTION = "observation.state", "action"
Mode = Literal["IDENTITY", "MEAN_STD", "MIN_MAX", "QUANTILES", "QUANTILE10"]


class Feature(BaseModel):
    """An input or output: its type, such as VISUAL, and its shape without the batch."""

    type: str
    shape: tuple[PositiveInt, ...]


class Architecture(BaseModel):
    """Fields and defaults of LeRobot's `ACTConfig`; what serves training alone is not read."""

    model_config = ConfigDict(frozen=True)

    type: Literal["act"]
    input_features: dict[str, Feature]
    output_features: dict[str, Feature]
    normalization_mapping: dict[str, Mode] = Field(
        default={"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}
    )
    n_obs_steps: Literal[1] = 1
    chunk_size: PositiveInt = 100
    n_action_steps: PositiveInt = 100
    temporal_ensemble_coeff: None = None
    vision_backbone: Literal["resnet18", "resnet34"] = "resnet18"
    replace_final_stride_with_dilation: Literal[False, 0] = False
    pre_norm: bool = False
    dim_model: PositiveInt = 512
    n_heads: PositiveInt = 8
    dim_feedforward: PositiveInt = 3200
    feedforward_activation: Literal["relu", "gelu"] = "relu"
    n_encoder_layers: PositiveInt = 4
    n_decoder_layers: PositiveInt = 1
    latent_dim: PositiveInt = 32

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the camera features, in the order in which the policy sees them."""
        return tuple(n for n, feature in self.input_features.items() if feature.type == "VISUAL")

    @property
    def image_size(self) -> int:
        """Height and width of every picture (pixels)."""
        return self.input_features[self.pictures[0]].shape[-1]

    @property
    def state_dim(self) -> int:
        return self.input_features[STATE].shape[0]

    @property
    def action_dim(self) -> int:
        return self.output_features[ACTION].shape[0]

    @model_validator(mode="after")
    def _can_be_given_its_inputs(self) -> "Architecture":
        others = set(self.input_features) - {STATE, *self.pictures}
        if others:
            raise ValueError(f"input_features: no simulator here gives {', '.join(sorted(others))}")
        if not self.pictures or STATE not in self.input_features:
            raise ValueError(f"input_features: needs {STATE} and at least one camera")
        if set(self.output_features) != {ACTION}:
            raise ValueError("output_features: must be `action` alone")
        shapes = {self.input_features[name].shape for name in self.pictures}
        size = self.image_size
        if shapes != {(3, size, size)}:
            raise ValueError(
                f"input_features: pictures of {', '.join(map(str, sorted(shapes)))}; simulators "
                "here draw square ones, all of one size: (3, size, size)"
            )
        if self.n_action_steps > self.chunk_size:
            raise ValueError("n_action_steps exceeds chunk_size")
        if self.dim_model % 4 or self.dim_model % self.n_heads:
            raise ValueError("dim_model must be a multiple of 4 and of n_heads")
        return self


def parse_architecture(text: str, source: object) -> Architecture:
    """`text`: of config.json; `UserError` that names `source` and every field that is not supported."""
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("no mapping")
    except ValueError as error:
        raise UserError(f"{source} is no JSON of a policy: {error}", _WAY_OUT) from None
    if content.get("type") != "act":
        raise UserError(
            f"{source}: the policy's type is {content.get('type')!r}, not 'act'.",
            "model.type lerobot-act takes Action Chunking Transformers alone; a family of your own "
            "can take another (docs/published_policies.md).",
        )
    try:
        return Architecture.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, detail['loc'])) or 'as a whole'}: {detail['msg']}"
            for detail in error.errors()
        ]
        raise UserError(f"{source}: " + "\n  ".join(lines), _WAY_OUT) from None


_WAY_OUT = (
    "docs/published_policies.md says which ACT checkpoints are taken as they come; others would act "
    "differently here than where they were trained."
)
