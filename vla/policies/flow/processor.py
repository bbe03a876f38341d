"""Inputs of flow matching: those of a vision-language model, and each sample's own noise."""

import numpy as np
import torch

from vla.data.samples import Samples
from vla.data.spec import DataSpec
from vla.policies.flow.config import Config
from vla.policies.parts.vlm.processor import TokenProcessor
from vla.policies.parts.vlm.tokens import Tokenizer
from vla.policies.protocol import Inputs


class NoiseProcessor(TokenProcessor):
    """Adds `noise`: float32 (batch, chunk, action_dim), standard normal; and `time`: float32 (batch,).

    Both follow from the sample's random bits alone: in training from (seed, step, sample), in
    evaluation from the episode's seed and step.
    """

    def __init__(self, config: Config, spec: DataSpec, tokenizer: Tokenizer):
        super().__init__(config, spec, tokenizer)
        self._shape = (config.chunk_length, len(spec.action_low))

    def __call__(self, samples: Samples) -> Inputs:
        sources = [np.random.Generator(_source(words)) for words in samples.words]
        noise = np.stack([s.standard_normal(self._shape, np.float32) for s in sources])
        uniform = np.array([source.random() for source in sources])
        return super().__call__(samples) | {
            "noise": torch.from_numpy(noise),
            "time": torch.from_numpy(times(uniform)),
        }


def times(uniform: np.ndarray) -> np.ndarray:
    """Beta(1.5, 1) on (0.001, 1], by its inverse: more often noisy than clean (π0). float32."""
    return (0.999 * uniform ** (1 / 1.5) + 0.001).astype(np.float32)


def _source(words: np.ndarray) -> np.random.Philox:
    """A counter-based generator of one sample's bits, uint64 (4,)."""
    return np.random.Philox(key=words[:2], counter=[0, 0, *words[2:]])
