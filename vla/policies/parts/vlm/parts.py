"""The parts that a policy on a vision-language model consists of, fresh or pretrained."""

from dataclasses import dataclass
from pathlib import Path

import torch

from vla.data.spec import DataSpec
from vla.policies.parts.vlm.config import VLMConfig
from vla.policies.parts.vlm.language import (
    LanguageModel,
    fresh_language_model,
    pretrained_language_model,
)
from vla.policies.parts.vlm.pretrained import folder_of, read_assets
from vla.policies.parts.vlm.tokens import ByteTokenizer, PretrainedTokenizer, Tokenizer
from vla.policies.parts.vlm.vision import VisionTower, fresh_tower, pretrained_tower

Texts = dict[str, str]


@dataclass(frozen=True)
class Parts:
    """`assets`: the text files of pretrained parts, from which `restored_parts` builds them again."""

    vision: VisionTower
    language: LanguageModel
    tokenizer: Tokenizer
    assets: Texts


def initial_parts(config: VLMConfig, spec: DataSpec) -> Parts:
    """What training starts from: fresh weights from PyTorch's global generator, or pretrained ones."""
    named = {"vision": config.vision_weights, "language": config.language_weights}
    folders = {part: folder_of(name) for part, name in named.items() if name}
    assets = {
        f"{part}/{file}": text
        for part, folder in folders.items()
        for file, text in read_assets(folder).items()
    }
    if torch.get_default_device().type == "meta":
        folders = {}  # the policy is only counted: no weights are read
    return Parts(
        _vision(config, spec, assets, folders.get("vision")),
        _language(config, assets, folders.get("language")),
        _tokenizer(assets),
        assets,
    )


def restored_parts(config: VLMConfig, spec: DataSpec, assets: Texts) -> Parts:
    """Parts of a policy that was saved, whose weights are loaded afterwards."""
    return Parts(
        _vision(config, spec, assets, None),
        _language(config, assets, None),
        _tokenizer(assets),
        assets,
    )


def _vision(config: VLMConfig, spec: DataSpec, assets: Texts, folder: Path | None) -> VisionTower:
    if config.vision_weights:
        return pretrained_tower(_of("vision", assets), folder)
    return fresh_tower(config.vision_encoder, config.picture_size or spec.image_size)


def _language(config: VLMConfig, assets: Texts, folder: Path | None) -> LanguageModel:
    if config.language_weights:
        return pretrained_language_model(_of("language", assets), folder)
    return fresh_language_model(config.language_model)


def _tokenizer(assets: Texts) -> Tokenizer:
    text = assets.get("language/tokenizer.json")
    return PretrainedTokenizer(text) if text else ByteTokenizer()


def _of(part: str, assets: Texts) -> Texts:
    return {
        name.removeprefix(f"{part}/"): text
        for name, text in assets.items()
        if name.startswith(f"{part}/")
    }
