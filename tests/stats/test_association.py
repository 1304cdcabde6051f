"""Error agreement: hand-computed tables, scipy, statsmodels and brute force."""

from __future__ import annotations

from collections import defaultdict
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import pearsonr
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa

from snellen.stats.association import Table, association
from snellen.stats.clusters import connected

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40)


def errors(table: Table) -> tuple[list[int], list[int]]:
    kinds = [(1, 1), (1, 0), (0, 1), (0, 0)]
    rows = [kind for kind, count in zip(kinds, table, strict=True) for _ in range(count)]
    return [one for one, _ in rows], [other for _, other in rows]


def test_by_hand() -> None:
    # Cohen's example of 50 items: agreement 35/50 = 0.7; chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; kappa 0.4.
    # phi = (20 * 15 - 5 * 10) / sqrt(25 * 25 * 30 * 20) = 250 / 612.37
    found = association(*errors(Table(20, 5, 10, 15)))
    assert found.table == Table(20, 5, 10, 15)
    assert (found.n, found.n_clusters, found.reason) == (50, 50, None)
    assert found.kappa is not None and found.phi is not None
    assert found.kappa.value == pytest.approx(0.4, abs=1e-12)
    assert found.phi.value == pytest.approx(250 / sqrt(25 * 25 * 30 * 20), abs=1e-12)
    # Error rates 0.5 and 0.6: at most sqrt((0.5 * 0.4) / (0.6 * 0.5)), with the table 25, 0, 5, 20.
    assert found.phi_most == pytest.approx(sqrt(2 / 3), abs=1e-12)
    most = association(*errors(Table(25, 0, 5, 20))).phi
    assert most is not None
    assert most.value == pytest.approx(sqrt(2 / 3), abs=1e-12)
    # McNemar: 15 discordant pairs, 5 or fewer, or 10 or more.
    assert found.p_mcnemar == pytest.approx(2 * sum(comb(15, k) for k in range(6)) / 2**15, abs=1e-12)


def test_fisher_by_hand() -> None:
    # The lady tasting tea: of 70 ways to choose 4 cups of 8, 34 are at least as far out as 3 right (Fisher 1935).
    assert association(*errors(Table(3, 1, 1, 3))).p_fisher == pytest.approx(34 / 70, abs=1e-12)
    assert association(*errors(Table(4, 0, 0, 4))).p_fisher == pytest.approx(2 / 70, abs=1e-12)


@settings(deadline=None)
@given(PAIRS)
def test_against_the_libraries(pairs: list[tuple[bool, bool]]) -> None:
    first, second = ([int(one[side]) for one in pairs] for side in (0, 1))
    found = association(first, second, resamples=200)
    table = found.table
    assert found.p_mcnemar == pytest.approx(
        mcnemar([[table.both_wrong, table.first_only], [table.second_only, table.neither]], exact=True).pvalue
    )
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert (found.phi, found.kappa, found.phi_most, found.p_fisher) == (None,) * 4
        assert found.reason is not None and ("every pair" in found.reason or "no pair" in found.reason)
        return
    assert found.phi is not None and found.kappa is not None and found.phi_most is not None
    square = np.array([[table.both_wrong, table.first_only], [table.second_only, table.neither]])
    assert found.kappa.value == pytest.approx(float(cohens_kappa(square, return_results=False)), abs=1e-9)
    if len(pairs) > 2:
        assert found.phi.value == pytest.approx(pearsonr(first, second).statistic, abs=1e-9)
    assert -1 - 1e-9 <= found.phi.value <= found.phi_most + 1e-9
    assert abs(found.kappa.value) <= abs(found.phi.value) + 1e-9
    for each in (found.phi, found.kappa):
        if each.low is not None and each.high is not None:
            assert -1 <= each.low < each.high <= 1 + 1e-12
    if len(pairs) < 10:
        assert (found.phi.low, found.phi.high) == (None, None)


@settings(deadline=None, max_examples=40)
@given(PAIRS)
def test_whose_errors_they_are_does_not_matter(pairs: list[tuple[bool, bool]]) -> None:
    first, second = ([one[side] for one in pairs] for side in (0, 1))
    assume(len(set(first)) == len(set(second)) == 2)
    found, turned = association(first, second, resamples=1), association(second, first, resamples=1)
    right = association([not one for one in first], [not one for one in second], resamples=1)
    for other in (turned, right):
        assert found.phi is not None and found.kappa is not None
        assert other.phi is not None and other.kappa is not None
        assert other.phi.value == pytest.approx(found.phi.value, abs=1e-12)
        assert other.kappa.value == pytest.approx(found.kappa.value, abs=1e-12)
        assert (other.p_fisher, other.p_mcnemar) == pytest.approx((found.p_fisher, found.p_mcnemar))
        assert other.phi_most == pytest.approx(found.phi_most)


def looped(
    first: list[int], second: list[int], clusters: list[int], bounds: tuple[float, float]
) -> NDArray[np.float64]:
    """The bootstrap over clusters, one pair after the other."""
    rng = np.random.default_rng(0)
    members: dict[int, list[int]] = defaultdict(list)
    for at, cluster in enumerate(clusters):
        members[cluster].append(at)
    values = []
    for _ in range(4_000):
        drawn = [at for cluster in rng.choice(list(members), len(members)) for at in members[int(cluster)]]
        one, other = np.array(first)[drawn], np.array(second)[drawn]
        if np.ptp(one) and np.ptp(other):
            values.append(float(np.corrcoef(one, other)[0, 1]))
    return np.quantile(values, bounds)


@pytest.mark.parametrize("size", [1, 4])
def test_clusters_are_drawn_whole(size: int) -> None:
    rng = np.random.default_rng(1)
    n = 80
    clusters = [at // size for at in range(n)]
    hard = rng.standard_normal(n)[clusters]
    first, second = ((hard + rng.standard_normal(n) > 0).astype(int).tolist() for _ in range(2))
    found = association(first, second, clusters, seed=2)
    assert found.phi is not None
    assert found.n_clusters == n / size
    assert (found.phi.low, found.phi.high) == pytest.approx(looped(first, second, clusters, (0.025, 0.975)), abs=0.03)
    assert (found.p_fisher is None) == (found.p_mcnemar is None) == (size > 1)
    assert found == association(first, second, [f"image {one}" for one in clusters], seed=2)


def test_copies_in_a_cluster_are_no_evidence() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 2, (2, 40))
    once = association(first, second)
    thrice = association(np.tile(first, 3), np.tile(second, 3), list(range(40)) * 3)
    assert once.phi is not None and thrice.phi is not None
    assert thrice.phi == pytest.approx(once.phi)
    assert (thrice.n, thrice.n_clusters) == (120, 40)


def test_what_cannot_be_said() -> None:
    for first, second, why in (
        ([], [], "0 pairs are too few"),
        ([1], [0], "1 pairs are too few"),
        ([1, 1, 1], [1, 0, 1], "the first errs on every pair"),
        ([1, 0, 1], [0, 0, 0], "the second errs on no pair"),
    ):
        found = association(first, second)
        assert found.phi is None and found.kappa is None
        assert found.reason is not None and found.reason.startswith(why)
    agree = association([1, 0] * 10, [1, 0] * 10).phi
    assert agree is not None
    assert agree == (1.0, None, None)  # no resample disagrees: that is no certainty


@pytest.mark.parametrize(
    ("first", "second", "clusters"), [([1, 0], [1], None), ([1, 2], [1, 0], None), ([1, 0], [1, 0], [1])]
)
def test_nonsense_is_refused(first: list[int], second: list[int], clusters: list[int] | None) -> None:
    with pytest.raises(ValueError, match="must hold"):
        association(first, second, clusters)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=15))
def test_clusters_are_what_can_be_reached(links: list[tuple[int, int]]) -> None:
    sets: list[set[int]] = []
    for a, b in links:
        near = [one for one in sets if one & {a, b}]
        sets = [one for one in sets if one not in near] + [{a, b}.union(*near)]
    found = connected(links)
    assert [[one == other for other in found] for one in found] == [
        [any(a in one and c in one for one in sets) for c, _ in links] for a, _ in links
    ]
    assert list(dict.fromkeys(found)) == list(range(len(set(found))))


@pytest.mark.slow
@pytest.mark.parametrize(("size", "ignored"), [(1, False), (4, False), (4, True)])
def test_how_often_the_interval_covers(size: int, ignored: bool) -> None:
    """400 worlds of 150 pairs, in clusters that share what is hard and for whom: ignoring them covers too seldom."""
    rng = np.random.default_rng(4)

    def drawn(clusters: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        hard = np.repeat(rng.standard_normal(clusters), size)
        own = 0.5 * np.repeat(rng.standard_normal((2, clusters)), size, axis=1)
        own += 0.2 * rng.standard_normal((2, clusters * size))
        return (hard + own[0] > 0).astype(int), (hard + own[1] > 0.3).astype(int)

    truth = float(np.corrcoef(*drawn(400_000 // size))[0, 1])
    hits = 0
    for _ in range(400):
        first, second = drawn(150 // size)
        clusters = None if ignored else [at // size for at in range(len(first))]
        phi = association(first, second, clusters, resamples=1_000).phi
        assert phi is not None and phi.low is not None and phi.high is not None
        hits += phi.low <= truth <= phi.high
    assert (hits / 400 < 0.80) if ignored else (hits / 400 > 0.89)
