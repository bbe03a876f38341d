"""Policies: what they see, what they may answer, and how they are kept on disk."""

import dataclasses

import pytest
import torch

from vla.config.model import ModelSection
from vla.errors import UserError
from vla.policies.language import UNKNOWN
from vla.policies.policy import Observation, Policy, build_policy, count_parameters
from vla.policies.storage import load_policy, save_policy
from vla.training.batches import policy_spec

CHUNK, WORDS, ACTIONS, BATCH = 4, 6, 4, 3
HEADS = {"BC": "regression", "RT2": "discrete"}


@pytest.fixture(scope="module")
def spec(store):
    return policy_spec(store.spec)


@pytest.fixture
def policy(spec, make_config):
    def build(**model) -> Policy:
        torch.manual_seed(0)
        return build_policy(make_config(model=model).model, spec).eval()

    return build


@pytest.fixture
def observation(store, spec):
    def observe(sentence: str = "open the faucet") -> Observation:
        words = torch.from_numpy(spec.vocabulary.encode(sentence, WORDS))
        return Observation(
            torch.from_numpy(store.pictures[:BATCH]),
            words.expand(BATCH, -1),
            torch.from_numpy(store.state[:BATCH]),
        )

    return observe


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("decoding", ["argmax", "expectation"])
def test_actions_keep_to_the_range_of_the_data(policy, observation, spec, kind, decoding):
    built = policy(type=kind)
    assert built.config.head == HEADS[kind]
    with torch.no_grad():
        for parameter in built.head.parameters():
            parameter.mul_(1000)  # answers far outside
    actions = built.act(observation(), decoding)
    assert actions.shape == (BATCH, CHUNK, ACTIONS)
    assert actions.dtype == torch.float32
    low, high = torch.tensor(spec.action_low), torch.tensor(spec.action_high)
    slack = 1e-5 * (high - low)
    assert (actions >= low - slack).all()
    assert (actions <= high + slack).all()


@pytest.mark.parametrize("kind", HEADS)
def test_language_decides_what_the_policy_does(policy, observation, kind):
    told = policy(type=kind)
    answers = [told.act(observation(s), "expectation") for s in ("open the faucet", "press", "")]
    assert not torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])


@pytest.mark.parametrize("kind", HEADS)
def test_policy_without_language_does_not_see_words(policy, observation, kind):
    deaf = policy(type=kind, language=False)
    actions = torch.zeros(BATCH, CHUNK, ACTIONS)
    valid = torch.ones(BATCH, CHUNK, dtype=torch.bool)
    seen = [observation(sentence) for sentence in ("open the faucet", "press", "")]
    answers = [deaf.act(each, "expectation") for each in seen]
    losses = [deaf.loss(each, actions, valid) for each in seen]
    assert all(torch.equal(answers[0], other) for other in answers[1:])
    assert all(torch.equal(losses[0], other) for other in losses[1:])


def test_bins_become_actions_by_likeliest_bin_or_mean(policy, observation, spec):
    built = policy(type="RT2", num_bins=5)
    low, high = torch.tensor(spec.action_low), torch.tensor(spec.action_high)
    bins = torch.tensor([-1, -0.5, 0, 0.5, 1])
    with torch.no_grad():  # every dimension: bin 0 twice as likely as bin 4, the others never
        built.head.out.weight.zero_()
        logits = torch.tensor([2.0, 0, 0, 0, 1.0]).log().clamp(min=-100)
        built.head.out.bias.copy_(logits.repeat(ACTIONS))
    likeliest = built.act(observation(), "argmax")
    mean = built.act(observation(), "expectation")
    expected = (bins * torch.tensor([2 / 3, 0, 0, 0, 1 / 3])).sum()
    assert torch.allclose(likeliest, low.expand_as(likeliest))
    assert torch.allclose(
        mean, ((expected + 1) / 2 * (high - low) + low).expand_as(mean), atol=1e-4
    )


@pytest.mark.parametrize("kind", HEADS)
def test_actions_beyond_the_end_of_an_episode_teach_nothing(policy, observation, kind):
    built = policy(type=kind)
    actions = torch.zeros(BATCH, CHUNK, ACTIONS)
    valid = torch.ones(BATCH, CHUNK, dtype=torch.bool)
    valid[0, 2:] = False
    other = actions.clone()
    other[0, 2:] = 1.0
    assert torch.equal(
        built.loss(observation(), actions, valid), built.loss(observation(), other, valid)
    )
    other[0, 1] = 1.0
    assert not torch.equal(
        built.loss(observation(), actions, valid), built.loss(observation(), other, valid)
    )


def test_stated_number_of_parameters_is_held_to(policy):
    count = count_parameters(policy())
    policy(num_params=round(count * 1.09))
    with pytest.raises(UserError, match=r"model\.num_params states") as caught:
        policy(num_params=round(count * 1.2))
    assert f"{count / 1e6:.2f}M" in caught.value.problem


def test_rt2_at_its_full_size_has_300_million_parameters(spec):
    config = ModelSection(
        type="RT2",
        vision_encoder="ViT-B/16",
        num_params="300M",
        fusion={"width": 1024, "layers": 16, "heads": 16},
    )
    with torch.device("meta"):  # no memory for weights
        count = count_parameters(build_policy(config, spec))
    assert count == pytest.approx(300e6, rel=0.1)


@pytest.mark.parametrize("encoder", ["ViT-Ti/16", "ViT-S/16", "ViT-B/16", "ViT-L/16"])
def test_vision_transformers_have_their_published_sizes(spec, make_config, encoder):
    published = {"ViT-Ti/16": 5.7e6, "ViT-S/16": 22e6, "ViT-B/16": 86e6, "ViT-L/16": 304e6}
    with torch.device("meta"):
        built = build_policy(make_config(model={"vision_encoder": encoder}).model, spec)
    assert count_parameters(built.vision) == pytest.approx(published[encoder], rel=0.06)


@pytest.mark.parametrize("kind", HEADS)
def test_policy_on_disk_acts_the_same(policy, observation, tmp_path, kind):
    built, path = policy(type=kind), tmp_path / "policy.safetensors"
    facts = save_policy(built, path, {"key": "abc"})
    loaded = load_policy(path)
    assert facts["key"] == "abc"
    assert not loaded.training
    assert loaded.spec == built.spec
    assert loaded.config == built.config
    assert torch.equal(loaded.act(observation()), built.act(observation()))


def test_changed_weights_are_refused(policy, tmp_path):
    path = tmp_path / "policy.safetensors"
    save_policy(policy(), path, {})
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"policy\.safetensors has changed"):
        load_policy(path)


def test_unseen_words_are_unknown(spec):
    tokens = spec.vocabulary.encode("Open the FLUX faucet!", WORDS)
    known = spec.vocabulary.encode("open the faucet", WORDS)
    assert tokens.tolist() == [known[0], known[1], UNKNOWN, known[2], 0, 0]
    assert UNKNOWN == 1


def test_words_have_tokens_of_their_own(spec):
    words = spec.vocabulary.words
    tokens = [int(spec.vocabulary.encode(word, 1)[0]) for word in words]
    assert sorted(tokens) == list(range(2, len(spec.vocabulary)))


def test_too_long_instruction_is_refused(spec):
    with pytest.raises(UserError, match="has 7 words"):
        spec.vocabulary.encode("open the faucet and the other one", WORDS)


@pytest.mark.parametrize("encoder", ["ConvStem/16", "ViT-Ti/16"])
def test_picture_that_no_patches_fill_is_refused(spec, make_config, encoder):
    odd = dataclasses.replace(spec, image_size=40)
    with pytest.raises(UserError, match="40 is no multiple"):
        build_policy(make_config(model={"vision_encoder": encoder}).model, odd)
