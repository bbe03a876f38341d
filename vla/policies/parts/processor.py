"""Inputs of the fused policy: sentences become word tokens, everything else a tensor."""

import numpy as np
import torch

from vla.data.samples import Samples
from vla.data.spec import DataSpec
from vla.policies.parts.config import FusedConfig
from vla.policies.parts.vocabulary import Vocabulary
from vla.policies.protocol import Inputs, Processor


class WordProcessor(Processor):
    """Inputs on the CPU, by name.

    `pictures`: uint8 (batch, cameras, 3, size, size); `words`: int64 (batch, max_words);
    `state`: float32 (batch, state_dim), in the dataset's units; when samples have actions, also
    `actions`: float32 (batch, chunk, action_dim), in the dataset's units, and `valid`: bool
    (batch, chunk). The policy scales state and actions itself, on its device.
    """

    def __init__(self, config: FusedConfig, spec: DataSpec):
        self.vocabulary = Vocabulary.of(spec.sentences)
        self._length, self._language = config.max_words, config.language
        # Encoded once: a sentence comes with thousands of samples.
        self._known = {sentence: self._encode(sentence) for sentence in spec.sentences}

    def __call__(self, samples: Samples) -> Inputs:
        words = np.stack([self._tokens(sentence) for sentence in samples.instructions])
        inputs = {
            "pictures": torch.from_numpy(samples.pictures),
            "words": torch.from_numpy(words),
            "state": torch.from_numpy(samples.state),
        }
        if samples.actions.shape[1]:
            inputs["actions"] = torch.from_numpy(samples.actions)
            inputs["valid"] = torch.from_numpy(samples.valid)
        return inputs

    def check(self, sentence: str) -> None:
        self._encode(sentence)

    def _tokens(self, sentence: str) -> np.ndarray:
        known = self._known.get(sentence)
        return self._encode(sentence) if known is None else known

    def _encode(self, sentence: str) -> np.ndarray:
        """Tokens of a sentence; those of an empty one when the policy is to see no instruction."""
        tokens = self.vocabulary.encode(sentence, self._length)
        return tokens if self._language else self.vocabulary.encode("", self._length)
