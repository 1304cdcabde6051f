"""Sizes and construction of the tiny models, with random weights."""

# ruff: noqa: TID253 - this module is imported only where a model is wanted
from __future__ import annotations

from typing import Any, Final

from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaProcessor,
    PreTrainedConfig,
)

from snellen.mllms.world_llava import WorldLlavaConfig, WorldLlavaForConditionalGeneration, token_count
from snellen.world.nets.tokenizer import (
    BEGIN,
    CAPTION_TOKENS,
    CHAT_TEMPLATE,
    END,
    IMAGE,
    PAD,
    PROMPT_TOKENS,
    tokenizer,
    vocabulary,
)
from snellen.world.scene.canvas import SIZE

WIDTH: Final = 96
"""Width of the encoders and of the language model."""

PATCH: Final = 8
GRID: Final = SIZE // PATCH
PIXEL_MEAN: Final = 0.5
PIXEL_STD: Final = 0.25

_VISION: Final[dict[str, Any]] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "image_size": SIZE,
    "patch_size": PATCH,
    "hidden_act": "gelu",
}


def _special() -> dict[str, int]:
    ids = vocabulary()
    return {"pad_token_id": ids[PAD], "bos_token_id": ids[BEGIN], "eos_token_id": ids[END]}


def image_text_encoder() -> CLIPModel:
    """Build the tiny CLIP: a ViT of 3 blocks and a text tower of 2."""
    return CLIPModel(
        CLIPConfig(
            vision_config={**_VISION, "intermediate_size": 2 * WIDTH, "projection_dim": WIDTH},
            text_config={
                "hidden_size": 64,
                "intermediate_size": 128,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "vocab_size": len(vocabulary()),
                "max_position_embeddings": CAPTION_TOKENS,
                "projection_dim": WIDTH,
                **_special(),
            },
            projection_dim=WIDTH,
        )
    )


def vision_only_encoder() -> Dinov2Model:
    """Build the tiny vision-only encoder: a ViT of DINOv2's architecture, 3 blocks."""
    return Dinov2Model(Dinov2Config(**_VISION, mlp_ratio=2, layerscale_value=1.0))


def language_model() -> LlamaForCausalLM:
    """Build the tiny language model: a Llama of 4 blocks whose head is tied to its embeddings."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary()),
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=PROMPT_TOKENS,
            tie_word_embeddings=True,
            **_special(),
        )
    )


def multimodal_llm(
    first: CLIPModel | Dinov2Model,
    second: Dinov2Model | None,
    language: LlamaForCausalLM,
    *,
    mixture: str,
    ssl_ratio: float,
    visual: str,
) -> WorldLlavaForConditionalGeneration:
    """Put encoders and language model together; the projectors are new, everything else is copied.

    The first encoder is tapped as LLaVA taps CLIP, one block before the last; a vision-only one after its last block.
    """
    clip = isinstance(first, CLIPModel)
    model = WorldLlavaForConditionalGeneration(
        WorldLlavaConfig(
            vision_config=_settings(first.config.vision_config if clip else first.config),
            text_config=_settings(language.config),
            ssl_config=None if second is None else _settings(second.config),
            mixture=mixture,
            ssl_ratio=ssl_ratio,
            visual_tokens=visual,
            vision_feature_layer=-2 if clip else -1,
            image_token_index=vocabulary()[IMAGE],
            image_seq_length=token_count(visual, GRID) * (2 if mixture == "interleaved" else 1),
            tie_word_embeddings=True,
        )
    )
    model.model.vision_tower.load_state_dict((first.vision_model if clip else first).state_dict())
    if second is not None and model.model.ssl_tower is not None:
        model.model.ssl_tower.load_state_dict(second.state_dict())
    model.model.language_model.load_state_dict(language.model.state_dict())
    model.tie_weights()
    return model


def _settings(config: PreTrainedConfig) -> dict[str, Any]:
    """Copy a configuration without the folder it was loaded from, which is this machine's."""
    return {key: value for key, value in config.to_dict().items() if key != "_name_or_path"}


def image_processor() -> CLIPImageProcessor:
    """Build the preprocessing, which both encoders share: 64 x 64 pixels, mean 0.5, deviation 0.25."""
    return CLIPImageProcessor(
        size={"height": SIZE, "width": SIZE},
        crop_size={"height": SIZE, "width": SIZE},
        do_center_crop=False,
        image_mean=[PIXEL_MEAN] * 3,
        image_std=[PIXEL_STD] * 3,
    )


def processor(model: WorldLlavaForConditionalGeneration) -> LlavaProcessor:
    """Build what turns pictures and chats into a model's input."""
    # Stock LlavaProcessor counts image tokens as (64 / patch_size)^2 + additional: one "patch" is the whole picture.
    return LlavaProcessor(
        image_processor=image_processor(),
        tokenizer=tokenizer(ends=False),
        patch_size=SIZE,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=model.config.image_seq_length - 1,
        image_token=IMAGE,
        chat_template=CHAT_TEMPLATE,
    )
