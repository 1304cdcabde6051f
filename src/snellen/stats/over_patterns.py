"""A correlation over a handful of visual patterns, with everything that shows how little so few points say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snellen.stats.correlation import EXACT_UP_TO, RESAMPLES, fisher_interval, permutation_p

Method = Literal["pearson", "spearman"]
Floats = NDArray[np.float64]

FEWEST: Final = 3
"""Two points always lie on a line."""

MOST_UNDEFINED: Final = 0.05
"""An interval of resamples is given up where more of them than this have no correlation."""


class Interval(NamedTuple):
    """A 95 % interval, unless told otherwise."""

    low: float
    high: float


class LeaveOneOut(NamedTuple):
    """The smallest and the largest correlation that is left without one pattern, and without which."""

    low: float
    low_without: str
    high: float
    high_without: str


@dataclass(frozen=True, slots=True)
class PatternCorrelation:
    """A correlation of `n` patterns. `value` is None where there is none, and `reason` says why.

    `fisher` is given for Pearson's r of 4 patterns or more, `bootstrap` resamples patterns, `two_level` patterns and
    then the pairs within each; each is None where it cannot be had. `p` is of the two-sided permutation test over
    `permutations`. `leave_one_out` is None where what is left has no correlation. `reliability` is the share of each
    side's variance over patterns that is more than its pairs' sampling noise, in [0, 1]: a rough estimate without an
    interval, for a warning only; None where there are no pairs, or a pattern of one pair.
    """

    method: Method
    n: int
    value: float | None
    reason: str | None
    fisher: Interval | None
    bootstrap: Interval | None
    two_level: Interval | None
    p: float | None
    permutations: str
    leave_one_out: LeaveOneOut | None
    reliability: tuple[float, float] | None


def correlate_patterns(
    names: Sequence[str],
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: Method = "pearson",
    same_pairs: ArrayLike | None = None,
    own_pairs: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PatternCorrelation:
    """Correlate two accuracies over visual patterns.

    - `fisher`: tanh(atanh r ± z / sqrt(n - 3)), of Pearson's r, as if the patterns were jointly normal.
    - `bootstrap`: percentiles over resamples of whole patterns. Too short for so few points.
    - `two_level`: patterns are drawn, and within each that is drawn its pairs, since another 15 pairs of a pattern
      would have given another accuracy. Both accuracies hold that noise already, and get it once more: the interval is
      wide, and drawn towards 0: of closely correlated accuracies of few pairs it often misses the true r, as do the
      other two (docs/correlation.md). Pairs are taken as independent, and a pair of two patterns is drawn in each.
    - `p`: permutation test, see `permutation_p`.

    Resamples in which one side is the same everywhere have no correlation; where they are over 5 %, there is no
    interval. Equal arguments give equal numbers (PCG64).

    Example:
        >>> found = correlate_patterns("abcde", [1, 2, 3, 4, 5], [1, 3, 2, 5, 4])
        >>> round(found.value, 2), [round(bound, 2) for bound in found.fisher], round(found.p, 3)
        (0.8, [-0.28, 0.99], 0.133)
        >>> found.leave_one_out.low_without, round(found.leave_one_out.low, 2)
        ('a', 0.6)

    Args:
        names: of the patterns, in the order of x and y.
        x: float [n], one accuracy a pattern.
        y: float [n], the other.
        method: pearson or spearman (Pearson's of the ranks, ties at their mean rank).
        same_pairs: int [n, 4], where x and y are of the same pairs: how many are right for both, for x alone, for y
            alone, for neither; none of the n rows empty.
        own_pairs: int [n, 4], where each has pairs of its own: right for x, pairs of x, right for y, pairs of y.
        confidence: of the two-sided intervals, in (0, 1).
        resamples: of each bootstrap.
        seed: of everything drawn.

    Raises:
        ValueError: the lengths differ, a number is not finite, or counts do not give x and y.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n = len(names)
    if first.shape != (n,) or second.shape != (n,) or not np.isfinite([first, second]).all():
        raise ValueError(
            f"x and y must hold a finite number for each of {n} patterns, got {first.shape}, {second.shape}"
        )
    if method not in ("pearson", "spearman") or not 0 < confidence < 1 or resamples < 1:
        raise ValueError(
            "method must be pearson or spearman, confidence lie in (0, 1) and resamples be at least 1, got "
            f"{method!r}, {confidence} and {resamples}"
        )
    pairs = _pairs(first, second, same_pairs, own_pairs)
    tried = f"all {factorial(n):,}" if n <= EXACT_UP_TO else f"{RESAMPLES:,} at random"
    reason = _undefined(first, second)
    if reason is not None:
        return PatternCorrelation(method, n, None, reason, None, None, None, None, tried, None, None)
    value = float(_correlations(first[None], second[None], method)[0])
    u, v = (_ranks(first), _ranks(second)) if method == "spearman" else (first, second)
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = rng.integers(0, n, (resamples, n))
    bounds = (1 - confidence) / 2, (1 + confidence) / 2
    fisher = fisher_interval(value, n, confidence) if method == "pearson" else None
    return PatternCorrelation(
        method=method,
        n=n,
        value=value,
        reason=None,
        fisher=None if fisher is None or fisher[0] == fisher[1] else Interval(*fisher),
        bootstrap=_percentiles(first[drawn], second[drawn], method, bounds),
        two_level=None if pairs is None else _percentiles(*_redrawn(rng, drawn, pairs), method, bounds),
        p=permutation_p(u, v, seed=seed),
        permutations=tried,
        leave_one_out=_leave_one_out(names, first, second, method),
        reliability=None if pairs is None else _reliability(first, second, pairs),
    )


# -- one correlation, and many ---------------------------------------------------------------------------------------


def _undefined(x: Floats, y: Floats) -> str | None:
    if len(x) < FEWEST:
        return f"{len(x)} patterns are too few: a correlation needs at least {FEWEST}"
    for name, values in (("first", x), ("second", y)):
        if np.ptp(values) == 0:
            return f"the {name} accuracy is the same in every pattern"
    return None


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=-1), dtype=np.float64)


def _correlations(x: Floats, y: Floats, method: Method) -> Floats:
    """Return the correlation of each row of two [r, n]; NaN where one side is the same everywhere."""
    flat = (np.ptp(x, axis=1) == 0) | (np.ptp(y, axis=1) == 0)
    if method == "spearman":
        x, y = _ranks(x), _ranks(y)
    u, v = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        u, v = (side / np.abs(side).max(axis=1, keepdims=True) for side in (u, v))  # so that no square is lost
        found = (u * v).sum(axis=1) / np.sqrt((u * u).sum(axis=1) * (v * v).sum(axis=1))
    return np.where(flat, np.nan, np.clip(found, -1, 1))


def _percentiles(x: Floats, y: Floats, method: Method, bounds: tuple[float, float]) -> Interval | None:
    """Return the interval, None where too many resamples have no correlation, or all have the same."""
    found = _correlations(x, y, method)
    defined = found[~np.isnan(found)]
    if len(defined) < (1 - MOST_UNDEFINED) * len(found):
        return None
    low, high = (float(bound) for bound in np.quantile(defined, bounds))
    return Interval(low, high) if low < high else None


def _leave_one_out(names: Sequence[str], x: Floats, y: Floats, method: Method) -> LeaveOneOut | None:
    left = [np.delete(np.arange(len(x)), at) for at in range(len(x))]
    if any(_undefined(x[rest], y[rest]) for rest in left):
        return None
    found = _correlations(np.array([x[rest] for rest in left]), np.array([y[rest] for rest in left]), method)
    low, high = int(found.argmin()), int(found.argmax())
    return LeaveOneOut(float(found[low]), names[low], float(found[high]), names[high])


# -- the second level ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pairs:
    same: bool
    counts: NDArray[np.int64]

    def numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many pairs each side has of every pattern."""
        if self.same:
            return (self.counts.sum(axis=1),) * 2
        return self.counts[:, 1], self.counts[:, 3]


def _pairs(x: Floats, y: Floats, same: ArrayLike | None, own: ArrayLike | None) -> _Pairs | None:
    if same is None and own is None:
        return None
    if same is not None and own is not None:
        raise ValueError("the pairs are either the same or not: give same_pairs or own_pairs")
    counts = np.asarray(own if same is None else same, dtype=np.int64)
    if counts.shape != (len(x), 4) or (counts < 0).any():
        raise ValueError(f"counts must be [{len(x)}, 4] and not negative, got {counts.shape}")
    made = _Pairs(same is not None, counts)
    n_x, n_y = made.numbers()
    right_x = counts[:, 0] if same is None else counts[:, 0] + counts[:, 1]
    right_y = counts[:, 2] if same is None else counts[:, 0] + counts[:, 2]
    if (n_x < 1).any() or (n_y < 1).any() or not np.allclose(right_x, x * n_x) or not np.allclose(right_y, y * n_y):
        raise ValueError("the counts of pairs do not give the accuracies")
    return made


def _redrawn(rng: np.random.Generator, drawn: NDArray[np.int64], pairs: _Pairs) -> tuple[Floats, Floats]:
    """Draw the pairs of every pattern that was drawn, with replacement: drawing n is drawing how many of each kind."""
    counts = pairs.counts
    if pairs.same:
        n = counts.sum(axis=1)
        cells = rng.multinomial(n[drawn], (counts / n[:, None])[drawn])
        return (cells[..., 0] + cells[..., 1]) / n[drawn], (cells[..., 0] + cells[..., 2]) / n[drawn]
    x_right, x_n, y_right, y_n = (column[drawn] for column in counts.T)
    return rng.binomial(x_n, x_right / x_n) / x_n, rng.binomial(y_n, y_right / y_n) / y_n


def _reliability(x: Floats, y: Floats, pairs: _Pairs) -> tuple[float, float] | None:
    """Return 1 - mean(p (1 - p) / (n - 1)) / variance for each side, at least 0."""
    numbers = pairs.numbers()
    if min(n.min() for n in numbers) < 2:
        return None
    one, other = (
        max(0.0, 1 - float((p * (1 - p) / (n - 1)).mean() / p.var(ddof=1)))
        for p, n in zip((x, y), numbers, strict=True)
    )
    return one, other
