"""A pretrained word embedding: from `weights/NAME/`, or as a trained policy keeps it."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from vla.errors import UserError
from vla.plugins import ROOT
from vla.weights.places import weights_folder


@dataclass(frozen=True)
class PretrainedWords:
    """`vectors`: float16 (pieces, features), one row a piece of the tokenizer's;
    `tokenizer`: the text of the tokenizer's file."""

    vectors: Tensor
    tokenizer: str

    @classmethod
    def read(cls, name: str) -> "PretrainedWords":
        """The registry's entry of that name. `UserError` when its folder holds no word embedding."""
        folder = weights_folder(name, ROOT)
        path = _only(folder, "*.safetensors")
        tokenizer = _only(folder, "*tokenizer*.json").read_text()
        try:
            tensors = load_file(path, device="cpu")
        except SafetensorError as error:
            raise UserError(f"{path} cannot be read: {error}", "Take other weights.") from None
        shapes = {key: list(tensor.shape) for key, tensor in tensors.items()}
        if len(shapes) != 1 or len(*shapes.values()) != 2:
            raise UserError(
                f"{path} is no word embedding: it holds {shapes}, not one matrix.",
                "Take weights with one row for each piece of their tokenizer.",
            )
        (vectors,) = tensors.values()
        try:
            pieces = Tokenizer.from_str(tokenizer).get_vocab_size()
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            raise UserError(
                f"The tokenizer in {folder} cannot be read: {error}", "Take other weights."
            ) from None
        if pieces > len(vectors):
            raise UserError(
                f"{path} has {len(vectors)} rows for {pieces} pieces of its tokenizer.",
                "Take weights and tokenizer that belong together.",
            )
        return cls(vectors.half(), tokenizer)

    def assets(self) -> dict[str, str]:
        """What a trained policy keeps beside its weights, in which the vectors are."""
        return {"tokenizer.json": self.tokenizer, "shape.json": json.dumps([*self.vectors.shape])}

    @classmethod
    def restored(cls, assets: dict[str, str]) -> "PretrainedWords":
        """From what `assets` gave; the vectors are zero until the policy's weights are loaded."""
        shape = json.loads(assets["shape.json"])
        return cls(torch.zeros(shape, dtype=torch.float16), assets["tokenizer.json"])


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise UserError(
            f"{folder} holds {len(found)} files {pattern}; a word embedding has one.",
            f"Bring it here: vla pin weights/{folder.name}, or snakemake, once it is pinned.",
        )
    return found[0]
