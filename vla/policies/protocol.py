"""What a policy family is. `vla/policies/<name>/` holds `config.py` and `policy.py`.

`config.py`: `Config`, the family's `model` section (imports no PyTorch: plans are made without it).
`policy.py`: `build(config, spec)`, which gives a `Policy` with fresh weights from PyTorch's global
generator (or pretrained ones, where the configuration names some); the same configuration and spec
give the same parameters, by name and shape. A family that starts from pretrained parts also has
`restore(config, spec, assets)`: the policy to load trained weights into, without the pretrained files.
A family of policies that others trained (vla/config/imported.py) has `load(config, folder)` and `restore`,
and no `build`.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from vla.config.model import ModelSection
from vla.data.samples import Samples
from vla.data.spec import DataSpec

Inputs = dict[str, Tensor]  # what a module takes; the first dimension of each is the batch's


def to_device(inputs: Inputs, device: torch.device) -> Inputs:
    return {name: tensor.to(device, non_blocking=True) for name, tensor in inputs.items()}


class Processor(ABC):
    """Makes a policy's inputs, in training and in evaluation alike: tokens, sizes, whatever needs no
    weights.

    Called in loader threads: it must neither change itself nor draw random numbers.
    """

    @abstractmethod
    def __call__(self, samples: Samples) -> Inputs:
        """Inputs on the CPU. With `actions` and `valid` when samples have them (chunk > 0)."""

    @abstractmethod
    def check(self, sentence: str) -> None:
        """`UserError` when an instruction cannot be given to this policy: too long, for instance."""


class Policy(nn.Module, ABC):
    """Image(s) + instruction + proprioception -> action chunk."""

    def __init__(self, config: ModelSection, spec: DataSpec, processor: Processor):
        super().__init__()
        self.config, self.spec, self.processor = config, spec, processor
        self.assets: dict[str, str] = {}  # text that `restore` needs: architecture, tokenizer

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @abstractmethod
    def loss(self, inputs: Inputs) -> Tensor:
        """Mean training loss of a batch, `actions` and `valid` among its inputs."""

    @abstractmethod
    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        """Action chunks in the dataset's units: float32 (batch, chunk, action_dim)."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for the optimiser; `lr_scale` multiplies the scheduled learning rate (1 without)."""
        return [{"params": [p for p in self.parameters() if p.requires_grad]}]
