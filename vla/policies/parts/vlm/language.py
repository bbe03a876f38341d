"""Causal language models of `transformers`, used on embeddings rather than on tokens alone."""

import json
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    DynamicCache,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from vla.policies.parts.vlm.config import LanguageModelSection
from vla.policies.parts.vlm.pretrained import check_kind, load_model, make_config

MODELS = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
}


class LanguageModel(nn.Module):
    """A decoder, and the head that makes logits of its outputs (the embedding itself where both are tied)."""

    def __init__(self, causal: PreTrainedModel):
        super().__init__()
        self.decoder = causal.model
        self.head = None if causal.config.tie_word_embeddings else causal.lm_head

    @property
    def config(self) -> LlamaConfig:
        return self.decoder.config

    @property
    def width(self) -> int:
        return self.decoder.config.hidden_size

    @property
    def vocabulary(self) -> int:
        return self.decoder.embed_tokens.num_embeddings

    def without_head(self) -> "LanguageModel":
        """The same, for those who read its outputs themselves."""
        self.head = None
        return self

    def embed(self, tokens: Tensor) -> Tensor:
        """int64 (batch, tokens) -> (batch, tokens, width)."""
        return self.decoder.embed_tokens(tokens)

    def forward(
        self,
        embedded: Tensor,
        attended: Tensor,
        positions: Tensor,
        cache: DynamicCache | None = None,
    ) -> Tensor:
        """(batch, queries, width) -> (batch, queries, width).

        `attended`: bool (batch, 1, queries, keys), True where a query sees a key; `positions`: int64
        (batch, queries); keys and values are added to `cache`, which those before are read from.
        """
        return self.decoder(
            inputs_embeds=embedded,
            attention_mask=attended,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., width) -> (..., vocabulary), in fp32 also under autocast."""
        weight = self.decoder.embed_tokens.weight if self.head is None else self.head.weight
        return F.linear(hidden, weight).float()


def fresh_language_model(section: LanguageModelSection) -> LanguageModel:
    """Llama's architecture, with weights from PyTorch's global generator."""
    config = LlamaConfig(
        vocab_size=section.vocabulary,
        hidden_size=section.width,
        intermediate_size=section.mlp_width,
        num_hidden_layers=section.layers,
        num_attention_heads=section.heads,
        num_key_value_heads=section.key_value_heads,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LanguageModel(LlamaForCausalLM(config))


def pretrained_language_model(assets: dict[str, str], folder: Path | None) -> LanguageModel:
    """The model that `config.json` among the assets describes; with `folder`'s weights, if given.

    `UserError` for other kinds, and when the weights are not that model's.
    """
    content = json.loads(assets["config.json"])
    kind = content.get("model_type", "")
    check_kind("language model", kind, MODELS)
    config_class, model_class = MODELS[kind]
    return LanguageModel(load_model(model_class, make_config(config_class, content), folder))


def new_cache(model: PreTrainedModel) -> DynamicCache:
    """An empty cache of keys and values for all layers of a model."""
    return DynamicCache(config=model.config)
