"""RT-1-style policy with pretrained word vectors: actions as discrete tokens."""

from functools import partial

from vla.data.spec import DataSpec
from vla.policies.parts.discrete_head import DiscreteHead
from vla.policies.parts.pretrained_words.artefact import PretrainedWords
from vla.policies.parts.pretrained_words.policy import PretrainedWordsPolicy
from vla.policies.protocol import Policy
from vla.policies.rt1_pretrained_words.config import Config


def build(config: Config, spec: DataSpec) -> Policy:
    """The policy with fresh weights from PyTorch's global generator, but for its word vectors."""
    return _policy(config, spec, PretrainedWords.read(config.word_weights))


def restore(config: Config, spec: DataSpec, assets: dict[str, str]) -> Policy:
    """The policy to load trained weights into."""
    return _policy(config, spec, PretrainedWords.restored(assets))


def _policy(config: Config, spec: DataSpec, words: PretrainedWords) -> Policy:
    head = partial(DiscreteHead, num_bins=config.num_bins)
    return PretrainedWordsPolicy(config, spec, head, words)
