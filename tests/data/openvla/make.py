"""How this folder was made: OpenVLA's own classes, with timm, write and run two small checkpoints.

Not part of the tests. In an environment of its own, with OpenVLA's repository and this project's root on
the path:

    pip install torch==2.13.0 'numpy<2' transformers==4.40.1 tokenizers==0.19.1
    pip install --no-deps timm==0.9.16 torchvision==0.28.0
    python -m tests.data.openvla.make FOLDER
"""

import json
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from tests.openvla_checkpoints import draw, draw_picture

# torchvision's Python is used, not its library of native code, of which it declares two operators.
LIBRARY = torch.library.Library("torchvision", "DEF")
for operator in ("nms", "qnms"):
    LIBRARY.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
# The package's own __init__ imports what training needs.
package = types.ModuleType("prismatic")
package.__path__ = list(find_spec("prismatic").submodule_search_locations)
sys.modules["prismatic"] = package

import timm  # noqa: E402
from prismatic.extern.hf.configuration_prismatic import OpenVLAConfig  # noqa: E402
from prismatic.extern.hf.modeling_prismatic import OpenVLAForActionPrediction  # noqa: E402
from prismatic.extern.hf.processing_prismatic import (  # noqa: E402
    PrismaticImageProcessor,
    PrismaticProcessor,
)
from transformers import LlamaTokenizerFast  # noqa: E402

SIZE = 48  # pixels: 3 x 3 patches of 14 and of 16
DINO, SIGLIP = "vit_small_patch14_reg4_dinov2.lvd142m", "vit_base_patch16_siglip_224"
LANGUAGE = {
    **{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "vocab_size": 32064, "pad_token_id": 32000},
    "torch_dtype": "bfloat16",
}
LOW = [-0.75, -0.5, -0.25, -0.1, -0.15, -0.3, 0.0]
HIGH = [0.9, 0.8, 0.9, 0.1, 0.2, 0.35, 1.0]
STATISTICS = {
    "q01": LOW,
    "q99": HIGH,
    "mask": [True] * 6 + [False],
    "mean": [0.0] * 7,
    "std": [1.0] * 7,
}
OTHER = STATISTICS | {"q01": [-1.0] * 7, "q99": [1.0] * 7}
SENTENCES = ("Pick up the black bowl", "open the drawer")
QUESTION = "What action should the robot take to {}?"
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions. USER: " + QUESTION + " ASSISTANT:"
)


def tokenizer() -> str:
    """A tokenizer.json such as Llama's: bytes, letters from 29871 on, and few words."""
    pieces = {"<unk>": 0, "<s>": 1, "</s>": 2}
    pieces |= {f"<0x{byte:02X}>": byte + 3 for byte in range(256)}
    pieces |= {"he": 300, "▁t": 301, "▁the": 302, "▁a": 303, "on": 304}
    letters = "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ?:.,'"
    pieces |= {letter: 29871 + number for number, letter in enumerate(letters)}
    special = [(0, "<unk>"), (1, "<s>"), (2, "</s>")]
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    begins = [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    content = {
        "version": "1.0",
        "added_tokens": [{"id": i, "content": c, "special": True, **flags} for i, c in special],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": begins,
            "pair": [*begins, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
        },
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": pieces,
            "merges": ["h e", "▁ t", "▁t he", "▁ a", "o n"],
        },
    }
    return json.dumps(content, ensure_ascii=False)


def make(folder: Path, backbone: str, timm_ids: list[str], language: str, prompt: str, **norm):
    """Write one checkpoint's text files, and what OpenVLA makes of two pictures, into `folder`."""
    folder.mkdir(parents=True)
    config = OpenVLAConfig(
        vision_backbone_id=backbone,
        llm_backbone_id=language,
        arch_specifier="no-align+fused-gelu-mlp" if len(timm_ids) > 1 else "no-align+gelu-mlp",
        image_resize_strategy="resize-naive" if len(timm_ids) > 1 else "letterbox",
        text_config=LANGUAGE,
        torch_dtype=torch.bfloat16,
        timm_model_ids=timm_ids,
        timm_override_act_layers=[None] * len(timm_ids),
        image_sizes=[SIZE] * len(timm_ids),
        norm_stats=norm,
    )
    model = OpenVLAForActionPrediction(config).eval()
    model.load_state_dict({n: draw(n, tuple(w.shape)) for n, w in model.state_dict().items()})
    shapes = {name: list(weight.shape) for name, weight in model.state_dict().items()}
    (folder / "shapes.json").write_text(json.dumps(shapes, indent=0))
    data = [timm.data.resolve_model_data_config(timm.create_model(name)) for name in timm_ids]
    pictures = PrismaticImageProcessor(
        use_fused_vision_backbone=len(timm_ids) > 1,
        image_resize_strategy=config.image_resize_strategy,
        input_sizes=[(3, SIZE, SIZE)] * len(timm_ids),
        interpolations=[one["interpolation"] for one in data],
        means=[one["mean"] for one in data],
        stds=[one["std"] for one in data],
    )
    (folder / "tokenizer.json").write_text(tokenizer())
    words = LlamaTokenizerFast.from_pretrained(folder)
    words.add_special_tokens({"pad_token": "<PAD>"})
    processor = PrismaticProcessor(pictures, words)
    for part in (config, processor):
        part.save_pretrained(folder)
    golden = {}
    for number, sentence in enumerate(SENTENCES):
        picture = Image.fromarray(draw_picture(number, 224))
        inputs = processor(prompt.format(sentence.lower()), picture)
        golden[f"pixels{number}"] = inputs["pixel_values"]
        golden[f"prompt{number}"] = inputs["input_ids"]
        with torch.no_grad():
            golden[f"features{number}"] = model.vision_backbone(inputs["pixel_values"])
            key = "libero_spatial"
            action = model.predict_action(**inputs, unnorm_key=key, do_sample=False)
            ids = torch.cat([inputs["input_ids"], torch.tensor([[29871]])], 1)
            said = model.generate(
                ids,
                pixel_values=inputs["pixel_values"],
                max_new_tokens=7,
                do_sample=False,
                output_scores=True,
                return_dict_in_generate=True,
            )
        golden[f"action{number}"] = torch.from_numpy(action)
        golden[f"tokens{number}"] = said.sequences[:, -7:]
        best = torch.cat(said.scores).topk(2).values
        print(
            folder.name, said.sequences[0, -7:].tolist(), "margin", (best[:, 0] - best[:, 1]).min()
        )
    save_file(
        {name: value.contiguous() for name, value in golden.items()}, folder / "golden.safetensors"
    )


if __name__ == "__main__":
    target = Path(sys.argv[1])
    libero = {"action": STATISTICS, "num_transitions": 52970, "num_trajectories": 432}
    make(
        target / "fused",
        "dinosiglip-vit-so-224px",
        [DINO, SIGLIP],
        "llama2-7b-pure",
        "In: " + QUESTION + "\nOut:",
        libero_spatial=libero,
        bridge_orig={"action": OTHER},
    )
    make(target / "single", "dinov2-vit-l", [DINO], "vicuna-v15-7b", VICUNA, libero_spatial=libero)
