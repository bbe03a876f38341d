"""Inputs of OpenVLA: its prompt as tokens, its pictures as pixels."""

import numpy as np
import torch
from tokenizers import Tokenizer

from vla.data.samples import Samples
from vla.policies.openvla.pictures import Pictures
from vla.policies.protocol import Inputs, Processor

EMPTY = 29871  # Llama's token for a space alone, which came before the actions in training


class PromptProcessor(Processor):
    """`pixels`: float32 (batch, 3 x towers, size, size); `tokens`: int64 (batch, longest prompt), padded
    with 0 behind; `length`: int64 (batch,), tokens of each prompt.

    `prompt`: with {} for the instruction; `tokenizer`: text of tokenizer.json.
    """

    def __init__(self, prompt: str, tokenizer: str, pictures: Pictures):
        self._prompt, self.pictures = prompt, pictures
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def __call__(self, samples: Samples) -> Inputs:
        prompts = [torch.tensor(self.encode(sentence)) for sentence in samples.instructions]
        pixels = np.stack([self.pictures(cameras[0]) for cameras in samples.pictures])
        return {
            "pixels": torch.from_numpy(pixels),
            "tokens": torch.nn.utils.rnn.pad_sequence(prompts, batch_first=True),
            "length": torch.tensor([len(prompt) for prompt in prompts]),
        }

    def check(self, sentence: str) -> None:
        """Any sentence will do: with it, a prompt is far from the 2048 tokens that Llama takes."""

    def encode(self, sentence: str) -> list[int]:
        """Tokens of the prompt with the instruction, which OpenVLA's evaluation gives in lower case."""
        tokens = self._tokenizer.encode(self._prompt.format(sentence.lower())).ids
        return tokens if tokens[-1] == EMPTY else [*tokens, EMPTY]
