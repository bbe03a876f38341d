"""OpenVLA (Kim et al. 2024, arXiv 2406.09246) as a policy of this project: one picture and a sentence ->
one action, written as tokens of a language model. It reads no proprioception, and nothing here trains it.

On a GPU it is computed in the checkpoint's precision (bf16, as OpenVLA's evaluation does), on a CPU in fp32.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vla.data.spec import DataSpec
from vla.errors import UserError, nearest
from vla.policies.openvla.architecture import (
    Architecture,
    Statistics,
    choose_statistics,
    parse_architecture,
    parse_json,
)
from vla.policies.openvla.checkpoint import load_weights, read_texts
from vla.policies.openvla.config import Config
from vla.policies.openvla.network import OpenVLA
from vla.policies.openvla.pictures import Pictures
from vla.policies.openvla.processor import PromptProcessor
from vla.policies.protocol import Inputs, Policy

CAMERA = "image"  # what `model.cameras` calls the only one


class OpenVLAPolicy(Policy):
    """`texts`: the checkpoint's text files, from which it is built again; `source`: where they lie."""

    execute_steps = 1  # control steps before it looks again

    def __init__(self, config: Config, texts: Mapping[str, str], source: Path):
        architecture = parse_architecture(texts["config.json"], source / "config.json")
        statistics = _statistics(architecture, texts, config.unnorm_key, source)
        pictures = Pictures(
            texts["preprocessor_config.json"],
            architecture.image_sizes,
            config.center_crop,
            source / "preprocessor_config.json",
        )
        processor = PromptProcessor(architecture.prompt, texts["tokenizer.json"], pictures)
        super().__init__(config, _spec(config, statistics), processor)
        self.assets = dict(texts)
        self.architecture, self.statistics = architecture, statistics
        self.model = OpenVLA(architecture)
        if processor.encode("")[0] != self.model.language_model.config.bos_token_id:
            raise UserError(
                f"{source / 'tokenizer.json'} begins no prompt with the token that Llama begins with.",
                "Take the tokenizer that was published with the checkpoint.",
            )
        edges = np.linspace(-1, 1, architecture.n_action_bins)
        self._centres = (edges[:-1] + edges[1:]) / 2

    def loss(self, inputs: Inputs) -> Tensor:
        raise UserError(
            "A policy that is taken as it comes is not trained here.",
            "Train one of the other families (docs/policies.md).",
        )

    @torch.no_grad()
    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        if decoding != "argmax":
            raise UserError(
                f"evaluation.decoding is {decoding}: OpenVLA's actions are its likeliest tokens.",
                "Leave it out, or set it to argmax.",
            )
        rows = zip(inputs["pixels"], inputs["tokens"], inputs["length"], strict=True)
        count = len(self.statistics.q01)
        tokens = [self.model(p[None], t[None, :length], count) for p, t, length in rows]
        actions = self.in_units(torch.stack(tokens).cpu().numpy())
        return torch.from_numpy(actions.astype(np.float32))

    def in_units(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens, int (..., action_dim) -> actions as the simulator takes them: float64, the same shape."""
        # The vocabulary's last token is the first bin; other tokens than those of actions take an end.
        bins = (self.model.vocabulary - tokens - 1).clip(0, len(self._centres) - 1)
        scaled = self._centres[bins]
        low, high = np.array(self.statistics.q01), np.array(self.statistics.q99)
        actions = np.where(self.statistics.scaled, (scaled + 1) / 2 * (high - low) + low, scaled)
        if self.config.gripper != "unchanged":
            opening = np.sign(2 * actions[..., -1] - 1)
            actions[..., -1] = -opening if self.config.gripper == "close-positive" else opening
        return actions

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = True
    ) -> Any:
        """As of any module, but the tensors themselves become the weights: there is memory for one copy."""
        return super().load_state_dict(state_dict, strict, assign)


def load(config: Config, folder: Path) -> OpenVLAPolicy:
    """The policy of the checkpoint in `folder`, whose bytes were verified.

    `UserError` where the checkpoint is none of this family, is not whole, or does not fit `config`.
    """
    policy = OpenVLAPolicy(config, read_texts(folder), folder)
    load_weights(policy.model, folder, policy.architecture.unused)
    return policy.eval()


def restore(config: Config, spec: DataSpec, assets: dict[str, str]) -> OpenVLAPolicy:
    """The policy that the weights of an imported one are loaded into."""
    return OpenVLAPolicy(config, assets, Path("policy.json"))


def _spec(config: Config, statistics: Statistics) -> DataSpec:
    for name in config.cameras:
        if name != CAMERA:
            raise UserError(
                f"model.cameras names {name!r}: OpenVLA sees one picture, here called {CAMERA!r}; "
                f"{nearest(name, [CAMERA])}",
                f"Say which of the simulator's cameras it is: model.cameras: {{{CAMERA}: NAME}}.",
            )
    return DataSpec(
        cameras=(config.cameras.get(CAMERA, CAMERA),),
        image_size=config.picture_size,
        sentences=tuple(sentence for task in config.tasks.values() for sentence in task),
        state_mean=(),
        state_std=(),
        action_low=statistics.q01,
        action_high=statistics.q99,
    )


def _statistics(
    architecture: Architecture, texts: Mapping[str, str], key: str | None, source: Path
) -> Statistics:
    """By which actions are read: those of dataset_statistics.json, if it is there, as OpenVLA does."""
    name = "dataset_statistics.json"
    if name in texts:
        known = parse_json(texts[name], source / name)
        return choose_statistics(known, key, source / name)
    return choose_statistics(architecture.norm_stats or {}, key, source / "config.json")
