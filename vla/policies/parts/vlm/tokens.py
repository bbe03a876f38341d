"""Instructions as tokens of a language model, and the tokens that are free for actions."""

from abc import ABC, abstractmethod

from tokenizers import Tokenizer as TokenizerFile

from vla.errors import UserError


class Tokenizer(ABC):
    """Sentences -> tokens of a language model."""

    @abstractmethod
    def encode(self, sentence: str) -> list[int]:
        """Tokens of a sentence; none of an empty one."""

    @abstractmethod
    def reserved(self) -> set[int]:
        """Tokens that actions must not take: those with a meaning of their own."""

    def least_used(self, count: int, vocabulary: int) -> list[int]:
        """`count` tokens for actions, ascending: the last of a vocabulary of that size.

        Vocabularies are sorted by how often tokens were met when they were made, so that the last ones
        are the rarest (Brohan et al. 2023, RT-2; Kim et al. 2024, OpenVLA); rows of the embedding that
        stand for nothing come behind them.
        """
        reserved = self.reserved()
        free = [token for token in range(vocabulary) if token not in reserved]
        if len(free) < count:
            raise UserError(
                f"The vocabulary of {vocabulary} tokens leaves {len(free)} for actions; {count} bins "
                "were asked for.",
                f"Set model.language_model.vocabulary to {vocabulary - len(free) + count} or more, or "
                "lower model.num_bins.",
            )
        return free[-count:]


class ByteTokenizer(Tokenizer):
    """The bytes of a sentence in UTF-8: nothing is unknown, and nothing has to be kept."""

    def encode(self, sentence: str) -> list[int]:
        return list(sentence.encode())

    def reserved(self) -> set[int]:
        return set(range(256))


class PretrainedTokenizer(Tokenizer):
    """The tokenizer that came with a language model, from the text of its `tokenizer.json`."""

    def __init__(self, text: str):
        self._tokenizer = TokenizerFile.from_str(text)

    def encode(self, sentence: str) -> list[int]:
        return self._tokenizer.encode(sentence).ids if sentence else []

    def reserved(self) -> set[int]:
        return set(self._tokenizer.get_added_tokens_decoder())
