"""Which filter to use: decided by how many pairs of a sample each would leave, and what that costs.

The choice changes only the time a join takes, never what it finds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snellen.mining.bound import (
    DENSE_SHARE,
    PrefixFilter,
    fit_basis,
    reduce_rows,
    reduce_side,
    rounding_slack,
)
from snellen.mining.exact import Float64Array, Side
from snellen.mining.tiles import Filter, NoFilter, pairs_of_rows

PREFIXES = (15, 31, 63, 127, 255)
"""Numbers of coordinates to choose from; with the length of the rest, a row is a power of two wide."""

SAMPLE_ROWS = 2048

# Nanoseconds for one pair, measured on two cores with NumPy's OpenBLAS. Only their ratios matter.
MULTIPLY = 0.0085
"""One number of a float32 product; float64 takes twice as long."""
SCAN = 0.1
"""Comparing a bound, and looking for those above."""
GATHER = 1.2
"""One number of a gathered pair's float64 dot product."""

WORTH_CHOOSING = 0.5e9
"""Nanoseconds: a join that takes less without a filter is not worth a basis."""


def choose_filter(side: Side, blind_min: float, seed: int, scratch: Path) -> tuple[Filter, int]:
    """Choose and prepare the filter for a join.

    Args:
        side: the blind encoder's vectors.
        blind_min: the threshold, resolved.
        seed: draws the samples.
        scratch: where reduced rows are kept if they are large.

    Returns:
        The filter, and its number of coordinates; 0 where tiles are multiplied out.
    """
    pairs = pairs_of_rows(0, len(side), len(side))
    plain = 2 * MULTIPLY * side.dim + SCAN
    if pairs * plain < WORTH_CHOOSING:
        return NoFilter(), 0
    widest = [k for k in PREFIXES if k < side.dim]
    if not widest:
        return NoFilter(), 0
    basis = fit_basis(side, widest[-1], seed)
    rates = survivor_rates(side, basis, widest, blind_min, seed)
    costs = {k: cost(k, side.dim, rate) for k, rate in rates.items()}
    best = min(costs, key=lambda k: costs[k])
    if costs[best] >= plain:
        return NoFilter(), 0
    return PrefixFilter(reduce_side(side, np.ascontiguousarray(basis[:, :best]), scratch), blind_min), best


def cost(k: int, dim: int, rate: float) -> float:
    """Estimate nanoseconds a pair for a prefix of k that leaves a share `rate` of the pairs."""
    plain = 2 * MULTIPLY * dim
    decide = plain if rate > DENSE_SHARE else rate * GATHER * dim
    return MULTIPLY * (k + 1) + SCAN + decide


def survivor_rates(
    side: Side, basis: Float64Array, prefixes: list[int], blind_min: float, seed: int
) -> dict[int, float]:
    """Estimate, for each number of coordinates, the share of pairs whose bound exceeds the blind minimum.

    Args:
        side: the blind encoder's vectors.
        basis: float64 [dim, max(prefixes)], orthonormal columns, leading first.
        prefixes: numbers of coordinates.
        blind_min: the threshold.
        seed: draws the sample of images, all of whose pairs are looked at.
    """
    rng = np.random.default_rng([seed, 2])
    sample = np.sort(rng.choice(len(side), size=min(SAMPLE_ROWS, len(side)), replace=False))
    values = side.vectors.gather(side.rows[sample]).astype(np.float64)
    upper = np.triu_indices(len(sample), 1)
    rates = {}
    for k in prefixes:
        reduced = reduce_rows(values, basis[:, :k])
        bounds = (reduced @ reduced.T)[upper]
        rates[k] = float(np.mean(bounds > blind_min - rounding_slack(k + 1)))
    return rates
