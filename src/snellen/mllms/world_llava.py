"""The tiny multimodal LLM: LLaVA with a choice of visual tokens, and, if asked, with a second encoder.

A plain stand-in for the mixture of features, which brings its own modelling and deletes this one. Pictures go through
`vision_tower`, and through `ssl_tower` where there is one; both see the same pixels. `additive` mixes the tokens of the
two before one shared projector, `interleaved` alternates them after two projectors, the first encoder's first (Tong et
al., CVPR 2024, section 4 and figure 7).
"""

# ruff: noqa: TID253 - this module is imported only where a model is wanted
from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForImageTextToText,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaModel,
    PreTrainedConfig,
)
from transformers.configuration_utils import SubConfigSpec
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.llava.modeling_llava import LlavaMultiModalProjector

MIXTURES = ("none", "additive", "interleaved")


class WorldLlavaConfig(LlavaConfig):  # type: ignore[misc]
    """LLaVA's settings, and those of the mixture.

    Attributes:
        ssl_config: The second, vision-only encoder; None where there is none.
        mixture: One of `MIXTURES`.
        ssl_ratio: Share of the second encoder in an additive mixture, from 0 (the first alone) to 1.
        visual_tokens: `all` patch tokens; `pool:k`, their means over k equal squares; `global`, the class token after
            the last LayerNorm, of which the encoder's embedding is a linear map.
        ssl_feature_layer: The block of the second encoder that is tapped; `vision_feature_layer` is the first one's.
    """

    model_type = "snellen_world_llava"
    sub_configs_defaults = {  # noqa: RUF012 - the base class has it so
        **LlavaConfig.sub_configs_defaults,
        "ssl_config": SubConfigSpec(config_class=AutoConfig, model_type="dinov2", optional=True),
    }

    ssl_config: dict[str, Any] | PreTrainedConfig | None = None
    mixture: str = "none"
    ssl_ratio: float = 0.0
    visual_tokens: str = "pool:4"
    ssl_feature_layer: int = -1


class Standard(nn.Module):
    """Subtract the mean token and divide by one deviation, both fixed: those of an encoder's tokens in training.

    Encoders of other scales can then be mixed; within an encoder, what varies more still weighs more.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(()))

    def fit(self, tokens: Tensor) -> None:
        """Take mean and deviation from tokens, [n, k, width]."""
        tokens = tokens.float().flatten(0, 1)
        self.mean.copy_(tokens.mean(0))
        self.deviation.copy_((tokens - self.mean).square().mean().sqrt())

    def forward(self, tokens: Tensor) -> Tensor:
        """Standardise tokens of any shape [..., width]."""
        return (tokens - self.mean) / self.deviation


def visual_tokens(hidden: Tensor, pooled: Tensor, wanted: str) -> Tensor:
    """Choose what the language model gets to see of a picture.

    Args:
        hidden: [n, 1 + g * g, width], the tapped block, its class token first.
        pooled: [n, width], the class token after the last LayerNorm.
        wanted: `all`, `pool:k` or `global`.

    Returns:
        [n, g * g, width], [n, k, width] or [n, 1, width].
    """
    patches = hidden[:, 1:]
    count, places, width = patches.shape
    if wanted == "global":
        chosen = pooled[:, None]
    elif wanted == "all":
        chosen = patches
    else:
        side, grid = math.isqrt(int(wanted.removeprefix("pool:"))), math.isqrt(places)
        squares = patches.reshape(count, side, grid // side, side, grid // side, width)
        chosen = squares.mean((2, 4)).reshape(count, side * side, width)
    return chosen


def token_count(wanted: str, grid: int) -> int:
    """Count the tokens of one encoder: 64, 4 or 1 for `all`, `pool:4` or `global` on a grid of 8 x 8."""
    return {"all": grid * grid, "global": 1}.get(wanted) or int(wanted.removeprefix("pool:"))


class WorldLlavaModel(LlavaModel):  # type: ignore[misc]
    """LLaVA without its head, with the mixture in `get_image_features`."""

    config_class = WorldLlavaConfig

    def __init__(self, config: WorldLlavaConfig) -> None:
        super().__init__(config)
        self.ssl_tower = AutoModel.from_config(config.ssl_config) if config.ssl_config is not None else None
        self.standard = Standard(config.vision_config.hidden_size)
        self.ssl_standard = Standard(self.ssl_tower.config.hidden_size) if self.ssl_tower is not None else None
        self.ssl_projector = None
        if config.mixture == "interleaved":
            assert self.ssl_tower is not None
            # of copies: a configuration that is wrapped anew forgets how its attention is computed
            vision, text = self.ssl_tower.config.to_dict(), config.text_config.to_dict()
            self.ssl_projector = LlavaMultiModalProjector(LlavaConfig(vision_config=vision, text_config=text))
        self.post_init()

    def project(self, first: Tensor, second: Tensor | None) -> Tensor:
        """Mix the two encoders' visual tokens and bring them to the language model's width: [n, tokens, width]."""
        first = self.standard(first)
        if second is None or self.ssl_standard is None:
            projected: Tensor = self.multi_modal_projector(first)
            return projected
        second = self.ssl_standard(second)
        if self.ssl_projector is None:
            return self.multi_modal_projector(first.lerp(second, self.config.ssl_ratio))  # type: ignore[no-any-return]
        both = torch.stack([self.multi_modal_projector(first), self.ssl_projector(second)], dim=2)
        return both.flatten(1, 2)

    def get_image_features(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:  # noqa: ANN401
        """Encode pictures: `pooler_output` is a list of [tokens, width], one a picture."""
        config = self.config
        first = tapped(self.vision_tower, pixel_values, config.vision_feature_layer, config.visual_tokens)
        second = None
        if self.ssl_tower is not None:
            second = tapped(self.ssl_tower, pixel_values, config.ssl_feature_layer, config.visual_tokens)
        features = self.project(first, second)
        return BaseModelOutputWithPooling(last_hidden_state=features, pooler_output=list(features))


def tapped(tower: nn.Module, pixels: Tensor, layer: int, wanted: str) -> Tensor:
    """Run an encoder and return its visual tokens: [n, tokens, width]."""
    seen = tower(pixel_values=pixels, output_hidden_states=True)
    return visual_tokens(seen.hidden_states[layer], seen.pooler_output, wanted)


class WorldLlavaForConditionalGeneration(LlavaForConditionalGeneration):  # type: ignore[misc]
    """The tiny multimodal LLM; `AutoModelForImageTextToText` finds it once this module is imported."""

    config_class = WorldLlavaConfig

    def __init__(self, config: WorldLlavaConfig) -> None:
        super().__init__(config)
        self.model = WorldLlavaModel(config)
        self.post_init()


AutoConfig.register(WorldLlavaConfig.model_type, WorldLlavaConfig)
AutoModel.register(WorldLlavaConfig, WorldLlavaModel)
AutoModelForImageTextToText.register(WorldLlavaConfig, WorldLlavaForConditionalGeneration)
