"""Behaviour cloning: the fused policy with L1 regression of the whole action chunk."""

from vla.data.spec import DataSpec
from vla.policies.bc.config import Config
from vla.policies.parts.fused import FusedPolicy
from vla.policies.parts.regression_head import RegressionHead
from vla.policies.protocol import Policy


def build(config: Config, spec: DataSpec) -> Policy:
    """The policy with fresh weights from PyTorch's global generator."""
    return FusedPolicy(config, spec, RegressionHead)
