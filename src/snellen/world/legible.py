"""Is the world legible: does a small network, told what is true, read every fact off pictures that it never saw?

What no network can read, no encoder can be blamed for. Here the labels are given, so what this network misses is
missing from the pictures; what an encoder misses beyond that, its own training left out.
"""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snellen.progress import SILENT, Progress
from snellen.stats import wilson_interval
from snellen.world.scene.families import Shot, families
from snellen.world.scene.questions import TOPICS
from snellen.world.training.pictures import pixels, scenes

BATCH: Final = 128
RATE: Final = 2e-3
WEIGHT_DECAY: Final = 0.05
WARM_UP: Final = 0.1
"""Share of the steps over which the rate rises; then it falls as a cosine to zero."""

_WIDTHS: Final = (3, 24, 48, 96, 96)


@dataclass(frozen=True, slots=True)
class Legible:
    """The share of held-out pictures whose fact was read right, with Wilson's 95 % interval; `n` pictures."""

    value: float
    low: float
    high: float
    n: int


def legibility(
    *,
    world: int = 0,
    exam_world: int | None = None,
    train_families: int = 600,
    exam_families: int = 400,
    steps: int = 300,
    seed: int = 0,
    progress: Progress = SILENT,
) -> dict[str, Legible]:
    """Train a small convolutional network with labels and examine it on pictures of the `exam` split.

    It is examined on the base of each family alone, so that the pictures are independent and the intervals hold.

    Args:
        world: Whose `train` split it learns from.
        exam_world: Whose `exam` split it is examined on; None: that of the same world.
        train_families: Families to learn from, six scenes each.
        exam_families: Families to be examined on, one picture each.
        steps: Steps of `BATCH` pictures.
        seed: Weights and batches. The caller's random numbers stay as they are.
        progress: Told of every step.

    Returns:
        For kind, context and each of the nine factors, how often it was read right.
    """
    learned = scenes(world, "train", train_families)
    asked_of = world if exam_world is None else exam_world
    unseen = [shot for shot in families(asked_of, "exam", exam_families) if shot.role == "base"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _trained(learned, steps, torch.Generator().manual_seed(seed), progress)
    with torch.no_grad():
        right = (_read(model(pixels(_drawn(unseen)))) == labels(unseen)).sum(0).tolist()
    n = len(unseen)
    return {
        topic: Legible(count / n, *wilson_interval(count, n), n) for topic, count in zip(TOPICS, right, strict=True)
    }


def labels(shots: list[Shot]) -> Tensor:
    """Number what is true: int64 [n, 11], for each of `questions.TOPICS` the place of its value."""
    return torch.tensor(
        [[values.index(getattr(shot.facts, topic)) for topic, values in TOPICS.items()] for shot in shots]
    )


def network() -> nn.Sequential:
    """Build four 3 x 3 convolutions of stride 2 and one linear head for all topics: 194,366 weights.

    Takes float32 [n, 3, 64, 64]; gives float32 [n, 38], a score for every value of every topic.
    """
    layers: list[nn.Module] = []
    for inner, outer in pairwise(_WIDTHS):
        layers += [nn.Conv2d(inner, outer, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outer), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(_WIDTHS[-1] * 4 * 4, sum(map(len, TOPICS.values()))))


def _trained(shots: list[Shot], steps: int, generator: torch.Generator, progress: Progress) -> nn.Sequential:
    model = network().train()
    images, truth = _drawn(shots), labels(shots)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=WARM_UP)
    progress.start("reading the world", steps, "steps")
    for _ in range(steps):
        chosen = torch.randint(len(shots), (BATCH,), generator=generator)
        scores = _split(model(pixels(images[chosen.numpy()])))
        loss = torch.stack(
            [nn.functional.cross_entropy(each, truth[chosen, index]) for index, each in enumerate(scores)]
        ).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        progress.advance()
    progress.finish()
    return model.eval()


def _split(scores: Tensor) -> tuple[Tensor, ...]:
    return torch.split(scores, [len(values) for values in TOPICS.values()], dim=1)


def _read(scores: Tensor) -> Tensor:
    return torch.stack([each.argmax(1) for each in _split(scores)], 1)


def _drawn(shots: list[Shot]) -> NDArray[np.uint8]:
    return np.stack([replace(shot, frame=0).picture() for shot in shots])
