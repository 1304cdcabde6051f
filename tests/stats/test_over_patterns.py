"""Correlations over patterns against scipy, by hand, and in simulated worlds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, pearsonr, permutation_test, spearmanr

from snellen.stats.over_patterns import Method, correlate_patterns

NAMES = tuple("abcdefghi")
SCIPY = {"pearson": pearsonr, "spearman": spearmanr}
FEW = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), min_size=3, max_size=5)


def columns(points: list[tuple[int, int]]) -> tuple[list[float], list[float]]:
    x, y = ([value / 15 for value in column] for column in zip(*points, strict=True))
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    return x, y


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@settings(deadline=None, max_examples=20)
@given(points=FEW)
def test_value_p_and_what_is_left_without_one_are_scipys(method: Method, points: list[tuple[int, int]]) -> None:
    x, y = columns(points)
    found = correlate_patterns(NAMES[: len(x)], x, y, method=method, resamples=50)
    of = SCIPY[method]
    assert found.value == pytest.approx(of(x, y).statistic, abs=1e-12)
    exact = permutation_test(
        (x,), lambda one: abs(of(one, y).statistic), permutation_type="pairings", alternative="greater",
        n_resamples=np.inf, vectorized=False,
    )  # fmt: skip
    assert found.p == pytest.approx(exact.pvalue, abs=1e-9)
    left = [([*x[:at], *x[at + 1 :]], [*y[:at], *y[at + 1 :]]) for at in range(len(x))]
    if len(x) == 3 or any(len(set(side)) == 1 for both in left for side in both):
        assert found.leave_one_out is None
        return
    each = [of(*both).statistic for both in left]
    assert found.leave_one_out is not None
    assert (found.leave_one_out.low, found.leave_one_out.high) == pytest.approx((min(each), max(each)), abs=1e-12)
    assert each[NAMES.index(found.leave_one_out.low_without)] == pytest.approx(min(each), abs=1e-12)
    assert each[NAMES.index(found.leave_one_out.high_without)] == pytest.approx(max(each), abs=1e-12)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_intervals_are_scipys(method: Method) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(9)
    y = x + rng.standard_normal(9)
    found = correlate_patterns(NAMES, x, y, method=method, confidence=0.9, resamples=20_000, seed=4)
    theirs = bootstrap(
        (x, y), lambda *both: SCIPY[method](*both).statistic, paired=True, method="percentile", confidence_level=0.9,
        n_resamples=3_000, rng=np.random.default_rng(5), vectorized=False,
    ).confidence_interval  # fmt: skip
    assert found.bootstrap is not None
    # The Monte Carlo error of a 5 % quantile in the flat lower tail; the upper tail is steep.
    assert found.bootstrap.low == pytest.approx(theirs.low, abs=0.06)
    assert found.bootstrap.high == pytest.approx(theirs.high, abs=0.02)
    if method == "pearson":
        assert found.fisher == pytest.approx(tuple(pearsonr(x, y).confidence_interval(0.9)), abs=1e-12)
    else:
        assert found.fisher is None
    assert found == correlate_patterns(NAMES, x, y, method=method, confidence=0.9, resamples=20_000, seed=4)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@settings(deadline=None, max_examples=30)
@given(points=FEW, slope=st.sampled_from([-3.0, -1.0, 0.5, 1.0, 100.0]), shift=st.sampled_from([-2.0, 0.0, 7.0]))
def test_scale_does_not_matter_and_bounds_hold(
    method: Method, points: list[tuple[int, int]], slope: float, shift: float
) -> None:
    x, y = columns(points)
    names = NAMES[: len(x)]
    found = correlate_patterns(names, x, y, method=method, resamples=300)
    scaled = correlate_patterns(names, x, [slope * value + shift for value in y], method=method, resamples=300)
    assert found.value is not None and scaled.value is not None
    assert scaled.value == pytest.approx(np.sign(slope) * found.value, abs=1e-9)
    assert scaled.p == pytest.approx(found.p)
    inside = [found.value, *(found.fisher or ()), *(found.bootstrap or ())]
    assert all(-1 <= value <= 1 for value in inside)
    for interval in (found.fisher, found.bootstrap):
        assert interval is None or interval.low < interval.high


def test_nothing_is_ever_not_a_number() -> None:
    for x, y, why in (
        ([], [], "0 patterns are too few"),
        ([0.2], [0.1], "1 patterns are too few"),
        ([0.2, 0.4], [0.1, 0.6], "2 patterns are too few"),
        ([0.2, 0.2, 0.2], [0.1, 0.6, 0.3], "the first accuracy is the same in every pattern"),
        ([0.1, 0.6, 0.3], [0.0, 0.0, 0.0], "the second accuracy is the same in every pattern"),
    ):
        found = correlate_patterns(NAMES[: len(x)], x, y)
        assert found.reason is not None and found.reason.startswith(why)
        rest = (
            found.value,
            found.fisher,
            found.bootstrap,
            found.two_level,
            found.p,
            found.leave_one_out,
            found.reliability,
        )
        assert rest == (None,) * 7
        assert found.n == len(x)


def test_what_few_points_cannot_have() -> None:
    three = correlate_patterns("abc", [1, 2, 4], [1, 2, 3])
    assert (three.fisher, three.leave_one_out) == (None, None)  # two points that are left are a line
    assert three.p == pytest.approx(2 / 6)
    line = correlate_patterns("abcd", [1, 2, 3, 4], [2, 4, 6, 8])
    assert line.value == pytest.approx(1.0)
    assert line.bootstrap is None  # all resamples say 1: that is no certainty
    lone = correlate_patterns("abcde", [0, 0, 0, 0, 1], [1, 2, 3, 4, 5])
    assert lone.bootstrap is None  # a third of the resamples never draw e
    assert lone.leave_one_out is None  # without e the first side is flat


def test_pairs_are_drawn_within_patterns_that_are_drawn() -> None:
    """Against a plain loop over patterns and pairs, on the same pairs and on pairs of their own."""
    same = [[9, 2, 1, 3], [2, 2, 6, 5], [12, 1, 1, 1], [1, 3, 2, 9], [4, 4, 4, 3]]
    table = np.array(same)
    n = table.sum(axis=1)
    x, y = (table[:, 0] + table[:, 1]) / n, (table[:, 0] + table[:, 2]) / n
    rng = np.random.default_rng(6)

    def looped(paired: bool) -> list[float]:
        values = []
        for _ in range(5_000):
            drawn: list[list[float]] = [[], []]
            for at in rng.integers(0, len(same), len(same)):
                pairs = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], same[at], axis=0)
                one = rng.integers(0, n[at], n[at])
                other = one if paired else rng.integers(0, n[at], n[at])
                drawn[0].append(pairs[one, 0].mean())
                drawn[1].append(pairs[other, 1].mean())
            if np.ptp(drawn[0]) and np.ptp(drawn[1]):
                values.append(float(np.corrcoef(np.array(drawn))[0, 1]))
        return [float(bound) for bound in np.quantile(values, [0.1, 0.9])]

    found = correlate_patterns("abcde", x, y, same_pairs=same, confidence=0.8, seed=1)
    assert found.two_level == pytest.approx(looped(paired=True), abs=0.05)
    own = np.column_stack([x * n, n, y * n, n]).round().astype(int)
    apart = correlate_patterns("abcde", x, y, own_pairs=own, confidence=0.8, seed=1)
    assert apart.two_level == pytest.approx(looped(paired=False), abs=0.05)
    assert correlate_patterns("abcde", x, y).two_level is None


def test_reliability_is_the_share_of_variance_that_is_not_noise() -> None:
    """600 patterns whose true variances are known: 0.04 of the first side, 0.01 of the second."""
    rng = np.random.default_rng(10)
    true = 0.5 + np.array([[0.2], [0.1]]) * rng.choice([-1, 1], (2, 600))
    right = rng.binomial(15, true)
    own = np.column_stack([right[0], np.full(600, 15), right[1], np.full(600, 15)])
    found = correlate_patterns(list(map(str, range(600))), right[0] / 15, right[1] / 15, own_pairs=own, resamples=1)
    noise = (0.25 - 0.04) / 15, (0.25 - 0.01) / 15
    assert found.reliability == pytest.approx((0.04 / (0.04 + noise[0]), 0.01 / (0.01 + noise[1])), abs=0.06)
    lone = correlate_patterns("abc", [0, 1, 1], [1, 0, 1], own_pairs=[[0, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]])
    assert lone.reliability is None


def test_more_pairs_bring_the_two_levels_nearer_to_one() -> None:
    rng = np.random.default_rng(7)
    shares = rng.dirichlet([2, 1, 1, 2], 9)
    widths = []
    for n in (15, 150, 15_000):
        counts = np.array([rng.multinomial(n, share) for share in shares])
        x, y = (counts[:, 0] + counts[:, 1]) / n, (counts[:, 0] + counts[:, 2]) / n
        found = correlate_patterns(NAMES, x, y, same_pairs=counts)
        assert found.two_level is not None and found.bootstrap is not None
        widths.append(abs(found.two_level.low - found.bootstrap.low) + abs(found.two_level.high - found.bootstrap.high))
    assert widths[2] < 0.05
    assert all(more > less for more, less in pairwise(widths))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": [1, 2]}, "a finite number for each of 3 patterns"),
        ({"x": [1, 2, np.nan]}, "a finite number for each of 3 patterns"),
        ({"method": "kendall"}, "pearson or spearman"),
        ({"confidence": 1.0}, "confidence"),
        ({"resamples": 0}, "resamples"),
        ({"same_pairs": [[1, 0, 0, 0]] * 3}, "do not give the accuracies"),
        ({"same_pairs": [[1, 0, 0]] * 3}, r"must be \[3, 4\]"),
        ({"same_pairs": [[0, 0, 0, 0]] * 3, "own_pairs": [[0, 0, 0, 0]] * 3}, "either the same or not"),
    ],
)
def test_nonsense_is_refused(arguments: dict[str, object], said: str) -> None:
    given: dict[str, object] = {"x": [0.1, 0.2, 0.3], "y": [0.3, 0.1, 0.2]}
    given |= arguments
    x, y = given.pop("x"), given.pop("y")
    with pytest.raises(ValueError, match=said):
        correlate_patterns("abc", x, y, **given)  # type: ignore[arg-type]


@pytest.mark.slow
def test_p_is_even_where_there_is_nothing() -> None:
    """400 worlds of 9 unrelated patterns of 15 pairs; p <= a has probability at most a: three sigma above."""
    rng = np.random.default_rng(8)
    found: list[float] = []
    while len(found) < 400:
        x, y = rng.binomial(15, rng.beta(1, 2, (2, 9))) / 15
        p = correlate_patterns(NAMES, x, y, resamples=1).p
        if p is not None:
            found.append(p)
    for level in (0.05, 0.1, 0.25, 0.5):
        share = np.mean(np.array(found) <= level)
        assert share == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 400) + 0.003)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("r", "n_pairs", "least", "most"),
    [
        (0.0, 15, {"fisher": 0.90, "two_level": 0.96}, {"bootstrap": 0.95}),
        (0.6, 1_000, {"fisher": 0.91}, {"bootstrap": 0.95}),
        (0.9, 15, {}, {"fisher": 0.65, "bootstrap": 0.78, "two_level": 0.35}),
    ],
)
def test_how_often_the_intervals_cover(r: float, n_pairs: int, least: dict[str, float], most: dict[str, float]) -> None:
    """200 worlds: what docs/correlation.md says that they can, and what it says that they cannot."""
    shares = coverage(200, n_pairs, r)
    assert all(shares[name] >= share for name, share in least.items())
    assert all(shares[name] <= share for name, share in most.items())


def coverage(worlds: int, n_pairs: int = 15, r: float = 0.6, patterns: int = 9) -> dict[str, float]:
    """Return how often each interval of Pearson's r holds the correlation of the true accuracies' population."""
    rng = np.random.default_rng(9)
    hits = {"fisher": 0, "bootstrap": 0, "two_level": 0}
    names = [str(at) for at in range(patterns)]
    # Accuracies are normal on [0, 1] as good as always: mean 0.45, standard deviation 0.15.
    for _ in range(worlds):
        one, noise = rng.standard_normal((2, patterns))
        truth = np.clip(0.45 + 0.15 * np.array([one, r * one + np.sqrt(1 - r * r) * noise]), 0.01, 0.99)
        right = rng.binomial(n_pairs, truth)
        own = np.column_stack([right[0], np.full(patterns, n_pairs), right[1], np.full(patterns, n_pairs)])
        found = correlate_patterns(names, right[0] / n_pairs, right[1] / n_pairs, own_pairs=own, resamples=1_000)
        for name in hits:
            interval = getattr(found, name)
            hits[name] += interval is not None and interval.low <= r <= interval.high
    return {name: count / worlds for name, count in hits.items()}
