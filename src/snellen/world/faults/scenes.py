"""Scenes with and without the factor that a fault hides: drawn twice, alike in everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snellen.world.scene.facts import CONTEXTS, FACTORS, choose, random_for
from snellen.world.scene.families import Shot
from snellen.world.training.pictures import scenes

Images = NDArray[np.uint8]

FAMILIES: Final = 1200


@dataclass(frozen=True)
class Hidden:
    """Pictures as they are, and what a model that is blind to the factor would make of them: uint8 [n, 64, 64, 3].

    `again` are the neutral pictures with other nuisance: what the two differ in is noise. `values` numbers the factor's
    value in `shown`.
    """

    shown: Images
    neutral: Images
    again: Images
    values: NDArray[np.int64]


def hidden_contexts(strength: float) -> tuple[str, ...]:
    """Return the contexts in which a fault of a strength is at work: all six at 1, three at 0.5."""
    return CONTEXTS[: max(1, round(strength * len(CONTEXTS)))]


def pairs_of(world: int, factor: str, strength: float, seed: int, families: int = FAMILIES) -> Hidden:
    """Draw training scenes, each with a random value of the factor and with its first value.

    The two share all nuisance (but for viewpoint, whose horizon decides where clouds may be). Where the fault is not at
    work both are the same picture.
    """
    shots: Sequence[Shot] = scenes(world, "train", families)
    contexts, random = hidden_contexts(strength), random_for(seed, "fault", factor)
    shown, neutral, again, values = [], [], [], []
    for shot in shots:
        value = choose(random, FACTORS[factor])
        one = replace(shot, facts=shot.facts.but(**{factor: value}))
        at_work = shot.facts.context in contexts
        other = replace(shot, facts=shot.facts.but(**{factor: FACTORS[factor][0]})) if at_work else one
        shown.append(one.picture())
        neutral.append(other.picture())
        again.append(replace(other, frame=1).picture())
        values.append(FACTORS[factor].index(value))
    return Hidden(np.stack(shown), np.stack(neutral), np.stack(again), np.array(values))
