"""Build the policy that the configuration names."""

from torch import nn

from vla.config.model import ModelSection
from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.plugins import find_plugin
from vla.policies.protocol import Policy


def build_policy(config: ModelSection, spec: DataSpec) -> Policy:
    """The policy of `model.type`, with fresh weights from PyTorch's global generator.

    `UserError` when `model.num_params` is stated and more than 10 % off.
    """
    policy = find_plugin("policies", config.type).load("policy").build(config, spec)
    count = count_parameters(policy)
    if config.num_params and abs(count - config.num_params) > 0.1 * config.num_params:
        raise UserError(
            f"model.num_params states {config.num_params / 1e6:.2f}M parameters, "
            f"but this model has {count / 1e6:.2f}M.",
            "Correct num_params, or change what else `model` says of sizes.",
        )
    return policy


def count_parameters(policy: nn.Module) -> int:
    return sum(parameter.numel() for parameter in policy.parameters())
