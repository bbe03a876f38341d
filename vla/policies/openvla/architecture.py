"""What the text files of an OpenVLA checkpoint say, as far as it decides how the policy acts."""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from vla.errors import UserError

# As timm 0.9 has them: width, blocks, heads, width of the MLP, patch (pixels).
SIZES = {
    "vit_small_patch14_reg4_dinov2": (384, 12, 6, 1536, 14),
    "vit_base_patch14_reg4_dinov2": (768, 12, 12, 3072, 14),
    "vit_large_patch14_reg4_dinov2": (1024, 24, 16, 4096, 14),
    "vit_base_patch16_siglip": (768, 12, 12, 3072, 16),
    "vit_large_patch16_siglip": (1024, 24, 16, 4096, 16),
    "vit_so400m_patch14_siglip": (1152, 27, 16, 4304, 14),
}
Kind = TypeVar("Kind", bound=BaseModel)
QUESTION = "What action should the robot take to {}?"
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
    f"USER: {QUESTION} ASSISTANT:"
)


@dataclass(frozen=True)
class Tower:
    """A vision transformer. `picture`: its pictures' size (pixels); `registers`: tokens before the
    patches, the picture's own among them; with `layer_scale`, what a block adds has learnt scales."""

    width: int
    layers: int
    heads: int
    mlp_width: int
    patch: int
    picture: int
    registers: int
    layer_scale: bool


class Statistics(BaseModel):
    """Of one dataset's actions: 1st and 99th percentile, and which numbers were scaled by them."""

    q01: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = Field(min_length=1)
    q99: tuple[Annotated[float, Field(allow_inf_nan=False)], ...]
    mask: tuple[bool, ...] | None = None

    @model_validator(mode="after")
    def _of_one_size(self) -> "Statistics":
        if {len(self.q01), len(self.q99), len(self.mask or self.q01)} != {len(self.q01)}:
            raise ValueError("q01, q99 and mask are of different sizes")
        return self

    @property
    def scaled(self) -> tuple[bool, ...]:
        """Which numbers of an action are read by the percentiles; the others are as they are."""
        return self.mask or (True,) * len(self.q01)


class DatasetStatistics(BaseModel):
    action: Statistics


class Architecture(BaseModel):
    """Fields and defaults of OpenVLA's `OpenVLAConfig`; those that its model does not use are not read."""

    model_config = ConfigDict(frozen=True)

    model_type: Literal["openvla"]
    timm_model_ids: tuple[str, ...] = Field(min_length=1, max_length=2)
    timm_override_act_layers: tuple[None, ...] = (None, None)
    image_sizes: tuple[PositiveInt, ...]
    use_fused_vision_backbone: bool
    llm_backbone_id: str
    text_config: dict[str, Any]
    n_action_bins: Annotated[int, Field(ge=2)] = 256
    pad_to_multiple_of: Annotated[int, Field(ge=0)] = 64
    dtype: Literal["bfloat16", "float16", "float32"] = Field(
        default="bfloat16", validation_alias=AliasChoices("torch_dtype", "dtype")
    )
    norm_stats: dict[str, Any] | None = None

    @property
    def towers(self) -> dict[str, Tower]:
        """By OpenVLA's names of them."""
        names = ("featurizer", "fused_featurizer")
        pairs = zip(self.timm_model_ids, self.image_sizes, strict=True)
        return {name: _tower(timm, size) for name, (timm, size) in zip(names, pairs, strict=False)}

    @property
    def unused(self) -> tuple[str, ...]:
        """How names of weights begin that are stored and never used: each tower's last block, and what
        comes behind it."""
        return tuple(
            f"vision_backbone.{name}.{part}"
            for name, tower in self.towers.items()
            for part in (f"blocks.{tower.layers - 1}.", "norm.", "attn_pool.")
        )

    @property
    def prompt(self) -> str:
        """What the policy is asked, with {} for the instruction: as the language model was tuned."""
        return VICUNA if self.llm_backbone_id.startswith("vicuna") else f"In: {QUESTION}\nOut:"

    @model_validator(mode="after")
    def _is_known(self) -> "Architecture":
        for name in self.timm_model_ids:
            if _plain(name) not in SIZES:
                raise ValueError(
                    f"timm_model_ids: {name!r} is not known here; known: {', '.join(SIZES)}"
                )
        count = 2 if self.use_fused_vision_backbone else 1
        if not len(self.timm_model_ids) == len(self.image_sizes) == count:
            raise ValueError(
                f"timm_model_ids and image_sizes: {count} of each, for use_fused_vision_backbone is "
                f"{self.use_fused_vision_backbone}"
            )
        if len({(t.picture, t.picture // t.patch) for t in self.towers.values()}) != 1:
            raise ValueError("image_sizes: both towers must cut one picture into as many patches")
        if not re.match(r"vicuna-|.*-pure$", self.llm_backbone_id):
            raise ValueError(
                f"llm_backbone_id: how {self.llm_backbone_id!r} is asked is not known here; known are "
                "vicuna-* and those that end in -pure"
            )
        if self.text_config.get("tie_word_embeddings"):
            raise ValueError("text_config: tied embeddings, which no OpenVLA has")
        return self


def parse_architecture(text: str, source: object) -> Architecture:
    """`text`: of config.json; `UserError` that names `source` and every field that is not supported."""
    content = parse_json(text, source)
    if content.get("model_type") != "openvla":
        raise UserError(
            f"{source}: model_type is {content.get('model_type')!r}, not 'openvla'.",
            "model.type openvla takes OpenVLA's checkpoints in their layout for Transformers alone "
            "(docs/published_policies.md).",
        )
    return validated(Architecture, content, source)


def choose_statistics(known: dict[str, Any], key: str | None, source: object) -> Statistics:
    """Those of the dataset `key`, or of the only one. `known`: dataset -> its statistics, from `source`.

    `UserError` that lists the datasets where `key` is none of them, or not given and there are several.
    """
    if not known:
        raise UserError(
            f"{source} has no statistics of actions.",
            "Take the whole checkpoint: where it was fine-tuned, dataset_statistics.json has them.",
        )
    listed = ", ".join(sorted(known))
    if key is None and len(known) > 1:
        raise UserError(
            f"{source} has action statistics of {len(known)} datasets: {listed}.",
            "Say in model.unnorm_key by which of them actions are to be read: those of the robot that is "
            "simulated.",
        )
    if key is not None and key not in known:
        raise UserError(
            f"model.unnorm_key is {key!r}, which {source} has no statistics of.",
            f"Set it to one of: {listed}.",
        )
    name = next(iter(known)) if key is None else key
    return validated(DatasetStatistics, known[name], f"{source}: statistics of {name}").action


def parse_json(text: str, source: object) -> dict[str, Any]:
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("no mapping")
    except ValueError as error:
        raise UserError(f"{source} is no JSON of a checkpoint: {error}", "Bring it anew.") from None
    return content


def validated(kind: type[Kind], content: dict[str, Any], source: object) -> Kind:
    """`content` as a `kind`; `UserError` that names `source` and every field that is not as it must be."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, detail['loc'])) or 'as a whole'}: {detail['msg']}"
            for detail in error.errors()
        ]
        raise UserError(
            f"{source}: " + "\n  ".join(lines),
            "docs/published_policies.md says which OpenVLA checkpoints are taken as they come; others "
            "would act differently here than where they were trained.",
        ) from None


def _plain(timm: str) -> str:
    """A timm name without the tag of its weights, and without the picture's size."""
    return re.sub(r"(?<=siglip)_\d+$", "", timm.partition(".")[0])


def _tower(timm: str, picture: int) -> Tower:
    name = _plain(timm)
    dino = name.endswith("reg4_dinov2")  # one token of the picture and four registers
    return Tower(*SIZES[name], picture, registers=5 if dino else 0, layer_scale=dino)
