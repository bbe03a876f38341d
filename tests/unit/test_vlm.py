"""Policies on vision-language models: the library's own outputs, only actions, only what is to learn."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    Dinov2Config,
    Dinov2Model,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
    SiglipConfig,
    SiglipModel,
    SiglipVisionModel,
    ViTConfig,
    ViTModel,
)

from tests.project import ROOT
from tests.records import POLICY_FACTS
from tests.unit.conftest import TINY_MODELS
from vla.data.randomness import POLICY, sample_words
from vla.data.samples import Samples, observe
from vla.data.sampling import Sampler
from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.plan.reading import load_experiment, model_settings
from vla.policies.building import build_policy, count_parameters
from vla.policies.parts.vlm import masks, pretrained
from vla.policies.parts.vlm.tokens import ByteTokenizer
from vla.policies.parts.vlm.vision import VisionTower, fresh_tower, pretrained_tower
from vla.policies.protocol import Inputs, Policy
from vla.policies.storage import load_policy, read_description, save_policy
from vla.training.optimizer import build_optimizer, optimise

KINDS = ("RT2", "OFT", "flow")
BATCH, CHUNK, DIM = 3, 4, 4


@pytest.fixture(scope="module")
def spec(store):
    return store.spec


@pytest.fixture
def policy(spec):
    """A tiny policy; keywords add to its `model` section."""

    def build(kind: str, of: DataSpec = spec, seed: int = 0, **model) -> Policy:
        section = TINY_MODELS[kind] | {"type": kind} | model
        torch.manual_seed(seed)
        return build_policy(model_settings(section).model_validate(section), of).eval()

    return build


@pytest.fixture
def inputs(store):
    """The first training batch as a policy's processor gives it."""

    def make(built: Policy, step: int = 0) -> Inputs:
        sampler = Sampler(store, seed=0, batch_size=BATCH, chunk_length=CHUNK, augmentation=False)
        return built.processor(sampler.batch(step))

    return make


@pytest.mark.parametrize(
    ("kind", "steps", "bound"), [("RT2", 60, 0.08), ("OFT", 60, 0.1), ("flow", 160, 0.4)]
)
def test_policy_acts_as_it_was_taught(policy, make_config, kind, steps, bound):
    """Three demonstrations by heart: `bound` is on the mean distance, 0.7 or so for random actions."""
    random = np.random.default_rng(0)
    span = DataSpec(
        ("a",), 16, ("go", "stop"), (0.0,) * DIM, (1.0,) * DIM, (-1.0,) * DIM, (1.0,) * DIM
    )
    taught = Samples(
        pictures=random.integers(0, 256, (BATCH, 1, 3, 16, 16), np.uint8),
        instructions=["go", "stop", "go"],
        state=random.normal(size=(BATCH, DIM)).astype(np.float32),
        actions=random.uniform(-1, 1, (BATCH, CHUNK, DIM)).astype(np.float32),
        valid=np.ones((BATCH, CHUNK), bool),
    )
    built, config = policy(kind, span).train(), make_config().training
    optimizer, losses = build_optimizer(built, config), []
    for step in range(steps):
        words = sample_words(0, POLICY, BATCH * step, BATCH)
        given = built.processor(taught._replace(words=words))
        losses.append(optimise(built, optimizer, [given], 3e-3, config)[0].item())
    assert losses[-1] < losses[0]
    assert (built.eval().act(given) - given["actions"]).abs().mean() < bound


@pytest.mark.parametrize(
    ("kind", "model"), [*((kind, {}) for kind in KINDS), ("RT2", {"order": "parallel"})]
)
def test_policy_on_disk_acts_the_same(policy, inputs, spec, tmp_path, kind, model):
    built, path = policy(kind, **model), tmp_path / "policy.safetensors"
    save_policy(built, path, POLICY_FACTS)
    loaded = load_policy(path)
    given = inputs(built)
    actions = built.act(given)
    assert torch.equal(loaded.act(inputs(loaded)), actions)
    assert actions.shape == (BATCH, CHUNK, DIM) and actions.dtype == torch.float32
    slack = 1e-5
    assert (actions >= torch.tensor(spec.action_low) - slack).all()
    assert (actions <= torch.tensor(spec.action_high) + slack * 100).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_camera_the_state_and_the_instruction_decide(policy, store, kind):
    two = DataSpec(**{**store.spec.as_json(), "cameras": ("side", "gripper")})
    built = policy(kind, two)
    pictures = np.concatenate([store.pictures[:1], store.pictures[1:2]], 1)[0]
    seen = (pictures, "open the faucet", store.state[0])

    def loss(pictures, sentence, state) -> float:
        given = built.processor(observe(pictures, sentence, state))
        given |= {"actions": torch.zeros(1, CHUNK, DIM), "valid": torch.ones(1, CHUNK).bool()}
        return built.loss(given).item()

    others = [(pictures, "press", seen[2]), (pictures, seen[1], seen[2] + 1)]
    for camera in (0, 1):
        changed = pictures.copy()
        changed[camera] = 255 - changed[camera]
        others.append((changed, *seen[1:]))
    assert all(loss(*other) != loss(*seen) for other in others)


@pytest.mark.parametrize("kind", KINDS)
def test_policy_without_language_hears_nothing(policy, store, kind):
    deaf = policy(kind, language=False)
    heard = [
        deaf.act(deaf.processor(observe(store.pictures[0], sentence, store.state[0])))
        for sentence in ("open the faucet", "press", "")
    ]
    assert all(torch.equal(heard[0], other) for other in heard[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(policy, inputs, kind):
    built = policy(kind)
    given = inputs(built)
    padded = given | {"tokens": given["tokens"].masked_fill(~given["said"], 7)}
    assert not given["said"].all()
    assert torch.equal(built.act(padded), built.act(given))
    assert torch.equal(built.loss(padded), built.loss(given))


@pytest.mark.parametrize("kind", ["RT2", "OFT"])
def test_actions_beyond_the_end_of_an_episode_teach_nothing(policy, inputs, kind):
    built = policy(kind)
    given = inputs(built)
    given["valid"][0] = torch.tensor([True, True, False, False])

    def loss(step: int) -> torch.Tensor:
        actions = given["actions"].clone()
        actions[0, step] = 1.0
        return built.loss(given | {"actions": actions})

    assert torch.equal(loss(2), built.loss(given))
    assert not torch.equal(loss(1), built.loss(given))


def test_language_model_gives_the_librarys_own_outputs(policy, inputs):
    built = policy("RT2")
    prefix = built.prefix(inputs(built))
    count = int(prefix.real[0].sum())
    theirs = LlamaForCausalLM(built.language.config).eval()
    theirs.model.load_state_dict(built.language.decoder.state_dict())
    theirs.lm_head.load_state_dict(built.language.head.state_dict())
    real = prefix.real[:1, :count]
    ours = built.language(
        prefix.embedded[:1, :count], masks.causal_prefix(real), prefix.positions[:1, :count]
    )
    expected = theirs(inputs_embeds=prefix.embedded[:1, :count]).logits
    torch.testing.assert_close(built.language.logits(ours), expected)


def test_vision_tower_gives_the_librarys_own_outputs():
    torch.manual_seed(0)
    tower, pictures = fresh_tower("ViT-Ti/8", 16), torch.randint(0, 256, (2, 3, 16, 16)).byte()
    theirs = ViTModel(tower.model.config, add_pooling_layer=False).eval()
    theirs.load_state_dict(tower.model.state_dict())
    expected = theirs(pictures / 127.5 - 1).last_hidden_state[:, 1:]
    torch.testing.assert_close(tower.eval()(pictures), expected)


def test_tokens_decoded_with_a_cache_are_those_of_a_pass_without(policy, inputs):
    built = policy("RT2")
    given = inputs(built)
    with torch.inference_mode():
        decoded = built.decode(given)
        bins = decoded.argmax(-1)
        whole = built.language.logits(built.read(given, bins))[..., built.action_tokens]
    assert bins.shape == (BATCH, CHUNK * DIM)
    torch.testing.assert_close(decoded, whole)
    assert torch.equal(whole.argmax(-1), bins)


@pytest.mark.parametrize("order", ["sequential", "parallel"])
def test_only_action_tokens_are_produced(policy, inputs, order):
    built = policy("RT2", order=order)
    with torch.no_grad():  # the model would rather say a byte
        built.language.head.weight[:256] *= 1e3
    given = inputs(built)
    bins = (built.act(given) - built.action_low) / (built.action_high - built.action_low) * 15
    torch.testing.assert_close(bins, bins.round(), atol=1e-3, rtol=0)
    assert built.decode(given).shape == (BATCH, CHUNK * DIM, 16)


def test_actions_take_the_least_used_tokens(policy):
    assert policy("RT2").action_tokens.tolist() == list(range(304, 320))
    with pytest.raises(UserError, match="320 tokens leaves 64 for actions; 65 bins"):
        ByteTokenizer().least_used(65, 320)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tuning", ["frozen", "lora", "full"])
def test_only_what_is_to_learn_changes(policy, inputs, make_config, kind, tuning):
    built = policy(kind, tuning={"vision": tuning, "language": tuning, "lora_rank": 2}).train()
    before = {name: value.clone() for name, value in built.state_dict().items()}
    given = inputs(built)
    assert torch.equal(
        built.loss(given), policy(kind).train().loss(given)
    )  # adapters begin at zero
    config = make_config().training
    optimizer = build_optimizer(built, config)
    for _ in range(2):
        optimise(built, optimizer, [given], 1e-3, config)
    after = built.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    parts = {name for name in changed if name.startswith(("vision.", "language."))}
    if tuning == "lora":
        assert parts and all("lora_" in name for name in parts)
    assert bool(parts) == (tuning != "frozen")
    assert {"projector.0.weight", "state.0.weight", "camera"} <= changed


def test_learning_rates_fall_from_block_to_block(policy):
    built = policy("RT2", tuning={"layer_decay": 0.5})
    scale = {
        id(parameter): group["lr_scale"]
        for group in built.parameter_groups()
        for parameter in group["params"]
    }
    named = dict(built.named_parameters())
    assert scale.keys() == {id(parameter) for parameter in named.values()}
    decoder = "language.decoder"
    expected = {
        f"{decoder}.embed_tokens.weight": 0.25,
        f"{decoder}.layers.0.mlp.up_proj.weight": 0.5,
        f"{decoder}.layers.1.mlp.up_proj.weight": 1,
        f"{decoder}.norm.weight": 1,
        "projector.0.weight": 1,
        "vision.model.layers.0.layernorm_before.weight": 0.5**11,
        "vision.model.embeddings.cls_token": 0.5**12,
    }
    assert {name: scale[id(named[name])] for name in expected} == expected


@pytest.mark.parametrize("kind", KINDS)
def test_recomputed_blocks_give_the_same_gradients(policy, inputs, kind):
    gradients = []
    for checkpointing in (False, True):
        built = policy(kind, tuning={"gradient_checkpointing": checkpointing}).train()
        built.loss(inputs(built)).backward()
        gradients.append([p.grad for p in built.parameters() if p.grad is not None])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))


def test_prefix_never_sees_a_slot_and_slots_see_all_that_is_real():
    real = torch.tensor([[True, True, True, False]])
    for prefix in (masks.causal_prefix(real), masks.open_prefix(real)):
        mask = masks.joined(prefix, masks.open_slots(real, 2))[0, 0]
        assert not mask[:4, 4:].any()
        assert mask[4:].int().tolist() == [[1, 1, 1, 0, 1, 1]] * 2
        assert not mask[:3, 3].any() and mask.diagonal().all()
    assert masks.open_prefix(real)[0, 0, :3, :3].all()
    assert not masks.causal_prefix(real)[0, 0].triu(1).any()
    assert masks.causal_slots(real, 2)[0, 0].int().tolist() == [
        [1, 1, 1, 0, 1, 0],
        [1, 1, 1, 0, 1, 1],
    ]
    assert masks.slot_positions(real, 2).tolist() == [[3, 4]]


def test_expert_reads_what_the_language_model_made_and_leaves_it(policy, inputs):
    built = policy("flow")
    given = inputs(built)
    real, cache = built.remember(given)
    kept = [(layer.keys.clone(), layer.values.clone()) for layer in cache.layers]
    noise = given["noise"].requires_grad_()
    velocity = built.velocity(real, cache, noise, given["time"])
    for layer, (keys, values) in zip(cache.layers, kept, strict=True):
        assert torch.equal(layer.keys[:, :, : real.shape[1]], keys)
        assert torch.equal(layer.values[:, :, : real.shape[1]], values)
    (seen,) = torch.autograd.grad(velocity[0, 0].sum(), noise)
    assert (seen[0] != 0).any(-1).all() and not seen[1:].any()  # every slot, of its own sample


def test_noise_follows_from_seed_step_and_sample_alone(policy, store):
    built = policy("flow")

    def drawn(seed: int, batch_size: int, step: int) -> Inputs:
        sampler = Sampler(
            store, seed=seed, batch_size=batch_size, chunk_length=CHUNK, augmentation=False
        )
        return built.processor(sampler.batch(step))

    whole, half = drawn(0, 4, 3), drawn(0, 2, 7)  # samples 12 to 15, samples 14 and 15
    for name in ("noise", "time"):
        assert torch.equal(whole[name][2:], half[name])
        assert not torch.equal(whole[name], drawn(1, 4, 3)[name])
    assert len(set(whole["time"].tolist())) == 4

    def acted(seed: int, step: int) -> torch.Tensor:
        seen = observe(store.pictures[0], "press", store.state[0], seed, step)
        return built.act(built.processor(seen))

    assert torch.equal(acted(1, 8), acted(1, 8))
    assert not torch.equal(acted(1, 8), acted(1, 16))
    assert not torch.equal(acted(1, 8), acted(2, 8))


def test_velocity_of_a_straight_line_leads_from_noise_to_actions(policy, inputs, monkeypatch):
    built = policy("flow", integration_steps=7)
    given = inputs(built)
    target = built.scaled(given["actions"]).clamp(-1, 1)
    straight = given["noise"] - target
    monkeypatch.setattr(built, "velocity", lambda *_: straight)
    torch.testing.assert_close(built.scaled(built.act(given)), target, atol=1e-5, rtol=1e-5)


VISION = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16}
LANGUAGE = {
    **{"vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8},
}


def small_vision(kind: str) -> PreTrainedModel:
    sizes = VISION | {"intermediate_size": 32, "patch_size": 8}
    if kind == "siglip":
        text = {
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "vocab_size": 20,
        }
        return SiglipModel(
            SiglipConfig(vision_config=sizes, text_config=text | {"intermediate_size": 16})
        )
    return (
        ViTModel(ViTConfig(**sizes))
        if kind == "vit"
        else Dinov2Model(Dinov2Config(**VISION, patch_size=8))
    )


@pytest.mark.parametrize("kind", ["vit", "siglip", "dinov2"])
def test_pretrained_towers_give_the_librarys_own_outputs(tmp_path, kind):
    torch.manual_seed(0)
    theirs = small_vision(kind).eval()
    theirs.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(
        '{"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.2, 0.2]}'
    )
    tower: VisionTower = pretrained_tower(pretrained.read_assets(tmp_path), tmp_path).eval()
    pictures = torch.randint(0, 256, (2, 3, 16, 16)).byte()
    pixels = (pictures / 255 - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)) / 0.2
    if kind == "siglip":
        theirs = SiglipVisionModel.from_pretrained(tmp_path)
    expected = theirs(pixel_values=pixels).last_hidden_state
    torch.testing.assert_close(tower(pictures), expected[:, -4:])


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    """A project whose weights/ holds a small SigLIP, and a small Qwen3 with tied embeddings."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(1)
    small_vision("siglip").save_pretrained(tmp_path / "weights/eyes")
    language = Qwen3ForCausalLM(Qwen3Config(**LANGUAGE, tie_word_embeddings=True))
    language.save_pretrained(tmp_path / "weights/words")
    words = {"<end>": 0, "<unknown>": 1, "open": 2, "the": 3, "faucet": 4}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<end>"])
    tokenizer.save(str(tmp_path / "weights/words/tokenizer.json"))
    monkeypatch.setattr(pretrained, "ROOT", tmp_path)
    return tmp_path / "weights"


PRETRAINED = {"vision_weights": "eyes", "language_weights": "words"}


@pytest.mark.parametrize("kind", KINDS)
def test_policy_starts_from_pretrained_weights_and_is_loaded_without_them(
    policy, inputs, weights, tmp_path, kind
):
    built, path = policy(kind, **PRETRAINED), tmp_path / "policy.safetensors"
    assert torch.equal(
        policy(kind, seed=5, **PRETRAINED).vision.model.post_layernorm.weight,
        built.vision.model.post_layernorm.weight,
    )
    theirs = Qwen3ForCausalLM.from_pretrained(weights / "words")
    for name, value in theirs.model.state_dict().items():
        assert torch.equal(built.language.decoder.state_dict()[name], value), name
    assert built.processor.tokenizer.encode("open the tap") == [2, 3, 1]
    if kind == "RT2":
        assert built.action_tokens.tolist() == list(range(284, 300))
    save_policy(built, path, POLICY_FACTS)
    weights.rename(tmp_path / "gone")
    loaded = load_policy(path)
    assert torch.equal(loaded.act(inputs(loaded)), built.act(inputs(built)))
    assert set(read_description(path).assets) == {
        "vision/config.json",
        "language/config.json",
        "language/tokenizer.json",
    }


def test_missing_weights_say_how_they_come(policy, weights):
    with pytest.raises(UserError, match=r"ears/config.json is missing") as caught:
        policy("OFT", vision_weights="ears")
    assert "vla pin weights/ears" in caught.value.way_out


def test_weights_of_another_kind_are_refused(policy, weights):
    with pytest.raises(UserError, match="of a siglip, which is no language model known here"):
        policy("OFT", language_weights="eyes")


def test_pickled_weights_are_never_read(policy, weights):
    (weights / "words/model.safetensors").unlink()
    harm = "import os; os.mkdir('harm')"
    (weights / "words/pytorch_model.bin").write_bytes(f'cbuiltins\nexec\n(S"{harm}"\ntR.'.encode())
    with pytest.raises(UserError, match="cannot be read as a Qwen3ForCausalLM"):
        policy("OFT", language_weights="words")
    assert not Path("harm").exists()


def test_weights_that_lack_a_tensor_are_refused(policy, weights):
    path = weights / "words/model.safetensors"
    tensors = load_file(path)
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(
        UserError, match=r"lacks 1 weights of a Qwen3ForCausalLM, such as model\.layers"
    ):
        policy("OFT", language_weights="words")


def test_description_cannot_ask_for_other_code_or_for_quantised_weights(policy, inputs, weights):
    config = weights / "words/config.json"
    given, plain = json.loads(config.read_text()), policy("OFT", language_weights="words")
    asked = {"attn_implementation": "somebody/attention", "auto_map": {"AutoModel": "evil.Model"}}
    config.write_text(json.dumps(given | asked))
    built = policy("OFT", language_weights="words")
    assert torch.equal(built.act(inputs(built)), plain.act(inputs(plain)))
    config.write_text(json.dumps(given | {"quantization_config": {"quant_method": "bitsandbytes"}}))
    with pytest.raises(UserError, match="says that they are quantised"):
        policy("OFT", language_weights="words")


def test_weights_whose_description_is_wrong_are_refused(policy, weights):
    config = weights / "words/config.json"
    config.write_text(
        config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3')
    )
    with pytest.raises(UserError, match="describes no Qwen3Config"):
        policy("OFT", language_weights="words")


def test_too_long_instruction_is_refused(policy):
    with pytest.raises(UserError, match="has 31 tokens"):
        policy("OFT").processor.check("open the faucet and the drawer!")


def test_pictures_that_no_patch_fits_are_refused(policy):
    with pytest.raises(UserError, match="patches of 8 pixels; 20 is no multiple"):
        policy("OFT", picture_size=20)


def test_small_policies_and_plans_load_neither_transformers_nor_peft():
    code = (
        "import sys, torch\n"
        "from vla.data.spec import DataSpec\n"
        "from vla.plan.reading import model_settings\n"
        "from vla.policies.building import build_policy\n"
        "import vla.training.job, vla.evaluation.evaluator, vla.policies.storage\n"
        "for family in ('RT2', 'OFT', 'flow'): model_settings({'type': family})\n"
        "spec = DataSpec(('a',), 32, ('go',), (0.0,), (1.0,), (-1.0,), (1.0,))\n"
        "for family in ('BC', 'RT1'): build_policy(model_settings({'type': family})(), spec)\n"
        "assert not {'transformers', 'peft', 'tokenizers'} & sys.modules.keys()"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr


def test_rt2_of_the_requirements_has_300_million_parameters():
    """Experiment 101, on CALVIN's cameras, proprioception (15) and actions (7)."""
    config = load_experiment(ROOT / "experiments/exp_101_rt2_calvin/config.yaml")
    cameras = config.data.cameras
    spec = DataSpec(cameras, 200, ("go",), (0.0,) * 15, (1.0,) * 15, (-1.0,) * 7, (1.0,) * 7)
    with torch.device("meta"):  # no memory for weights
        built = build_policy(config.model, spec)
    assert config.model.num_params == 300_000_000
    assert count_parameters(built) == pytest.approx(300e6, rel=0.1)
    assert count_parameters(built.vision) == pytest.approx(86e6, rel=0.01)  # ViT-B/16
