"""The fused policy with word vectors that were trained before.

A word's vector is the direction of the sum of its pieces' vectors, as in the pooling that WordLlama's
were trained for (github.com/dleemiller/WordLlama). It is taken word by word rather than for the sentence
as a whole: a mean over the sentence hardly tells "on" from "off" or "open" from "close".
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from vla.data.spec import DataSpec
from vla.policies.parts.fused import FusedPolicy
from vla.policies.parts.head import ActionHead
from vla.policies.parts.pretrained_words.artefact import PretrainedWords
from vla.policies.parts.pretrained_words.config import PretrainedWordsConfig
from vla.policies.parts.pretrained_words.processor import PieceProcessor


class ProjectedWords(nn.Module):
    """Pieces of words, int64 (batch, words, pieces), -1 where there is none -> (batch, words, width).

    The pretrained vectors are frozen, the projection learns. Where there is no word, its bias stands.
    """

    def __init__(self, vectors: Tensor, width: int):
        super().__init__()
        self.vectors = nn.Parameter(vectors, requires_grad=False)
        self.project = nn.Linear(vectors.shape[1], width)

    def forward(self, pieces: Tensor) -> Tensor:
        there = (pieces >= 0).unsqueeze(-1)
        words = (self.vectors[pieces.clamp(min=0)].float() * there).sum(2)
        return self.project(F.normalize(words, dim=-1))


class PretrainedWordsPolicy(FusedPolicy):
    """Apart from its words it starts from the same weights as the policy that learns them, if seeds are
    equal: they are drawn before, in the same order."""

    def __init__(
        self,
        config: PretrainedWordsConfig,
        spec: DataSpec,
        make_head: Callable[[int, int], ActionHead],
        pretrained: PretrainedWords,
    ):
        super().__init__(config, spec, make_head)
        self.processor = PieceProcessor(config, spec, pretrained.tokenizer)
        self.words = ProjectedWords(pretrained.vectors, config.fusion.width)
        self.assets = pretrained.assets()
