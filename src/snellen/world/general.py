"""General question answering: questions about fresh pictures, kind and context apart from the nine factors.

What a mixture costs shows here: pictures are taken as they come, not because an encoder confuses them.
"""

# ruff: noqa: TID253 - this module is imported only where models are examined
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from snellen.mllms.world_llava import tapped
from snellen.stats import clustered_interval
from snellen.world.nets import load
from snellen.world.scene.facts import FACTORS, random_for
from snellen.world.scene.families import families
from snellen.world.training.asking import PLAIN, Asked, padded, question
from snellen.world.training.mllm import DIETS, correct
from snellen.world.training.pictures import pixels

PICTURES: Final = 2000
"""As many families of the exam split give their base, so that no two pictures share more than chance has it."""

FACTORS_ASKED: Final = 2
"""Of every picture kind and context are asked, and so many of the nine factors."""


@dataclass(frozen=True)
class General:
    """Question accuracy (two options, chance 0.5) with an interval clustered by picture.

    `plain_by_picture` is the share of the two questions on kind and context that is right, picture by picture, in an
    order that is the same for every model: pictures, not questions, are the unit of comparisons.
    """

    plain: Mapping[str, float | int]
    factors: Mapping[str, float | int]
    plain_by_picture: tuple[float, ...]


@cache
def _fresh(world: int) -> tuple[NDArray[np.uint8], Asked]:
    """Draw the pictures and ask about them."""
    shots = [shot for shot in families(world, "exam", PICTURES) if shot.role == "base"]
    random = random_for(world, "general")
    rows, answers, topics = [], [], []
    for shot in shots:
        factors = random.permutation(list(FACTORS))[:FACTORS_ASKED]
        for topic in (*PLAIN, *map(str, factors)):
            row, answer = question(shot.facts, topic, random, open_=False)
            rows.append(row)
            answers.append(answer)
            topics.append(topic)
    each = len(PLAIN) + FACTORS_ASKED
    asked = Asked(padded(rows), torch.tensor(answers), np.arange(len(shots)).repeat(each), tuple(topics), of_each=each)
    return np.stack([shot.picture() for shot in shots]), asked


def general(model: Path, diet: str, world: int) -> General:
    """Ask a multimodal LLM of the world 8,000 questions about 2,000 pictures, half of them about kind and context.

    Args:
        model: Its folder.
        diet: Name of its diet in `training.mllm.DIETS`.
        world: Whose exam scenes to ask about; the same questions for every model.
    """
    torch.set_num_threads(1)
    images, questions = _fresh(world)
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
    by_picture = right[plain].reshape(-1, len(PLAIN)).mean(1)
    return General(figures[0], figures[1], tuple(by_picture.tolist()))
