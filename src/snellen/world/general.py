"""General question answering: single questions about fresh pictures, kind and context apart from the nine factors.

What a mixture costs shows here: pictures are taken as they come, not because an encoder confuses them.
"""

# ruff: noqa: TID253 - this module is imported only where models are examined
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from snellen.stats import clustered_interval
from snellen.world.nets import load
from snellen.world.nets.llava import tapped
from snellen.world.scene.facts import random_for
from snellen.world.training.asking import PLAIN, asked
from snellen.world.training.mllm import DIETS, correct
from snellen.world.training.pictures import pixels, scenes

QUESTIONS: Final = 3000
FAMILIES: Final = 250
"""Families of the exam split from which pictures are taken: 1,500 scenes."""


@dataclass(frozen=True)
class General:
    """Question accuracy (two options, chance 0.5) with an interval clustered by picture.

    `right` holds the verdict of every question, in an order that is the same for every model.
    """

    plain: Mapping[str, float | int]
    factors: Mapping[str, float | int]
    right: tuple[bool, ...]
    is_plain: tuple[bool, ...]


def general(model: Path, diet: str, world: int) -> General:
    """Ask a multimodal LLM of the world 3,000 questions, half of them about kind and context.

    Args:
        model: Its folder.
        diet: Name of its diet in `training.mllm.DIETS`.
        world: Whose exam scenes to ask about; the same questions for every model.
    """
    torch.set_num_threads(1)
    shots = scenes(world, "exam", FAMILIES)
    questions = asked(
        [shot.facts for shot in shots], QUESTIONS, random_for(world, "general"), plain=0.5, open_=0.0, of_each=2
    )
    images = np.stack([shot.picture() for shot in shots])
    loaded = load.mllm(model)
    inner, config = loaded.model, loaded.config
    fed = next(each for each in DIETS if each.name == diet)

    def seen(tower: torch.nn.Module, layer: int) -> torch.Tensor:
        with torch.inference_mode():
            parts = [
                tapped(tower, pixels(images[start : start + 250]), layer, config.visual_tokens)
                for start in range(0, len(images), 250)
            ]
        return torch.cat(parts).clone()

    first = seen(inner.vision_tower, config.vision_feature_layer)
    second = first if inner.ssl_tower is None else seen(inner.ssl_tower, config.ssl_feature_layer)
    right = correct(loaded, fed, (first, second), questions)
    plain = np.isin(questions.topics, PLAIN)
    figures = []
    for part in (plain, ~plain):
        share = clustered_interval(right[part].tolist(), questions.scenes[part].tolist())
        figures.append({"value": share.value or 0.0, "low": share.low, "high": share.high, "n": share.n})
    return General(figures[0], figures[1], tuple(right.tolist()), tuple(plain.tolist()))
