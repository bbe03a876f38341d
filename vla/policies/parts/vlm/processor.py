"""Inputs of the families on a vision-language model: sentences become tokens."""

import numpy as np
import torch

from vla.data.samples import Samples
from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.policies.parts.vlm.config import VLMConfig
from vla.policies.parts.vlm.tokens import Tokenizer
from vla.policies.protocol import Inputs, Processor


class TokenProcessor(Processor):
    """Inputs on the CPU, by name.

    `pictures`: uint8 (batch, cameras, 3, size, size); `tokens`: int64 (batch, max_tokens), padded with
    0; `said`: bool (batch, max_tokens), False where there is padding; `state`: float32 (batch,
    state_dim), in the dataset's units; when samples have actions, also `actions`: float32 (batch, chunk,
    action_dim), in the dataset's units, and `valid`: bool (batch, chunk).
    """

    def __init__(self, config: VLMConfig, spec: DataSpec, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self._length, self._language = config.max_tokens, config.language
        # Encoded once: a sentence comes with thousands of samples.
        self._known = {sentence: self._encode(sentence) for sentence in spec.sentences}

    def __call__(self, samples: Samples) -> Inputs:
        sentences = [self._tokens(sentence) for sentence in samples.instructions]
        lengths = np.array([len(tokens) for tokens in sentences])
        padded = np.zeros((len(sentences), self._length), np.int64)
        for row, tokens in zip(padded, sentences, strict=True):
            row[: len(tokens)] = tokens
        inputs = {
            "pictures": torch.from_numpy(samples.pictures),
            "tokens": torch.from_numpy(padded),
            "said": torch.from_numpy(np.arange(self._length) < lengths[:, None]),
            "state": torch.from_numpy(samples.state),
        }
        if samples.actions.shape[1]:
            inputs["actions"] = torch.from_numpy(samples.actions)
            inputs["valid"] = torch.from_numpy(samples.valid)
        return inputs

    def check(self, sentence: str) -> None:
        self._encode(sentence)

    def _tokens(self, sentence: str) -> list[int]:
        known = self._known.get(sentence)
        return self._encode(sentence) if known is None else known

    def _encode(self, sentence: str) -> list[int]:
        """Tokens of a sentence; none when the policy is to hear no instruction."""
        tokens = self.tokenizer.encode(sentence)
        if len(tokens) > self._length:
            raise UserError(
                f"The instruction {sentence!r} has {len(tokens)} tokens.",
                f"Raise model.max_tokens ({self._length}) or shorten it.",
            )
        return tokens if self._language else []
