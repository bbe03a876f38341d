"""Inputs of policies with pretrained word vectors: the pieces of each word."""

import numpy as np
from tokenizers import Tokenizer

from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.policies.parts.config import FusedConfig
from vla.policies.parts.processor import WordProcessor
from vla.policies.parts.vocabulary import split

NOTHING = -1  # where a sentence or a word has ended
MAX_PIECES = 16  # of one word; English has hardly a word of more than five


class PieceProcessor(WordProcessor):
    """As `WordProcessor`, but for `words`: int64 (batch, max_words, MAX_PIECES), for each word the
    pieces of the pretrained tokenizer, then NOTHING. No word is unknown."""

    def __init__(self, config: FusedConfig, spec: DataSpec, tokenizer: str):
        """`tokenizer`: the text of its file."""
        self._tokenizer = Tokenizer.from_str(tokenizer)
        super().__init__(config, spec)

    def _encode(self, sentence: str) -> np.ndarray:
        super()._encode(sentence)  # refuses one that is too long
        pieces = np.full((self._length, MAX_PIECES), NOTHING, np.int64)
        if self._language:
            for place, word in enumerate(split(sentence)):
                found = self._tokenizer.encode(word, add_special_tokens=False).ids
                if len(found) > MAX_PIECES:
                    raise UserError(
                        f"The word {word!r} is {len(found)} pieces long for the pretrained tokenizer.",
                        f"Write it as several words: a word has at most {MAX_PIECES} pieces.",
                    )
                pieces[place, : len(found)] = found
        return pieces
