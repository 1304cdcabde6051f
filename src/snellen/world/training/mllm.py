"""The multimodal LLMs: the same reader on several diets, trained alike, both encoders frozen.

As LLaVA is, each is trained in two stages: first the projectors alone, so that they speak what the language model
reads, then both. In the second, a few questions on text alone go along, lest it forgets how to read.

Frozen encoders see a picture the same way every time, so their visual tokens are computed once.
"""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPModel, Dinov2Model, LlamaForCausalLM

from snellen.mllms.world_llava import WorldLlavaForConditionalGeneration, tapped
from snellen.world.nets.build import multimodal_llm
from snellen.world.scene.facts import Facts, random_for
from snellen.world.training.asking import PLAIN, Asked, asked
from snellen.world.training.language import in_words
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.pictures import pixels
from snellen.world.training.reading import answering_loss, logits
from snellen.world.training.recipe import Recipe

CURVE_POINTS = 10
"""How often a training run is validated."""

VALIDATION_QUESTIONS = 1000


@dataclass(frozen=True)
class Diet:
    """What a multimodal LLM is fed: `clip`, `vision-only`, `additive` at a ratio, or `interleaved`."""

    name: str
    mixture: str = "none"
    ssl_ratio: float = 0.0

    @property
    def first_is_clip(self) -> bool:
        """Say whether the image-text encoder is the first tower; only the vision-only diet has none."""
        return self.name != "vision-only"


DIETS = (
    Diet("clip"),
    Diet("additive-0.25", "additive", 0.25),
    Diet("additive-0.5", "additive", 0.5),
    Diet("additive-0.75", "additive", 0.75),
    Diet("vision-only"),
    Diet("interleaved", "interleaved"),
)
"""The curve of the additive ratio from CLIP alone to vision alone, and the interleaved mixture."""


def eat(tower: nn.Module, layer: int, images: NDArray[np.uint8], visual: str) -> Tensor:
    """Compute the visual tokens of pictures: float16 [n, tokens, width]."""
    with torch.inference_mode():
        parts = [
            tapped(tower, pixels(images[start : start + 250]), layer, visual).half()
            for start in range(0, len(images), 250)
        ]
    return torch.cat(parts).clone()


def train(
    diet: Diet,
    clip: CLIPModel,
    vision_only: Dinov2Model,
    language: LlamaForCausalLM,
    *,
    facts: list[Facts],
    tokens: tuple[Tensor, Tensor],
    held_out: tuple[list[Facts], tuple[Tensor, Tensor]],
    visual: str,
    recipe: Recipe,
    seed: int,
    on_step: Callable[[float], None],
) -> tuple[WorldLlavaForConditionalGeneration, list[dict[str, float]]]:
    """Train projectors and language model on one diet.

    Args:
        diet: What it is fed.
        clip: The image-text encoder, frozen.
        vision_only: The vision-only encoder, frozen.
        language: The reader to start from; it is copied.
        facts: What is true of the training scenes.
        tokens: The visual tokens of the two encoders for them, as `eat` gives them.
        held_out: Facts and tokens of scenes to validate on.
        visual: `all`, `pool:k` or `global`.
        recipe: `align` and `mllm` say how long, `open_share` and `plain_share` what is asked.
        seed: Weights and questions; questions are the same for every diet.
        on_step: Told the loss of every step.

    Returns:
        The model, and its accuracy on held-out questions ten times over training:
        `{step, plain, factors}`, questions with two options, chance 0.5.
    """
    begin(seed)
    first, second = (clip, None) if diet.mixture == "none" else (clip, vision_only)
    model = multimodal_llm(
        first if diet.first_is_clip else vision_only,
        second,
        language,
        mixture=diet.mixture,
        ssl_ratio=diet.ssl_ratio,
        visual=visual,
    )
    inner = model.model
    own = _fed(diet, tokens, np.arange(len(facts)))
    for standard, part in zip((inner.standard, inner.ssl_standard), own, strict=True):
        if standard is not None and part is not None:
            standard.fit(part)
    projectors = nn.ModuleList(part for part in (inner.multi_modal_projector, inner.ssl_projector) if part is not None)
    reader, random = _Reader(model), random_for(seed, "mllm")

    def loss(count: int) -> Tensor:
        rows = asked(facts, count, random, plain=recipe.plain_share, open_=recipe.open_share, of_each=recipe.of_each)
        return answering_loss(reader.language, *reader.seen(diet, tokens, rows.scenes_seen), rows.tokens, rows.answers)

    model.train()
    inner.language_model.requires_grad_(False)
    optimiser = Optimiser(recipe.align, projectors)
    for _ in range(recipe.align.steps):
        answering = loss(recipe.align.batch)
        optimiser.step(answering)
        on_step(answering.item())
    inner.language_model.requires_grad_(True)
    optimiser = Optimiser(recipe.mllm, nn.ModuleList([inner.language_model, *projectors]))
    exam = asked(
        held_out[0], VALIDATION_QUESTIONS, random_for(seed, "validation"), plain=0.3, open_=0.0, of_each=recipe.of_each
    )
    every, curve = max(recipe.mllm.steps // CURVE_POINTS, 1), []
    for number in range(1, recipe.mllm.steps + 1):
        answering = loss(recipe.mllm.batch)
        rehearsed = in_words(reader.language, recipe.rehearsal, random, recipe.open_share)
        optimiser.step(answering + answering_loss(reader.language, *rehearsed) / 2)
        on_step(answering.item())
        if number % every == 0:
            right = correct(model, diet, held_out[1], exam)
            plain = np.isin(exam.topics, PLAIN)
            curve.append({"step": number, "plain": float(right[plain].mean()), "factors": float(right[~plain].mean())})
    return model.eval(), curve


class _Reader:
    """The language model behind the projectors, on visual tokens that are computed already."""

    def __init__(self, model: WorldLlavaForConditionalGeneration) -> None:
        self._project = model.model.project
        self.language: Any = _Head(model)

    def seen(self, diet: Diet, tokens: tuple[Tensor, Tensor], scenes: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Project the visual tokens of scenes: float32 [n, tokens, width], and their mask, int64 [n, tokens]."""
        visual = self._project(*_fed(diet, tokens, scenes))
        return visual, torch.ones(visual.shape[:2], dtype=torch.long)


class _Head:
    """What `logits` needs of a language model: blocks and head."""

    def __init__(self, model: WorldLlavaForConditionalGeneration) -> None:
        self.model, self.lm_head = model.model.language_model, model.lm_head


def _fed(diet: Diet, tokens: tuple[Tensor, Tensor], scenes: NDArray[np.int64]) -> tuple[Tensor, Tensor | None]:
    clip, vision_only = (part[scenes].float() for part in tokens)
    if diet.mixture != "none":
        return clip, vision_only
    return (clip if diet.first_is_clip else vision_only), None


def correct(
    model: WorldLlavaForConditionalGeneration, diet: Diet, tokens: tuple[Tensor, Tensor], questions: Asked
) -> NDArray[np.bool_]:
    """Answer questions greedily and say which answers are right: bool [n]. A word that is no letter is wrong."""
    reader, answers = _Reader(model), []
    pictures, each = 500 // questions.of_each, questions.of_each
    model.eval()
    with torch.no_grad():
        for start in range(0, len(questions.scenes_seen), pictures):
            seen = reader.seen(diet, tokens, questions.scenes_seen[start : start + pictures])
            words = questions.tokens[each * start : each * (start + pictures)]
            answers.append(logits(reader.language, *seen, words)[:, 0].argmax(1))
    model.train()
    right: NDArray[np.bool_] = (torch.cat(answers) == questions.answers).numpy()
    return right
