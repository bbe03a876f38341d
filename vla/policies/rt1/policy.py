"""RT-1-style policy (Brohan et al. 2022): the fused policy with actions as discrete tokens."""

from functools import partial

from vla.data.spec import DataSpec
from vla.policies.parts.discrete_head import DiscreteHead
from vla.policies.parts.fused import FusedPolicy
from vla.policies.protocol import Policy
from vla.policies.rt1.config import Config


def build(config: Config, spec: DataSpec) -> Policy:
    """The policy with fresh weights from PyTorch's global generator."""
    return FusedPolicy(config, spec, partial(DiscreteHead, num_bins=config.num_bins))
