"""What training holds of a sharded policy: each rank's own part, and the whole."""

from collections.abc import Callable

from torch.distributed.tensor import DTensor

from vla.policies.protocol import Policy


def whole(policy: Policy, build: Callable[[], Policy], leads: bool) -> Policy:
    """A policy as `build` gives it with all weights of the sharded one, on the CPU, where this rank
    `leads`; elsewhere the sharded one. All ranks call this."""
    weights = {}
    for name, value in policy.state_dict().items():
        value = value.full_tensor() if isinstance(value, DTensor) else value
        if leads:
            weights[name] = value.detach().cpu()
    if not leads:
        return policy
    unsharded = build()
    unsharded.load_state_dict(weights)
    return unsharded
