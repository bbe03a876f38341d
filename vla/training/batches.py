"""Samples as tensors, their instructions as tokens of the policy's vocabulary."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vla.data.sampling import Sampler
from vla.data.spec import DataSpec
from vla.policies.language import Vocabulary
from vla.policies.policy import Observation, PolicySpec


class Batch(NamedTuple):
    """One optimiser step's samples; shapes as `Policy.loss` takes them."""

    observation: Observation
    actions: Tensor
    valid: Tensor


class Batches:
    """Batches of a sampler for a policy."""

    def __init__(self, sampler: Sampler, spec: PolicySpec, max_words: int):
        self.sampler, self.spec, self.max_words = sampler, spec, max_words

    def batch(self, step: int) -> Batch:
        samples = self.sampler.batch(step)
        words = [self.spec.vocabulary.encode(s, self.max_words) for s in samples.instructions]
        return Batch(
            Observation(
                torch.from_numpy(samples.pictures),
                torch.from_numpy(np.stack(words)),
                torch.from_numpy(samples.state),
            ),
            torch.from_numpy(samples.actions),
            torch.from_numpy(samples.valid),
        )


def policy_spec(spec: DataSpec) -> PolicySpec:
    """What the data fixes about this policy."""
    values = spec.as_json()
    vocabulary = Vocabulary.of(list(values.pop("sentences")))
    return PolicySpec(vocabulary=vocabulary, **values)
