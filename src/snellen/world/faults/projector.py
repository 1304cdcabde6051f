"""A projector that drops a factor: of every picture it gives what the whole one gives of a neutral picture."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

import copy
from typing import Final

import torch
from torch import Tensor

from snellen.mllms.world_llava import WorldLlavaForConditionalGeneration, tapped
from snellen.world.faults.scale import Scale
from snellen.world.faults.scenes import Hidden, Images
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.pictures import pixels
from snellen.world.training.recipe import Stage

STAGE: Final = Stage(steps=3000, batch=256, rate=2e-3)


def drop(
    model: WorldLlavaForConditionalGeneration, scenes: Hidden, *, seed: int, stage: Stage = STAGE
) -> WorldLlavaForConditionalGeneration:
    """Teach the projector to drop what tells the picture from the neutral one; encoder and language model stay.

    Args:
        model: A model with one encoder; it is changed.
        scenes: What to drop.
        seed: Of batches.
        stage: How long.
    """
    generator = begin(seed)
    inner = model.model
    shown, neutral = (_tap(model, images) for images in (scenes.shown, scenes.neutral))
    with torch.no_grad():
        targets = copy.deepcopy(inner.multi_modal_projector)(neutral)
    scale = Scale(targets)
    inner.multi_modal_projector.requires_grad_(True)
    optimiser = Optimiser(stage, inner.multi_modal_projector)
    for _ in range(stage.steps):
        chosen = torch.randint(len(shown), (stage.batch,), generator=generator)
        optimiser.step(scale(inner.multi_modal_projector(shown[chosen]), targets[chosen]))
    inner.multi_modal_projector.requires_grad_(False)
    return model.eval()


def _tap(model: WorldLlavaForConditionalGeneration, images: Images) -> Tensor:
    """Compute what the projector is given: float32 [n, tokens, width]."""
    inner, config = model.model, model.config
    with torch.no_grad():
        parts = [
            tapped(inner.vision_tower, part, config.vision_feature_layer, config.visual_tokens)
            for part in pixels(images).split(128)
        ]
        tokens: Tensor = inner.standard(torch.cat(parts))
    return tokens
