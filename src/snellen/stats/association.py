"""Do two models err on the same pairs? Agreement beyond what their error rates alone would give."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snellen.stats.mcnemar import mcnemar

Floats = NDArray[np.float64]

FEWEST_CLUSTERS: Final = 10
"""Below so many there is no bootstrap interval: resamples of so few would be a handful of numbers."""

MOST_UNDEFINED: Final = 0.05
"""An interval is given up where more resamples than this leave the coefficient undefined."""


class Table(NamedTuple):
    """How many pairs both have wrong, only the first, only the second, neither."""

    both_wrong: int
    first_only: int
    second_only: int
    neither: int


class Coefficient(NamedTuple):
    """A coefficient in [-1, 1] with its interval, whose bounds are None where the bootstrap cannot give one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Association:
    """Agreement of two models' errors over `n` pairs in `n_clusters` clusters.

    `phi` and `kappa` are None where they are not defined or say nothing, and `reason` says why. `phi_most` is the
    largest phi that these two error rates allow: 1 only where they are equal. `p_fisher` tests that the errors have
    nothing to do with one another, `p_mcnemar` that both err equally often; both are exact and two-sided, and None
    where pairs come in clusters, because they take pairs to be independent.
    """

    n: int
    n_clusters: int
    table: Table
    phi: Coefficient | None
    kappa: Coefficient | None
    phi_most: float | None
    p_fisher: float | None
    p_mcnemar: float | None
    reason: str | None


def association(
    first_wrong: ArrayLike,
    second_wrong: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Association:
    """Compare two models' errors on the same pairs.

    phi is Pearson's correlation of the two error vectors. kappa is Cohen's (Educational and Psychological Measurement
    20, 1960, pp. 37-46), (agreement - chance) / (1 - chance), the chance from both error rates; of right and wrong it
    is the error consistency of Geirhos et al. (NeurIPS 2020). Both are 0 for models whose errors have nothing to do
    with one another. Neither says why the errors fall together: a pair that is hard for everybody does that, too.

    Intervals are percentiles of the bootstrap over clusters; equal arguments give equal numbers (PCG64).

    Example:
        >>> found = association([1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1])
        >>> found.table, round(found.phi.value, 3), round(found.kappa.value, 3), round(found.p_fisher, 2)
        (Table(both_wrong=2, first_only=1, second_only=1, neither=2), 0.333, 0.333, 1.0)

    Args:
        first_wrong: bool [n], one a pair: does the first model err?
        second_wrong: bool [n], of the same pairs in the same order.
        clusters: what each pair belongs to, where pairs share images; by default each is its own.
        confidence: of the two-sided intervals, in (0, 1).
        resamples: how often clusters are drawn.
        seed: of the draws.

    Raises:
        ValueError: the lengths differ, a value is neither true nor false, or an argument is out of range.
    """
    first, second = np.asarray(first_wrong), np.asarray(second_wrong)
    n = len(first)
    if first.shape != (n,) or second.shape != (n,) or (clusters is not None and len(clusters) != n):
        raise ValueError(f"all must hold one value for each of the same pairs, got {first.shape} and {second.shape}")
    if not np.isin(first, (0, 1)).all() or not np.isin(second, (0, 1)).all():
        raise ValueError("both must hold true or false only")
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"resamples must be at least 1 and confidence in (0, 1), got {resamples} and {confidence}")
    kinds = np.zeros((n, 4), dtype=np.int64)
    kinds[np.arange(n), 3 - 2 * first.astype(int) - second.astype(int)] = 1
    grouped = _sums(kinds, clusters)
    table = Table(*(int(count) for count in kinds.sum(axis=0)))
    independent = len(grouped) == n
    p_mcnemar = mcnemar(table.first_only, table.second_only).p if independent and n else None
    reason = _undefined(table)
    if reason is not None:
        return Association(n, len(grouped), table, None, None, None, None, p_mcnemar, reason)
    cells = np.array([table])
    drawn = _resampled(grouped, resamples, seed) if len(grouped) >= FEWEST_CLUSTERS else None
    phi, kappa = (
        Coefficient(float(formula(cells)[0]), *_percentiles(None if drawn is None else formula(drawn), confidence))
        for formula in (_phi, _kappa)
    )
    p_fisher = _fisher(table) if independent else None
    return Association(n, len(grouped), table, phi, kappa, _phi_most(table), p_fisher, p_mcnemar, None)


def _undefined(table: Table) -> str | None:
    n = sum(table)
    if n < 2:
        return f"{n} pairs are too few"
    for name, wrong in (
        ("first", table.both_wrong + table.first_only),
        ("second", table.both_wrong + table.second_only),
    ):
        if wrong in (0, n):
            return f"the {name} errs on {'every pair' if wrong else 'no pair'}: nothing varies that could go together"
    return None


def _sums(kinds: NDArray[np.int64], clusters: Sequence[Hashable] | None) -> NDArray[np.int64]:
    """Add up the kinds of pairs within every cluster: int [clusters, 4]."""
    if clusters is None:
        return kinds
    codes = {name: code for code, name in enumerate(dict.fromkeys(clusters))}
    sums = np.zeros((len(codes), 4), dtype=np.int64)
    np.add.at(sums, [codes[name] for name in clusters], kinds)
    return sums


def _resampled(grouped: NDArray[np.int64], resamples: int, seed: int) -> Floats:
    """Draw clusters with replacement: equal clusters are one kind, so that drawing is drawing how many of each."""
    kinds, count = np.unique(grouped, axis=0, return_counts=True)
    rng = np.random.Generator(np.random.PCG64(seed))
    return np.asarray(rng.multinomial(len(grouped), count / len(grouped), resamples) @ kinds, dtype=np.float64)


def _percentiles(values: Floats | None, confidence: float) -> tuple[float | None, float | None]:
    if values is None:
        return None, None
    defined = values[~np.isnan(values)]
    if len(defined) < (1 - MOST_UNDEFINED) * len(values):
        return None, None
    low, high = (float(bound) for bound in np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2]))
    # Where all pairs agree the bootstrap has no width, which would claim certainty.
    return (low, high) if low < high else (None, None)


def _phi(cells: ArrayLike) -> Floats:
    """Return phi of [r, 4] counts; NaN where one side does not vary."""
    both, first, second, neither = np.asarray(cells, dtype=np.float64).T
    under = (both + first) * (second + neither) * (both + second) * (first + neither)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(under > 0, (both * neither - first * second) / np.sqrt(under), np.nan))


def _kappa(cells: ArrayLike) -> Floats:
    """Return Cohen's kappa of [r, 4] counts; NaN where one side does not vary."""
    both, first, second, neither = np.asarray(cells, dtype=np.float64).T
    # (agreement - chance) / (1 - chance), with n squared taken out above and below.
    under = (both + first) * (first + neither) + (both + second) * (second + neither)
    varies = (both + first) * (second + neither) * (both + second) * (first + neither) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(varies, 2 * (both * neither - first * second) / under, np.nan))


def _phi_most(table: Table) -> float:
    n = sum(table)
    small, large = sorted(((table.both_wrong + table.first_only) / n, (table.both_wrong + table.second_only) / n))
    return sqrt(small * (1 - large) / (large * (1 - small)))


def _fisher(table: Table) -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact([[table.both_wrong, table.first_only], [table.second_only, table.neither]]).pvalue)
