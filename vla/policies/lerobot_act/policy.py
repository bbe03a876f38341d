"""An ACT checkpoint of LeRobot's as a policy of this project.

Sees pictures and proprioception as the checkpoint's own processors prepare them, in fp32. It reads no
instruction, and nothing here trains it.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from vla.data.samples import Samples
from vla.data.spec import DataSpec
from vla.errors import UserError, nearest
from vla.policies.lerobot_act.architecture import ACTION, STATE, Architecture, parse_architecture
from vla.policies.lerobot_act.checkpoint import Scale, read_checkpoint
from vla.policies.lerobot_act.config import Config
from vla.policies.lerobot_act.network import ACT
from vla.policies.protocol import Inputs, Policy, Processor


class PlainProcessor(Processor):
    """`pictures`: uint8 (batch, cameras, 3, size, size); `state`: float32 (batch, state_dim)."""

    def __call__(self, samples: Samples) -> Inputs:
        return {
            "pictures": torch.from_numpy(samples.pictures),
            "state": torch.from_numpy(samples.state),
        }

    def check(self, sentence: str) -> None:
        """Any sentence will do: the policy reads none."""


class LeRobotACT(Policy):
    """`text`: of the checkpoint's config.json, from which it is built again."""

    def __init__(self, config: Config, spec: DataSpec, text: str, architecture: Architecture):
        super().__init__(config, spec, PlainProcessor())
        self.assets = {"config.json": text}
        self.architecture = architecture
        self.model = ACT(architecture)
        cameras = (len(architecture.pictures), 3, 1, 1)
        sizes = {"pictures": cameras, "state": (architecture.state_dim,)}
        sizes["action"] = (architecture.action_dim,)
        for name, size in sizes.items():
            self.register_buffer(f"{name}_shift", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))

    @property
    def execute_steps(self) -> int:
        """Actions of a chunk that are executed where the checkpoint comes from (control steps)."""
        return self.architecture.n_action_steps

    def loss(self, inputs: Inputs) -> Tensor:
        raise UserError(
            "A policy that is taken as it comes is not trained here.",
            "Train one of the other families (docs/policies.md).",
        )

    @torch.inference_mode()
    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        pictures = inputs["pictures"].float() / 255
        pictures = (pictures - self.pictures_shift) / self.pictures_scale
        state = (inputs["state"] - self.state_shift) / self.state_scale
        return self.model(pictures, state) * self.action_scale + self.action_shift


def load(config: Config, folder: Path) -> LeRobotACT:
    """The policy of the checkpoint in `folder`, whose bytes were verified.

    `UserError` where the checkpoint is none of this family, is not whole, or does not fit `config`.
    """
    checkpoint = read_checkpoint(folder)
    architecture, scales = checkpoint.architecture, checkpoint.scales
    if config.chunk_length != architecture.chunk_size:
        raise UserError(
            f"model.chunk_length is {config.chunk_length}, the checkpoint's chunk_size "
            f"{architecture.chunk_size}.",
            f"Set model.chunk_length: {architecture.chunk_size}.",
        )
    state, action = scales[STATE], scales[ACTION]
    # Ranges and means are for documents: the policy itself scales by its buffers.
    spec = DataSpec(
        cameras=_cameras(config, architecture),
        image_size=architecture.image_size,
        sentences=tuple(sentence for task in config.tasks.values() for sentence in task),
        state_mean=tuple(state.shift.tolist()),
        state_std=tuple(state.scale.tolist()),
        action_low=tuple((action.shift - action.scale).tolist()),
        action_high=tuple((action.shift + action.scale).tolist()),
    )
    policy = LeRobotACT(config, spec, checkpoint.text, architecture)
    pictures = [scales[name] for name in architecture.pictures]
    stacked = Scale(
        torch.stack([one.shift for one in pictures]), torch.stack([one.scale for one in pictures])
    )
    for name, scale in (("pictures", stacked), ("state", state), ("action", action)):
        getattr(policy, f"{name}_shift").copy_(scale.shift)
        getattr(policy, f"{name}_scale").copy_(scale.scale)
    _load_weights(policy.model, checkpoint.weights, folder)
    return policy.eval()


def restore(config: Config, spec: DataSpec, assets: dict[str, str]) -> LeRobotACT:
    """The policy that the weights of an imported one are loaded into."""
    text = assets["config.json"]
    return LeRobotACT(config, spec, text, parse_architecture(text, "policy.json"))


def _cameras(config: Config, architecture: Architecture) -> tuple[str, ...]:
    """The simulator's camera for each of the checkpoint's: the last word of its name, where
    `model.cameras` does not say."""
    for name in config.cameras:
        if name not in architecture.pictures:
            raise UserError(
                f"model.cameras names {name!r}, which the checkpoint does not see; "
                f"{nearest(name, architecture.pictures)}",
                "Name the checkpoint's cameras as its config.json does under input_features.",
            )
    return tuple(config.cameras.get(n, n.rpartition(".")[2]) for n in architecture.pictures)


def _load_weights(network: nn.Module, weights: dict[str, Tensor], folder: Path) -> None:
    try:
        network.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        said = "\n  ".join(str(error).splitlines()[1:9])
        raise UserError(
            f"The weights in {folder}/model.safetensors are not those that its config.json says:\n  {said}",
            "The files are not of one checkpoint, or of a version of LeRobot that is not known here "
            "(docs/published_policies.md).",
        ) from None
