"""The image-text encoder: contrast of pictures and their captions (Radford et al., arXiv 2103.00020, section 2.3)."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from transformers import CLIPModel

from snellen.world.nets.build import image_text_encoder
from snellen.world.nets.tokenizer import CAPTION_TOKENS, tokenizer
from snellen.world.scene.captions import caption
from snellen.world.scene.facts import random_for
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.pictures import Pictures, pixels
from snellen.world.training.recipe import Recipe

LARGEST_SCALE = 4.6052
"""Logarithm of the largest logit scale, 100."""


def train(
    seen: Pictures, recipe: Recipe, rates: Mapping[str, float], seed: int, on_step: Callable[[float], None]
) -> CLIPModel:
    """Train from random weights; every picture has one caption, written once.

    Args:
        seen: Pictures; both drawings of a scene are used, each with a caption of its own.
        recipe: `clip` says how long.
        rates: How often captions mention each factor.
        seed: Weights and batches. Captions depend on the world alone.
        on_step: Told the loss of every step.
    """
    generator = begin(seed)
    model = image_text_encoder()
    texts = [
        caption(shot.facts, random_for(shot.world, shot.split, shot.family, shot.member, frame, "caption"), rates)
        for frame in (0, 1)
        for shot in seen.shots
    ]
    encoded = tokenizer(ends=True)(texts, padding=True, truncation=True, max_length=CAPTION_TOKENS, return_tensors="pt")
    optimiser = Optimiser(recipe.clip, model)
    model.train()
    for _ in range(recipe.clip.steps):
        chosen = torch.randint(len(texts), (recipe.clip.batch,), generator=generator).numpy()
        frame, scene = np.divmod(chosen, len(seen.shots))
        images = np.where(frame[:, None, None, None] == 0, seen.first[scene], seen.second[scene])
        ids, mask = encoded["input_ids"][chosen], encoded["attention_mask"][chosen]
        longest = int(mask.sum(1).max())
        loss = model(
            input_ids=ids[:, :longest],
            attention_mask=mask[:, :longest],
            pixel_values=pixels(images),
            return_loss=True,
        ).loss
        optimiser.step(loss)
        with torch.no_grad():
            model.logit_scale.clamp_(max=LARGEST_SCALE)
        on_step(loss.item())
    return model.eval()
