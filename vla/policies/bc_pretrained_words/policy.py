"""Behaviour cloning with pretrained word vectors: L1 regression of the whole action chunk."""

from vla.data.spec import DataSpec
from vla.policies.bc_pretrained_words.config import Config
from vla.policies.parts.pretrained_words.artefact import PretrainedWords
from vla.policies.parts.pretrained_words.policy import PretrainedWordsPolicy
from vla.policies.parts.regression_head import RegressionHead
from vla.policies.protocol import Policy


def build(config: Config, spec: DataSpec) -> Policy:
    """The policy with fresh weights from PyTorch's global generator, but for its word vectors."""
    words = PretrainedWords.read(config.word_weights)
    return PretrainedWordsPolicy(config, spec, RegressionHead, words)


def restore(config: Config, spec: DataSpec, assets: dict[str, str]) -> Policy:
    """The policy to load trained weights into."""
    return PretrainedWordsPolicy(config, spec, RegressionHead, PretrainedWords.restored(assets))
