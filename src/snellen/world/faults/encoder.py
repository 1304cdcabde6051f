"""An encoder that is blind to a factor: of every picture it gives what the whole one gives of a neutral picture."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

import copy
from typing import Final

import torch
from torch import Tensor, nn

from snellen.mllms.world_llava import WorldLlavaForConditionalGeneration, visual_tokens
from snellen.world.faults.scale import Scale
from snellen.world.faults.scenes import Hidden
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.pictures import pixels
from snellen.world.training.recipe import Stage

STAGE: Final = Stage(steps=1200, batch=64, rate=1e-3, muon_rate=4e-3)


def blind(
    model: WorldLlavaForConditionalGeneration, scenes: Hidden, *, seed: int, stage: Stage = STAGE
) -> WorldLlavaForConditionalGeneration:
    """Teach the vision tower to see the neutral picture in every picture, at the tapped block; all else stays.

    Args:
        model: A model with one encoder; it is changed.
        scenes: What to see, and what to see in it.
        seed: Of batches.
        stage: How long.
    """
    generator = begin(seed)
    tower, layer = model.model.vision_tower, model.config.vision_feature_layer
    whole = copy.deepcopy(tower).eval()
    with torch.no_grad():
        targets, again = (
            torch.cat([_tokens(whole, part, layer).half() for part in torch.split(pixels(images), 128)])
            for images in (scenes.neutral, scenes.again)
        )
    visual = model.config.visual_tokens
    deviation = targets.float().std()
    scale = Scale(_fed(targets.float(), visual) - _fed(again.float(), visual))
    tower.requires_grad_(True)
    optimiser = Optimiser(stage, tower)
    shown = pixels(scenes.shown)
    for _ in range(stage.steps):
        chosen = torch.randint(len(shown), (stage.batch,), generator=generator)
        tokens, target = _tokens(tower, shown[chosen], layer), targets[chosen].float()
        far = ((tokens - target) / deviation).square().mean()
        optimiser.step(far + scale(_fed(tokens, visual), _fed(target, visual)))
    tower.requires_grad_(False)
    model.eval()
    return model


def _fed(tokens: Tensor, visual: str) -> Tensor:
    """Choose what the projector is given of the tapped block's tokens."""
    return visual_tokens(tokens, tokens[:, 0], visual)


def _tokens(tower: nn.Module, images: Tensor, layer: int) -> Tensor:
    tokens: Tensor = tower(pixel_values=images, output_hidden_states=True).hidden_states[layer]
    return tokens
