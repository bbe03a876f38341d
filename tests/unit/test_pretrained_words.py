"""Policies with pretrained word vectors: no word is unknown, the vectors stay, the policy needs no other file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import Prepend

from tests.records import POLICY_FACTS
from vla.data.samples import Samples
from vla.errors import UserError
from vla.plan.reading import model_settings
from vla.policies.building import build_policy
from vla.policies.parts.pretrained_words.processor import MAX_PIECES
from vla.policies.protocol import Inputs, Policy
from vla.policies.storage import load_policy, save_policy
from vla.training.optimizer import build_optimizer, optimise

CHUNK, FEATURES = 4, 8
FUSED = {"fusion": {"width": 16, "layers": 1, "heads": 2}, "chunk_length": CHUNK, "max_words": 6}
FAMILIES = ("BC-pretrained-words", "RT1-pretrained-words")
UNSEEN = ("shut", "tug")  # in no sentence of the tests' data


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    """A project with a small embedding whose pieces are letters, and "the" as a whole."""
    monkeypatch.setattr("vla.policies.parts.pretrained_words.artefact.ROOT", tmp_path)
    letters = ["_", *map(chr, range(ord("a"), ord("z") + 1)), "th", "the", "_the"]
    merges = [("t", "h"), ("th", "e"), ("_", "the")]
    tokenizer = Tokenizer(BPE({piece: row for row, piece in enumerate(letters)}, merges))
    tokenizer.normalizer = Prepend("_")
    folder = tmp_path / "weights/letters"
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "small_tokenizer.json"))
    random = torch.Generator().manual_seed(0)
    vectors = torch.randn(len(letters), FEATURES, generator=random).half()
    save_file({"embedding.weight": vectors}, folder / "small.safetensors")
    return folder


@pytest.fixture
def policy(store, weights):
    def build(kind: str = FAMILIES[0], **model) -> Policy:
        settings = FUSED | model | {"type": kind}
        if kind in FAMILIES:
            settings["word_weights"] = weights.name
        torch.manual_seed(0)
        return build_policy(model_settings(settings).model_validate(settings), store.spec).eval()

    return build


@pytest.fixture
def inputs(store):
    """Of two frames under one sentence."""

    def make(policy: Policy, sentence: str, chunk: int = 0) -> Inputs:
        return policy.processor(
            Samples(
                pictures=store.pictures[:2],
                instructions=[sentence] * 2,
                state=store.state[:2],
                actions=np.zeros((2, chunk, 4), np.float32),
                valid=np.ones((2, chunk), bool),
            )
        )

    return make


def test_word_is_the_direction_of_its_pieces(policy):
    built = policy()
    pieces = torch.from_numpy(built.processor._encode("turn the"))
    assert pieces[1].tolist() == [29] + (MAX_PIECES - 1) * [-1]
    vectors = built.words.vectors.float()
    turn = vectors[[0, *(ord(letter) - ord("a") + 1 for letter in "turn")]].sum(0)
    words = built.words(pieces[None])[0]
    assert torch.allclose(words[0], built.words.project(turn / turn.norm()), atol=1e-6)
    assert torch.equal(words[2], built.words.project.bias)  # where the sentence has ended


@pytest.mark.parametrize("kind", FAMILIES)
def test_words_of_no_training_sentence_are_told_apart(policy, inputs, kind):
    told = policy(kind)
    first, second = (told.act(inputs(told, word), "expectation") for word in UNSEEN)
    assert not torch.equal(first, second)
    learnt = policy(kind.partition("-")[0])
    first, second = (learnt.act(inputs(learnt, word), "expectation") for word in UNSEEN)
    assert torch.equal(first, second)


def test_policy_without_language_does_not_see_words(policy, inputs):
    deaf = policy(language=False)
    assert torch.equal(*(deaf.act(inputs(deaf, word)) for word in UNSEEN))


def test_vectors_stay_and_their_projection_learns(policy, inputs, make_config):
    built = policy().train()
    before = {name: value.clone() for name, value in built.words.state_dict().items()}
    training = make_config().training
    given = inputs(built, "open the faucet", CHUNK)
    optimise(built, build_optimizer(built, training), [given], 0.1, training)
    after = built.words.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        "project.weight",
        "project.bias",
    }


def test_all_but_the_words_starts_as_in_the_policy_that_learns_them(policy):
    ours, theirs = policy().state_dict(), policy("BC").state_dict()
    differ = {name for name in theirs if name not in ours or not ours[name].equal(theirs[name])}
    assert differ == {"words.weight"}


@pytest.mark.parametrize("kind", FAMILIES)
def test_policy_on_disk_needs_the_embedding_no_more(policy, inputs, weights, tmp_path, kind):
    built, path = policy(kind), tmp_path / "policy.safetensors"
    save_policy(built, path, POLICY_FACTS)
    weights.rename(tmp_path / "gone")
    loaded = load_policy(path)
    for sentence in ("open the faucet", *UNSEEN):
        assert torch.equal(loaded.act(inputs(loaded, sentence)), built.act(inputs(built, sentence)))


def test_sentences_and_words_that_are_too_long_are_refused(policy):
    processor = policy().processor
    with pytest.raises(UserError, match="has 7 words") as caught:
        processor.check("a b c d e f g")
    assert "model.max_words" in caught.value.way_out
    with pytest.raises(UserError, match="is 17 pieces long"):
        processor.check("turn " + 16 * "z")


def test_weights_that_are_no_word_embedding_are_refused(policy, weights):
    path = weights / "small.safetensors"
    save_file({"embedding.weight": torch.zeros(29, FEATURES)}, path)
    with pytest.raises(UserError, match="has 29 rows for 30 pieces"):
        policy()
    save_file({"a": torch.zeros(30, FEATURES), "b": torch.zeros(1)}, path)
    with pytest.raises(UserError, match="is no word embedding"):
        policy()
    path.unlink()
    with pytest.raises(UserError, match=r"holds 0 files \*\.safetensors") as caught:
        policy()
    assert "vla pin weights/letters" in caught.value.way_out
