"""OpenVLA checkpoints: what OpenVLA's own code makes of the same files, or a refusal that says why."""

import json
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from tests.openvla_checkpoints import CASES, DATA, EVERY, draw_picture, write_checkpoint
from tests.records import POLICY_FACTS
from vla.data.samples import Samples, observe
from vla.errors import UserError
from vla.evaluation.batching import BatchedPolicy
from vla.policies.openvla.architecture import parse_architecture
from vla.policies.openvla.config import Config
from vla.policies.openvla.network import OpenVLA
from vla.policies.openvla.pictures import as_stored, crop_center
from vla.policies.openvla.policy import OpenVLAPolicy, load
from vla.policies.storage import load_policy, save_policy

SENTENCES = [
    "Pick up the black bowl",
    "open the drawer",
]  # as OpenVLA was asked for the golden tokens
CONFIG = Config(
    weights="tiny", tasks={"a": SENTENCES}, unnorm_key="libero_spatial", gripper="unchanged"
)
INDEX = "model.safetensors.index.json"


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A checkpoint of each case. Not to be changed."""
    place = tmp_path_factory.mktemp("openvla")
    return {case: write_checkpoint(case, place / case) for case in CASES}


@pytest.fixture
def folder(folders, tmp_path) -> Path:
    """One to change, of one tower; its weights are the same files until a test replaces them."""
    copy = tmp_path / "checkpoint"
    copy.mkdir()
    for path in folders["single"].iterdir():
        if path.suffix == ".json":
            (copy / path.name).write_text(path.read_text())
        else:
            (copy / path.name).symlink_to(path)
    return copy


def golden(case: str) -> dict[str, Tensor]:
    return load_file(DATA / case / "golden.safetensors")


def inputs(policy: OpenVLAPolicy, case: str) -> dict[str, Tensor]:
    """Both of the golden inputs as one batch, whose prompts are not of one length."""
    seen = samples([draw_picture(number, 224) for number in range(2)])
    pixels = torch.cat([golden(case)[f"pixels{number}"] for number in range(2)])
    return policy.processor(seen) | {"pixels": pixels}


def samples(pictures: list[np.ndarray]) -> Samples:
    one = observe(pictures[0].transpose(2, 0, 1)[None], SENTENCES[0], np.zeros(8, np.float32))
    stacked = np.stack([picture.transpose(2, 0, 1)[None] for picture in pictures])
    return one._replace(pictures=stacked, instructions=SENTENCES[: len(pictures)])


def assert_acts_as_openvla(policy: OpenVLAPolicy, case: str) -> None:
    given = inputs(policy, case)
    expected = torch.cat([golden(case)[f"action{number}"][None] for number in range(2)])
    assert torch.equal(policy.act(given)[:, 0], expected.float())
    swapped = policy.act(given | {"pixels": given["pixels"].flip(0)})
    assert not torch.equal(swapped[:, 0], expected.float())


@pytest.mark.parametrize("case", CASES)
def test_pixels_prompt_features_and_actions_are_openvlas_also_after_it_was_saved_as_ours(
    folders, tmp_path, case
):
    policy, expected = load(CONFIG, folders[case]), golden(case)
    for number, sentence in enumerate(SENTENCES):
        pixels = policy.processor.pictures.for_towers(draw_picture(number, 224))
        np.testing.assert_allclose(pixels, expected[f"pixels{number}"][0], rtol=0, atol=1e-6)
        assert policy.processor.encode(sentence) == [*expected[f"prompt{number}"][0], 29871]
        seen = expected[f"pixels{number}"].split(3, 1)
        towers = policy.model.vision_backbone.values()
        features = torch.cat([tower(part) for tower, part in zip(towers, seen, strict=True)], -1)
        # timm's, of which the mean is about 2.
        torch.testing.assert_close(features, expected[f"features{number}"], rtol=0, atol=5e-5)
    assert_acts_as_openvla(policy, case)
    save_policy(policy, tmp_path / "policy.safetensors", POLICY_FACTS)
    saved = load_policy(tmp_path / "policy.safetensors")
    assert_acts_as_openvla(saved, case)
    assert_acts_as_openvla(BatchedPolicy(saved, 4), case)  # for several episodes at once


def test_tokens_are_those_of_a_plain_pass_of_transformers_in_fp32(folders):
    """Without a cache, and without any weight in the checkpoint's own precision."""
    folder = folders["single"]
    policy = load(CONFIG, folder)
    weights = {
        name: tensor.float()
        for file in sorted(folder.glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }
    content = json.loads((folder / "config.json").read_text())["text_config"]
    language = LlamaForCausalLM(LlamaConfig(**content)).float().eval()
    beginning = "language_model."
    language.load_state_dict(
        {n.removeprefix(beginning): w for n, w in weights.items() if n.startswith(beginning)}
    )
    given = inputs(policy, "single")
    pixels, tokens = given["pixels"][:1], given["tokens"][:1, : given["length"][0]]
    patches = policy.model.projector(policy.model.vision_backbone["featurizer"](pixels))
    embedded = language.get_input_embeddings()(tokens)
    seen = torch.cat([embedded[:, :1], patches, embedded[:, 1:]], 1)
    expected = []
    with torch.no_grad():
        for _ in range(7):
            expected.append(language(inputs_embeds=seen).logits[:, -1].argmax(-1))
            following = language.get_input_embeddings()(expected[-1])[:, None]
            seen = torch.cat([seen, following], 1)
        assert policy.model(pixels, tokens, 7)[0].tolist() == [token.item() for token in expected]
    # What was replaced while it was computed is the checkpoint's again, bit for bit.
    for name, parameter in policy.model.named_parameters():
        assert parameter.dtype == torch.bfloat16
        assert torch.equal(parameter.float(), weights[name])


def test_weights_take_no_memory_before_they_are_used(folders):
    def own_memory() -> int:
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024

    load(CONFIG, folders["fused"])  # brings in what any loading needs
    before = own_memory()
    policy = load(CONFIG, folders["fused"])
    held = sum(p.nbytes for p in policy.parameters())
    assert held > 200e6
    assert own_memory() - before < held / 4


def test_published_sizes_are_those_of_timm_and_of_transformers_4_40(folders):
    """openvla-7b names towers and a few values: the rest are defaults of what wrote it.

    The towers' names, shapes and outputs were compared with timm's by hand (tests/data/openvla/README.md).
    """
    content = json.loads((folders["fused"] / "config.json").read_text()) | {
        "timm_model_ids": [
            "vit_large_patch14_reg4_dinov2.lvd142m",
            "vit_so400m_patch14_siglip_224",
        ],
        "image_sizes": [224, 224],
        "text_config": {"model_type": "llama", "pad_token_id": 32000, "vocab_size": 32064},
    }
    network = OpenVLA(parse_architecture(json.dumps(content), "config.json"))
    towers = {n: sum(p.numel() for p in t.parameters()) for n, t in network.vision_backbone.items()}
    # of timm 0.9.16, without the last block and what comes behind it
    assert towers == {"featurizer": 290_630_656, "fused_featurizer": 397_200_544}
    config = network.language_model.config
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    assert [getattr(config, name) for name in sizes] == [4096, 11008, 32, 32]
    assert config.rms_norm_eps == 1e-6 and config.num_key_value_heads == 32
    assert config.rope_parameters["rope_theta"] == 10000 and network.vocabulary == 32000


def test_pictures_are_tensorflows_but_for_how_a_jpeg_is_decoded():
    expected = load_file(DATA / "tensorflow.safetensors")
    kept = slice(None, None, EVERY)

    def difference(picture: np.ndarray, name: str) -> np.ndarray:
        return np.abs(picture[kept, kept].astype(int) - expected[name].numpy().astype(int))

    stored = as_stored(draw_picture(7, 256))
    accurate = difference(stored, "accurate")
    assert accurate.max() <= 1 and (accurate > 0).mean() < 0.002
    assert difference(stored, "fast").mean() < 1.5  # grey levels, of 256
    assert difference(crop_center(draw_picture(7, 224)), "cropped").max() == 0


def test_policy_sees_the_middle_unless_that_is_switched_off(folder):
    picture = draw_picture(3, 256)
    seen = {}
    for crop in (True, False):
        policy = load(CONFIG.model_copy(update={"center_crop": crop}), folder)
        seen[crop] = policy.processor(samples([picture]))["pixels"][0].numpy()
    pictures, stored = policy.processor.pictures, as_stored(picture)
    assert np.array_equal(seen[False], pictures.for_towers(stored))
    assert np.array_equal(seen[True], pictures.for_towers(crop_center(stored)))


@pytest.mark.parametrize(
    ("gripper", "expected"),
    [("close-positive", [-1, 1]), ("open-positive", [1, -1]), ("unchanged", [0.996, 0])],
)
def test_gripper_is_turned_to_what_the_simulator_takes(folder, gripper, expected):
    policy = load(CONFIG.model_copy(update={"gripper": gripper}), folder)
    tokens = np.full((2, 7), 31872)
    tokens[:, 6] = [31744, 31872]  # the last bin: open; the middle one: closed
    actions = policy.in_units(tokens)
    np.testing.assert_allclose(actions[:, 6], expected, atol=1e-3)
    np.testing.assert_allclose(actions[0, :2], [0.075, 0.15], atol=0.01)


def test_dimensions_are_read_by_their_percentiles_and_strange_tokens_take_an_end(folder):
    policy = load(CONFIG, folder)
    ends = policy.in_units(np.array([[31999] * 7, [31744] * 7, [32063] * 7, [5] * 7]))
    low, high = ends[2], ends[3]
    assert np.array_equal(ends[0], low) and np.array_equal(ends[1], high)
    statistics = policy.statistics
    span = np.array(statistics.q99) - np.array(statistics.q01)
    np.testing.assert_allclose(low[:6], np.array(statistics.q01)[:6] + span[:6] / 510)
    np.testing.assert_allclose(high[:6], np.array(statistics.q99)[:6] - span[:6] / 510)
    assert high[6] == pytest.approx(1 - 1 / 255)  # masked: as it is


def edit(path: Path, *keys: object, value: object) -> None:
    content = json.loads(path.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(content))


def refusal(folder: Path, config: Config = CONFIG) -> str:
    with pytest.raises(UserError) as caught:
        load(config, folder)
    assert caught.value.way_out
    return str(caught.value)


def test_statistics_of_several_datasets_want_a_choice_and_a_wrong_one_lists_them(folders):
    unsaid = CONFIG.model_copy(update={"unnorm_key": None})
    assert "2 datasets: bridge_orig, libero_spatial" in refusal(folders["fused"], unsaid)
    wrong = CONFIG.model_copy(update={"unnorm_key": "libero_goal"})
    assert "Set it to one of: bridge_orig, libero_spatial" in refusal(folders["fused"], wrong)
    assert load(unsaid, folders["single"]).statistics.q01[0] == -0.75  # there is only one


def test_checkpoint_without_statistics_is_refused(folder):
    edit(folder / "config.json", "norm_stats", value=None)
    assert "config.json has no statistics of actions" in refusal(folder)


def test_statistics_beside_the_checkpoint_stand_for_its_own(folder):
    own = {"action": {"q01": [-2.0] * 7, "q99": [2.0] * 7}}
    (folder / "dataset_statistics.json").write_text(json.dumps({"libero_spatial_no_noops": own}))
    assert "Set it to one of: libero_spatial_no_noops" in refusal(folder)
    policy = load(CONFIG.model_copy(update={"unnorm_key": None}), folder)
    assert policy.spec.action_high == (2.0,) * 7
    assert policy.statistics.scaled == (True,) * 7


TIED = {"model_type": "llama", "tie_word_embeddings": True}
QUANTISED = {"model_type": "llama", "quantization_config": {"load_in_4bit": True}}
CHANGES = {
    "another model": (("model_type",), "prismatic", "model_type is 'prismatic', not 'openvla'"),
    "another tower": (
        ("timm_model_ids",),
        ["vit_large_patch14_clip_224.openai"],
        "'vit_large_patch14_clip_224.openai' is not known here; known: vit_small_patch14_reg4",
    ),
    "another activation": (("timm_override_act_layers",), ["quick_gelu"], "timm_override_act"),
    "towers that are not two": (("use_fused_vision_backbone",), True, "2 of each"),
    "another prompt": (("llm_backbone_id",), "llama2-7b-chat", "how 'llama2-7b-chat' is asked"),
    "another language model": (("text_config", "model_type"), "gpt2", "no language model known"),
    "tied": (("text_config",), TIED, "tied embeddings"),
    "quantised": (("text_config",), QUANTISED, "quantised"),
    "another width": (
        ("text_config", "hidden_size"),
        32,
        "embed_tokens.weight has the shape (32064, 64), not (32064, 32)",
    ),
    "more layers": (
        ("text_config", "num_hidden_layers"),
        3,
        "language_model.model.layers.2.self_attn.q_proj.weight is missing",
    ),
    "fewer layers": (
        ("text_config", "num_hidden_layers"),
        1,
        "language_model.model.layers.1.self_attn.q_proj.weight belongs to no part",
    ),
    "other pictures": (("image_sizes",), [224], "prepares pictures for [{48}], config.json says"),
    "statistics of two sizes": (
        ("norm_stats", "libero_spatial", "action", "q99"),
        [1.0],
        "statistics of libero_spatial: action: Value error, q01, q99 and mask",
    ),
}


@pytest.mark.parametrize(("keys", "value", "said"), CHANGES.values(), ids=CHANGES)
def test_what_would_act_differently_is_refused_by_name(folder, keys, value, said):
    edit(folder / "config.json", *keys, value=value)
    assert said in refusal(folder)


def test_tokenizer_that_begins_no_prompt_is_refused(folder):
    edit(folder / "tokenizer.json", "post_processor", value=None)
    assert "begins no prompt with the token" in refusal(folder)


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "model-00002-of-00003.safetensors",
    ],
)
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert f"{name} is missing" in refusal(folder)


def test_files_are_read_from_the_folder_alone(folder):
    edit(folder / INDEX, "weight_map", "x", value="../secret.safetensors")
    assert "names ../secret.safetensors" in refusal(folder)


def test_one_file_needs_no_index_and_what_is_never_used_may_be_gone(folder):
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as content:
            tensors |= {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
        file.unlink()
    (folder / INDEX).unlink()
    unused = parse_architecture((folder / "config.json").read_text(), "config.json").unused
    used = {name: tensor for name, tensor in tensors.items() if not name.startswith(unused)}
    assert len(used) < len(tensors)
    save_file(used, folder / "model.safetensors")
    assert_acts_as_openvla(load(CONFIG, folder), "single")


class _Opens:
    """What a pickle can do to whoever reads it."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_and_pickles_of_a_checkpoint_are_never_run(folder, tmp_path, monkeypatch):
    marks = {name: tmp_path / name for name in ("model", "text", "pickle")}
    for name in ("model", "text"):
        code = f"import os\nos.mkdir({str(marks[name])!r})\nclass X: pass\n"
        (folder / f"{name}_code.py").write_text(code)
    for name in ("pytorch_model.bin", "training_args.bin", "tokenizer.pkl"):
        (folder / name).write_bytes(pickle.dumps(_Opens(marks["pickle"])))
    auto = {"AutoConfig": "model_code.X", "AutoModelForVision2Seq": "model_code.X"}
    for name in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        edit(folder / name, "auto_map", value=auto | {"AutoProcessor": "model_code.X"})
    text = {"AutoConfig": "text_code.X", "AutoModelForCausalLM": "text_code.X"}
    edit(folder / "config.json", "text_config", "auto_map", value=text)
    monkeypatch.chdir(folder)
    assert_acts_as_openvla(load(CONFIG, folder), "single")
    assert not [mark for mark in marks.values() if mark.exists()]


def test_it_is_not_trained_and_takes_no_other_camera_or_decoding(folder):
    policy = load(CONFIG.model_copy(update={"cameras": {"image": "agentview"}}), folder)
    assert policy.spec.cameras == ("agentview",) and policy.spec.state_mean == ()
    with pytest.raises(UserError, match="not trained here"):
        policy.loss({})
    with pytest.raises(UserError, match="likeliest tokens"):
        policy.act({}, "expectation")
    mistaken = CONFIG.model_copy(update={"cameras": {"images": "agentview"}})
    assert "did you mean 'image'?" in refusal(folder, mistaken)
