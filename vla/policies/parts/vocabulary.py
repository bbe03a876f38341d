"""Instructions as words: the vocabulary and its tokens."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vla.errors import UserError

PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2


@dataclass(frozen=True)
class Vocabulary:
    """The words of the training instructions, sorted; word i has token i + 2."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[str]) -> "Vocabulary":
        return cls(tuple(sorted({word for sentence in sentences for word in split(sentence)})))

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    def encode(self, sentence: str, length: int) -> np.ndarray:
        """Tokens of a sentence: int64 (length,), padded with 0; unknown words are 1."""
        words = split(sentence)
        if len(words) > length:
            raise UserError(
                f"The instruction {sentence!r} has {len(words)} words.",
                f"Raise model.max_words ({length}) or shorten it.",
            )
        token = {word: number for number, word in enumerate(self.words, FIRST_WORD)}
        tokens = np.full(length, PADDING, np.int64)
        tokens[: len(words)] = [token.get(word, UNKNOWN) for word in words]
        return tokens


def split(sentence: str) -> list[str]:
    return re.findall(r"[\w']+", sentence.lower())
