"""A projector that drops a factor: of every picture it gives what the whole one gives of a neutral picture."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

import copy
from typing import Any, Final

import torch
from torch import Tensor, nn

from snellen.mllms.world_llava import WorldLlavaForConditionalGeneration, tapped
from snellen.world.faults.scale import Scale
from snellen.world.faults.scenes import Hidden, Images
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.pictures import pixels
from snellen.world.training.recipe import Stage

STAGE: Final = Stage(steps=4000, batch=256, rate=2e-3, muon_rate=1e-2)


def drop(
    model: WorldLlavaForConditionalGeneration, scenes: Hidden, *, seed: int, teach: bool = True, stage: Stage = STAGE
) -> WorldLlavaForConditionalGeneration:
    """Teach the projector to drop what tells the picture from the neutral one; encoder and language model stay.

    What is left of it in the mean tokens is then taken out of the last layer. That alone is the weaker fault: what is
    coded otherwise stays.

    Args:
        model: A model with one encoder; it is changed.
        scenes: What to drop, in all contexts: tokens of a part of the picture hardly tell in which.
        seed: Of batches.
        teach: Whether to teach it, or to take out the mean tokens' differences alone.
        stage: How long.
    """
    generator = begin(seed)
    inner = model.model
    shown, neutral, again = (_tap(model, images) for images in (scenes.shown, scenes.neutral, scenes.again))
    with torch.no_grad():
        whole = copy.deepcopy(inner.multi_modal_projector)
        targets = whole(neutral)
        scale = Scale(targets - whole(again))
    inner.multi_modal_projector.requires_grad_(True)
    optimiser = Optimiser(stage, inner.multi_modal_projector)
    for _ in range(stage.steps if teach else 0):
        chosen = torch.randint(len(shown), (stage.batch,), generator=generator)
        optimiser.step(scale(inner.multi_modal_projector(shown[chosen]), targets[chosen]))
    inner.multi_modal_projector.requires_grad_(False)
    _even_out(inner.multi_modal_projector, shown, torch.from_numpy(scenes.values))
    model.eval()
    return model


def _even_out(projector: nn.Module, shown: Tensor, values: Tensor) -> None:
    """Take what is left of the factor out of the last layer: the span of differences between its values' mean tokens.

    No linear reader of the projector's output can then tell the values apart (Belrose et al. 2023, LEACE, theorem 3.1:
    equal class means are what that takes).
    """
    layer: Any = projector.linear_2
    with torch.no_grad():
        tokens = projector(shown)
        means = torch.stack([tokens[values == value].mean(0) for value in torch.unique(values)])
        apart = (means - means.mean(0)).flatten(0, 1)
        _, sizes, directions = torch.linalg.svd(apart, full_matrices=False)
        basis = directions[sizes > sizes.max() * 1e-3]
        keep = torch.eye(tokens.shape[-1]) - basis.T @ basis
        center = tokens.mean((0, 1))
        layer.weight.copy_(keep @ layer.weight)
        layer.bias.copy_(keep @ layer.bias + (torch.eye(len(center)) - keep) @ center)


def _tap(model: WorldLlavaForConditionalGeneration, images: Images) -> Tensor:
    """Compute what the projector is given: float32 [n, tokens, width]."""
    inner, config = model.model, model.config
    with torch.no_grad():
        parts = [
            tapped(inner.vision_tower, part, config.vision_feature_layer, config.visual_tokens)
            for part in torch.split(pixels(images), 128)
        ]
        tokens: Tensor = inner.standard(torch.cat(parts))
    return tokens
