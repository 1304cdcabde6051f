"""Tiny multimodal LLMs of the stock LLaVA architecture: one that says what a table tells it to, and a random one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.encoders.checkpoints import randomise

SIDE, PATCH = 64, 8
WORDS = [
    "<pad>",
    "<unk>",
    "<eos>",
    "<image>",
    "(a)",
    "(b)",
    ":",
    "?",
    ".",
    "Which",
    "one",
    "other",
    "way",
    "dog",
    "what",
]
TEMPLATE = (
    "{% for part in messages[0]['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %} {{ part['text'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %} :{% endif %}"
)


def scripted(folder: Path, following: Mapping[str, str]) -> Path:
    """A model whose next token follows from the last one alone, by a table: `{":": "(b)", "(b)": "<eos>"}`.

    Every block is silenced, tokens are embedded as one-hot vectors, and the head is set by hand.
    """
    import torch

    model = _model()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")) and "language" in name:
                weight.zero_()
        model.get_input_embeddings().weight.copy_(torch.eye(len(WORDS), 64))
        model.lm_head.weight.zero_()
        for last, then in following.items():
            model.lm_head.weight[WORDS.index(then), WORDS.index(last)] = 5.0
    return save_with_processor(model, folder)


def random_model(folder: Path) -> Path:
    """Weights large enough that the answer depends on the picture."""
    return save_with_processor(randomise(_model(), strength=0.3), folder)


def _model() -> Any:
    import torch
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**sizes, "hidden_size": 64, "vocab_size": len(WORDS), "max_position_embeddings": 256}
    return LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=CLIPVisionConfig(**sizes, image_size=SIDE, patch_size=PATCH),
            text_config=LlamaConfig(
                **text, pad_token_id=0, bos_token_id=None, eos_token_id=2, tie_word_embeddings=False
            ),
            image_token_index=WORDS.index("<image>"),
            image_seq_length=(SIDE // PATCH) ** 2,
        )
    )


def save_with_processor(model: Any, folder: Path, side: int = SIDE, patch: int = PATCH) -> Path:
    """Save a LLaVA with an image processor for pictures of `side`, and a tokenizer that knows `WORDS`."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPImageProcessorPil, LlavaProcessor, PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "<eos>"}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side}),
        tokenizer=PreTrainedTokenizerFast(
            tokenizer_object=inner, additional_special_tokens=["<image>"], padding_side="right", **special
        ),
        patch_size=patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
