"""The vision-only encoder: no text, no label; a scene is told from all others, and drawn, from another drawing of it.

Its positives are privileged: two re-renders of one scene, made with the generator's knowledge of what is nuisance. So
are its batches: whole families, as bursts of photographs are, whose members differ in one, two or more factors. It
stands for an encoder that sees; how real ones come to see is no matter of this world.
"""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Dinov2Model

from snellen.mllms.world_llava import visual_tokens
from snellen.world.nets.build import WIDTH, vision_only_encoder
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.pictures import MEMBERS_DRAWN, Pictures, pixels
from snellen.world.training.recipe import Recipe

DRAWN = 32
"""Width and height at which the other picture is drawn."""


def contrast(rows: Tensor, temperature: float) -> Tensor:
    """InfoNCE in both directions (arXiv 1807.03748): of 2 n rows, i and n + i belong together, and to no other."""
    first, second = nn.functional.normalize(rows, dim=-1).chunk(2)
    logits = first @ second.T / temperature
    own = torch.arange(len(logits))
    return (nn.functional.cross_entropy(logits, own) + nn.functional.cross_entropy(logits.T, own)) / 2


def train(seen: Pictures, recipe: Recipe, seed: int, on_step: Callable[[float], None]) -> Dinov2Model:
    """Train from random weights: contrast of the class token and of the pooled patches, and drawing the other frame.

    Args:
        seen: Pictures in the order of their families.
        recipe: `vision_only` says how long; a batch is so many families.
        seed: Weights and batches.
        on_step: Told the loss of every step.
    """
    stage = recipe.vision_only
    generator = begin(seed)
    model = vision_only_encoder()
    head = nn.Sequential(nn.Linear(5 * WIDTH, 256), nn.GELU(), nn.Linear(256, 64))
    draw = nn.Linear(WIDTH, DRAWN * DRAWN * 3)
    optimiser = Optimiser(stage, model, [*head.parameters(), *draw.parameters()])
    count = len(seen.shots) // MEMBERS_DRAWN
    model.train()
    for _ in range(stage.steps):
        chosen = torch.randperm(count, generator=generator)[: stage.batch].sort().values.numpy()
        rows = (chosen[:, None] * MEMBERS_DRAWN + np.arange(MEMBERS_DRAWN)).ravel()
        first, second = pixels(seen.first[rows]), pixels(seen.second[rows])
        seen_now = model(pixel_values=torch.cat([first, second]))
        token, patches = (
            seen_now.pooler_output,
            visual_tokens(seen_now.last_hidden_state, seen_now.pooler_output, "pool:4"),
        )
        projected = head(torch.cat([token, patches.flatten(1)], 1))
        other = nn.functional.avg_pool2d(torch.cat([second, first]), 64 // DRAWN).flatten(1)
        drawing = ((draw(token) - other) ** 2 / (other.var(0) + 0.02)).mean()
        loss = (
            contrast(token, recipe.temperature)
            + contrast(projected, recipe.temperature)
            + recipe.reconstruction * drawing
        )
        optimiser.step(loss)
        on_step(loss.item())
    return model.eval()
