"""When far too much passes: thresholds that would leave about a million pairs or fewer, counted among pairs seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from snellen.mining.estimates.rounding import rough
from snellen.mining.join.exact import Float64Array

WANTED_PAIRS = 1_000_000

THIN = 10
"""A suggestion rests on at least so many pairs that were seen."""


class Stricter(NamedTuple):
    """Thresholds, and about how many pairs they leave."""

    blind_min: float
    reference_max: float
    n_pairs: int

    @property
    def text(self) -> str:
        """Say it as options."""
        return (
            f"--blind-min {self.blind_min} --reference-max {self.reference_max} (about {rough(self.n_pairs):,} pairs)"
        )


def stricter(
    blind: Float64Array,
    reference: Float64Array,
    weights: Float64Array,
    blind_min: float,
    reference_max: float,
    wanted: int = WANTED_PAIRS,
) -> tuple[Stricter, ...]:
    """Return up to three ways to tighten the thresholds: one, the other, or both by the same amount.

    Args:
        blind: float64 [m], cosines of pairs that pass both thresholds.
        reference: float64 [m], of the same pairs.
        weights: float64 [m], how many pairs of the collection each stands for.
        blind_min: the threshold, resolved.
        reference_max: the threshold, resolved.
        wanted: at most so many pairs are left.

    Returns:
        None of those that no threshold can set apart, or that few pairs speak for; empty where no more than `wanted`
        pass anyway.
    """
    if not weights.sum() > wanted:
        return ()
    made = []
    keys = (blind, -reference, np.minimum(blind - blind_min, reference_max - reference))
    for change, key in enumerate(keys):
        order = np.argsort(-key, kind="stable")
        ranked, left = key[order], np.cumsum(weights[order])
        cuts = np.flatnonzero(ranked[:-1] > ranked[1:]) + 1  # so many may be set apart from the rest
        cuts = cuts[(left[cuts - 1] <= wanted) & (cuts >= THIN)]
        if not len(cuts):
            continue
        cut = int(cuts[-1])
        for level in _levels(float(ranked[cut]), float(ranked[cut - 1])):
            at = _thresholds(change, level, blind_min, reference_max)
            if abs(at[0]) > 1 or abs(at[1]) > 1:
                continue
            passes = (blind > at[0]) & (reference < at[1])
            count = float(weights[passes].sum())
            if np.count_nonzero(passes) >= THIN and left[cut - 1] / 2 <= count <= wanted:
                made.append(Stricter(*at, round(count)))
                break
    return tuple(made)


def _levels(low: float, high: float) -> Iterator[float]:
    """Yield numbers about the middle of two, of few digits first, and in the end the lower one itself."""
    for digits in range(2, 17):
        yield round((low + high) / 2, digits)
    yield low


def _thresholds(change: int, level: float, blind_min: float, reference_max: float) -> tuple[float, float]:
    if change == 0:
        return level, reference_max
    if change == 1:
        return blind_min, -level + 0.0
    # Rounded again: 0.95 + 0.01 has too many digits.
    return round(blind_min + level, 12), round(reference_max - level, 12)
