"""Policies: what they see, what they may answer, and how they are kept on disk."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from tests.records import POLICY_FACTS
from vla.data.samples import Samples, observe
from vla.data.sampling import Sampler
from vla.errors import UserError
from vla.files.atomic import write_json
from vla.files.described import describe_file
from vla.files.sealed import read_sealed, write_sealed
from vla.policies.building import build_policy, count_parameters
from vla.policies.parts.vocabulary import UNKNOWN, Vocabulary
from vla.policies.protocol import Inputs, Policy
from vla.policies.storage import load_policy, save_policy

CHUNK, WORDS, ACTIONS, BATCH = 4, 6, 4, 3
FAMILIES = ("BC", "RT1")


@pytest.fixture(scope="module")
def spec(store):
    return store.spec


@pytest.fixture
def policy(spec, make_config):
    def build(**model) -> Policy:
        torch.manual_seed(0)
        return build_policy(make_config(model=model).model, spec).eval()

    return build


@pytest.fixture
def inputs(store):
    """What a policy is given for the first frames under one sentence, to act or to learn from."""

    def make(policy: Policy, sentence: str = "open the faucet", chunk: int = 0) -> Inputs:
        samples = Samples(
            pictures=store.pictures[:BATCH],
            instructions=[sentence] * BATCH,
            state=store.state[:BATCH],
            actions=np.zeros((BATCH, chunk, ACTIONS), np.float32),
            valid=np.ones((BATCH, chunk), bool),
        )
        return policy.processor(samples)

    return make


@pytest.fixture
def vocabulary(spec):
    return Vocabulary.of(spec.sentences)


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("decoding", ["argmax", "expectation"])
def test_actions_keep_to_the_range_of_the_data(policy, inputs, spec, kind, decoding):
    built = policy(type=kind)
    with torch.no_grad():
        for parameter in built.head.parameters():
            parameter.mul_(1000)  # answers far outside
    actions = built.act(inputs(built), decoding)
    assert actions.shape == (BATCH, CHUNK, ACTIONS)
    assert actions.dtype == torch.float32
    low, high = torch.tensor(spec.action_low), torch.tensor(spec.action_high)
    slack = 1e-5 * (high - low)
    assert (actions >= low - slack).all()
    assert (actions <= high + slack).all()


@pytest.mark.parametrize("kind", FAMILIES)
def test_language_decides_what_the_policy_does(policy, inputs, kind):
    told = policy(type=kind)
    sentences = ("open the faucet", "press", "")
    answers = [told.act(inputs(told, sentence), "expectation") for sentence in sentences]
    assert not torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])


@pytest.mark.parametrize("kind", FAMILIES)
def test_policy_without_language_does_not_see_words(policy, inputs, kind):
    deaf = policy(type=kind, language=False)
    seen = [inputs(deaf, sentence, CHUNK) for sentence in ("open the faucet", "press", "")]
    answers = [deaf.act(each, "expectation") for each in seen]
    losses = [deaf.loss(each) for each in seen]
    assert all(torch.equal(answers[0], other) for other in answers[1:])
    assert all(torch.equal(losses[0], other) for other in losses[1:])


def test_bins_become_actions_by_likeliest_bin_or_mean(policy, inputs, spec):
    built = policy(type="RT1", num_bins=5)
    low, high = torch.tensor(spec.action_low), torch.tensor(spec.action_high)
    bins = torch.tensor([-1, -0.5, 0, 0.5, 1])
    with torch.no_grad():  # every dimension: bin 0 twice as likely as bin 4, the others never
        built.head.out.weight.zero_()
        logits = torch.tensor([2.0, 0, 0, 0, 1.0]).log().clamp(min=-100)
        built.head.out.bias.copy_(logits.repeat(ACTIONS))
    likeliest = built.act(inputs(built), "argmax")
    mean = built.act(inputs(built), "expectation")
    expected = (bins * torch.tensor([2 / 3, 0, 0, 0, 1 / 3])).sum()
    assert torch.allclose(likeliest, low.expand_as(likeliest))
    assert torch.allclose(
        mean, ((expected + 1) / 2 * (high - low) + low).expand_as(mean), atol=1e-4
    )


@pytest.mark.parametrize("kind", FAMILIES)
def test_actions_beyond_the_end_of_an_episode_teach_nothing(policy, inputs, kind):
    built = policy(type=kind)
    given = inputs(built, chunk=CHUNK)
    given["valid"][0, 2:] = False

    def loss(step: int) -> torch.Tensor:
        actions = given["actions"].clone()
        actions[0, step] = 1.0
        return built.loss(given | {"actions": actions})

    assert torch.equal(loss(2), built.loss(given))
    assert not torch.equal(loss(1), built.loss(given))


def test_stated_number_of_parameters_is_held_to(policy):
    count = count_parameters(policy())
    policy(num_params=round(count * 1.09))
    with pytest.raises(UserError, match=r"model\.num_params states") as caught:
        policy(num_params=round(count * 1.2))
    assert f"{count / 1e6:.2f}M" in caught.value.problem


@pytest.mark.parametrize("encoder", ["ViT-Ti/16", "ViT-S/16", "ViT-B/16", "ViT-L/16"])
def test_vision_transformers_have_their_published_sizes(spec, make_config, encoder):
    published = {"ViT-Ti/16": 5.7e6, "ViT-S/16": 22e6, "ViT-B/16": 86e6, "ViT-L/16": 304e6}
    with torch.device("meta"):
        built = build_policy(make_config(model={"vision_encoder": encoder}).model, spec)
    assert count_parameters(built.vision) == pytest.approx(published[encoder], rel=0.06)


@pytest.mark.parametrize("kind", FAMILIES)
def test_policy_on_disk_acts_the_same(policy, inputs, tmp_path, kind):
    built, path = policy(type=kind), tmp_path / "policy.safetensors"
    facts = save_policy(built, path, POLICY_FACTS)
    loaded = load_policy(path)
    assert facts.key == "abc"
    assert not loaded.training
    assert loaded.spec == built.spec
    assert loaded.config == built.config
    assert torch.equal(loaded.act(inputs(loaded)), built.act(inputs(built)))


OLD_MODEL = {
    "vision_encoder": "ConvStem/16",
    "language": True,
    "max_words": WORDS,
    "fusion": {"width": 16, "layers": 1, "heads": 2, "decoder_layers": 1},
    "chunk_length": CHUNK,
    "num_bins": 8,
    "num_params": None,
}


OLD_WEIGHTS = {
    *("camera", "decoder", "fusion", "head", "queries", "state", "vision", "words"),
    *("word_position", "state_mean", "state_std", "action_low", "action_high"),
}


@pytest.mark.parametrize(
    ("kind", "old"),
    [
        ("BC", {"type": "BC", "action_head": None}),
        ("RT1", {"type": "RT2", "action_head": None}),
        ("RT1", {"type": "BC", "action_head": "discrete"}),
    ],
)
def test_policy_files_of_schema_1_are_still_read(policy, inputs, spec, tmp_path, kind, old):
    """When one class had both heads, and the data's spec held words instead of sentences."""
    built = policy(type=kind, **({"num_bins": 8} if kind == "RT1" else {}))
    path = tmp_path / "policy.safetensors"
    save_policy(built, path, POLICY_FACTS)
    words = Vocabulary.of(spec.sentences).words
    old_spec = {n: v for n, v in asdict(spec).items() if n != "sentences"}
    write_json(
        path.with_suffix(".json"),
        {
            "schema": 1,
            "weights": asdict(describe_file(path, tmp_path)),
            "model": old | OLD_MODEL,
            "spec": old_spec | {"vocabulary": {"words": words}},
            **POLICY_FACTS,
        },
    )
    loaded = load_policy(path)
    assert loaded.config == built.config
    assert torch.equal(loaded.act(inputs(loaded)), built.act(inputs(built)))
    assert {name.partition(".")[0] for name in built.state_dict()} == OLD_WEIGHTS


def test_policy_files_of_schema_2_are_still_read(policy, inputs, tmp_path):
    """When the small token policy was called RT2."""
    built, path = policy(type="RT1"), tmp_path / "policy.safetensors"
    save_policy(built, path, POLICY_FACTS)
    content = read_sealed(path.with_suffix(".json"))
    content |= {"schema": 2, "model": content["model"] | {"type": "RT2"}}
    write_sealed(path.with_suffix(".json"), content)
    loaded = load_policy(path)
    assert loaded.config == built.config
    assert torch.equal(loaded.act(inputs(loaded)), built.act(inputs(built)))


def test_policy_file_of_a_later_schema_is_refused(policy, tmp_path):
    path = tmp_path / "policy.safetensors"
    save_policy(policy(), path, POLICY_FACTS)
    description = path.with_suffix(".json")
    write_sealed(description, read_sealed(description) | {"schema": 99})
    with pytest.raises(UserError, match="has schema 99"):
        load_policy(path)


def test_policy_of_a_family_that_is_not_here_names_those_that_are(policy, tmp_path):
    path = tmp_path / "policy.safetensors"
    save_policy(policy(), path, POLICY_FACTS)
    description = path.with_suffix(".json")
    facts = read_sealed(description)
    write_sealed(description, facts | {"model": facts["model"] | {"type": "RT3"}})
    with pytest.raises(UserError, match="no 'RT3' among the policies; did you mean 'rt"):
        load_policy(path)


def test_changed_weights_are_refused(policy, tmp_path):
    path = tmp_path / "policy.safetensors"
    save_policy(policy(), path, POLICY_FACTS)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"policy\.safetensors has changed"):
        load_policy(path)


def test_unseen_words_are_unknown(vocabulary):
    tokens = vocabulary.encode("Open the FLUX faucet!", WORDS)
    known = vocabulary.encode("open the faucet", WORDS)
    assert tokens.tolist() == [known[0], known[1], UNKNOWN, known[2], 0, 0]
    assert UNKNOWN == 1


def test_words_have_tokens_of_their_own(vocabulary):
    words = vocabulary.words
    tokens = [int(vocabulary.encode(word, 1)[0]) for word in words]
    assert sorted(tokens) == list(range(2, len(vocabulary)))


def test_too_long_instruction_is_refused(policy):
    with pytest.raises(UserError, match="has 7 words"):
        policy().processor.check("open the faucet and the other one")


@pytest.mark.parametrize("kind", FAMILIES)
def test_training_and_evaluation_give_a_policy_the_same_inputs(policy, store, kind):
    """Each sample of a batch, met alone in a simulator, is seen exactly as it was learnt from."""
    built = policy(type=kind)
    sampler = Sampler(store, seed=0, batch_size=BATCH, chunk_length=CHUNK, augmentation=False)
    samples = sampler.batch(0)
    learnt = built.processor(samples)
    assert learnt.keys() == {"pictures", "words", "state", "actions", "valid"}
    for row in range(BATCH):
        seen = built.processor(
            observe(samples.pictures[row], samples.instructions[row], samples.state[row])
        )
        assert seen.keys() == {"pictures", "words", "state"}
        for name, tensor in seen.items():
            assert tensor.dtype == learnt[name].dtype
            assert torch.equal(tensor[0], learnt[name][row])


def test_policy_that_reproduces_its_demonstrations_has_no_loss(policy, store):
    """What training scales to [-1, 1] is what acting scales back."""
    built = policy(type="BC")
    sampler = Sampler(store, seed=0, batch_size=BATCH, chunk_length=CHUNK, augmentation=False)
    inputs = built.processor(sampler.batch(0))
    assert built.loss(inputs) > 0.01
    acted = inputs | {"actions": built.act(inputs)}
    assert built.loss(acted) < 1e-5


@pytest.mark.parametrize("encoder", ["ConvStem/16", "ViT-Ti/16"])
def test_picture_that_no_patches_fill_is_refused(spec, make_config, encoder):
    odd = replace(spec, image_size=40)
    with pytest.raises(UserError, match="40 is no multiple"):
        build_policy(make_config(model={"vision_encoder": encoder}).model, odd)
