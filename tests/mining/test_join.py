"""The join finds what float64 matrices find: no pair more, no pair less, and the same cosines."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining import bound
from snellen.mining import join as join_module
from snellen.mining.bound import PrefixFilter, fit_basis, reduce_rows
from snellen.mining.join import Condition, Join, Labels
from snellen.mining.tiles import Filter, NoFilter, Positions, Tile, Tiling, stripes
from tests.mining.conftest import TINY, Half, Pairs, cosines, oracle, planted, side
from tests.studies import spectrum_rows, unit_rows, with_copies

K = Literal[0, 1, 3, 15, 31, 63]


def prefix(blind: Half, k: int, blind_min: float) -> Filter:
    """A filter of k coordinates; none for 0."""
    if k == 0:
        return NoFilter()
    basis = fit_basis(side(blind), min(k, blind.shape[1]), 0)
    return PrefixFilter(reduce_rows(blind.astype(np.float64), basis), blind_min)


def run(join: Join) -> tuple[Pairs, int, int]:
    """All pairs found, and the counts; checks that each row block is sorted and memory is bounded."""
    found: Pairs = {}
    above = below = 0
    last = (-1, -1)
    for rows in stripes(len(join.blind), join.tiling):
        for part in join.stripe(rows):
            pairs = list(zip(part.a.tolist(), part.b.tolist(), strict=True))
            assert len(set(pairs)) == len(pairs)
            assert [last, *pairs] == sorted([last, *pairs])
            last = pairs[-1] if pairs else last
            cosine_pairs = zip(part.blind.tolist(), part.reference.tolist(), strict=True)
            found.update(zip(pairs, cosine_pairs, strict=True))
            above += part.above_blind_min
            below += part.below_reference_max
    return found, above, below


def joined(blind: Half, reference: Half, blind_min: float, reference_max: float, k: int, tiling: Tiling) -> Pairs:
    condition = Condition(blind_min, reference_max)
    join = Join(side(blind), side(reference), prefix(blind, k, blind_min), condition, tiling)
    found, above, below = run(join)
    assert above == int(np.triu(cosines(blind) > blind_min, 1).sum())
    assert below == len(found)
    return found


@pytest.mark.parametrize("dim", [16, 64, 200, 768, 2048])
@pytest.mark.parametrize("k", [0, 15, 63])
def test_pairs_on_and_beside_the_thresholds(dim: int, k: int) -> None:
    rows = 331 if dim < 1000 else 131
    data = planted(dim + k, rows, dim, 0.95, 0.6)
    tiling = Tiling(rows=64, columns=50, stripe_pairs=5_000, buffer_pairs=10_000)
    expected = oracle(data.blind, data.reference, 0.95, 0.6)
    a, b = cosines(data.blind), cosines(data.reference)
    assert np.triu(np.abs(a - 0.95) < 1e-6, 1).sum() >= rows // 4
    assert np.triu(np.abs(b - 0.6) < 1e-6, 1).sum() >= rows // 4
    assert joined(data.blind, data.reference, 0.95, 0.6, k, tiling) == expected


@pytest.mark.parametrize("k", [0, 3])
def test_a_cosine_equal_to_the_threshold_does_not_pass(k: int) -> None:
    # 0.9501953125 and 0.60009765625 are float16 values, so these dot products are exactly the thresholds.
    high, low = 0.9501953125, 0.60009765625
    blind = np.zeros((40, 8), dtype=np.float16)
    reference = np.zeros((40, 8), dtype=np.float16)
    blind[:, 0] = reference[:, 0] = 1
    for row in range(1, 40):
        blind[row, :2] = [high, np.sqrt(1 - high**2)] if row % 2 else [1, 0]
        reference[row, :2] = [low, np.sqrt(1 - low**2)] if row % 3 else [0.1, 0.995]
    found = joined(blind, reference, high, low, k, TINY)
    assert found == oracle(blind, reference, high, low)
    assert (0, 1) not in found  # blind exactly on the threshold
    assert (0, 2) not in found  # reference exactly on it
    assert (0, 6) in found
    just_below = float(np.nextafter(high, 0))
    assert (0, 3) in joined(blind, reference, just_below, low, k, TINY)
    assert (0, 2) in joined(blind, reference, high, float(np.nextafter(low, 1)), k, TINY)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 90),
    dim=st.integers(2, 80),
    alpha=st.floats(0, 3),
    mean=st.floats(0, 0.98),
    copies=st.floats(0, 0.9),
    blind_min=st.one_of(st.floats(0.5, 0.999), st.just(None)),
    reference_max=st.floats(-0.2, 1),
    k=st.sampled_from([0, 1, 3, 15, 31]),
    tile=st.tuples(st.integers(1, 30), st.integers(1, 40), st.integers(1, 3000), st.integers(1, 400)),
    dense=st.sampled_from([0.0, 0.01, 1.0]),
)
def test_any_data_any_tiling(
    seed: int,
    rows: int,
    dim: int,
    alpha: float,
    mean: float,
    copies: float,
    blind_min: float | None,
    reference_max: float,
    k: int,
    tile: tuple[int, int, int, int],
    dense: float,
) -> None:
    rng = np.random.default_rng(seed)
    values = with_copies(rng, spectrum_rows(rng, rows, dim, mean=mean, alpha=alpha, classes=5), copies, 0.8, 1.0)
    blind, reference = unit_rows(values), unit_rows(spectrum_rows(rng, rows, dim, mean=0.1, classes=5))
    if blind_min is None:  # exactly one of the cosines
        blind_min = float(cosines(blind)[0, rows - 1])
    patch = pytest.MonkeyPatch()
    patch.setattr(bound, "DENSE_SHARE", dense)
    patch.setattr(join_module, "GATHER_SHARE", dense)
    patch.setattr(join_module, "CHUNK_ROWS", 5)
    try:
        found = joined(blind, reference, blind_min, reference_max, k, Tiling(*tile))
    finally:
        patch.undo()
    assert found == oracle(blind, reference, blind_min, reference_max)


@pytest.mark.parametrize("k", [0, 31])
def test_a_burst_of_near_duplicates(k: int) -> None:
    rng = np.random.default_rng(0)
    values = spectrum_rows(rng, 1500, 64)
    burst = values[:1] + 0.01 * rng.standard_normal((900, 64)) / 8
    values[200:1100] = burst / np.linalg.norm(burst, axis=1, keepdims=True)
    blind, reference = unit_rows(values), unit_rows(spectrum_rows(rng, 1500, 32, mean=0.1))
    budget = Tiling(rows=256, columns=512, stripe_pairs=300_000, buffer_pairs=5_000)
    found = joined(blind, reference, 0.95, 0.3, k, budget)
    expected = oracle(blind, reference, 0.95, 0.3)
    assert len(expected) > 100_000
    assert found == expected


def test_rows_are_halved_rather_than_held() -> None:
    blind = np.repeat(unit_rows(np.ones((1, 8))), 60, axis=0)
    reference = unit_rows(np.eye(60))
    join = Join(side(blind), side(reference), NoFilter(), Condition(0.9, 0.5), Tiling(32, 16, 10**6, 100))
    sizes = [len(found.a) for rows in stripes(60, join.tiling) for found in join.stripe(rows)]
    assert sum(sizes) == 60 * 59 // 2
    assert max(sizes) <= 100
    # One row's pairs are held whatever the budget.
    single = Join(side(blind), side(reference), NoFilter(), Condition(0.9, 0.5), Tiling(32, 16, 10**6, 1))
    assert [len(found.a) for found in single.stripe(range(60))] == [*range(59, 1, -1), 1]  # the last two together


def test_exact_duplicates_among_the_rows() -> None:
    rng = np.random.default_rng(5)
    values = unit_rows(spectrum_rows(rng, 100, 48))[rng.integers(0, 100, 300)]
    reference = unit_rows(spectrum_rows(rng, 300, 48))
    assert joined(values, reference, 0.999, 0.9, 15, TINY) == oracle(values, reference, 0.999, 0.9)


@pytest.mark.parametrize("blind_min", [-1.0, 0.0, 0.5, 0.8, 0.95, 0.999, 1.0])
def test_thresholds_from_end_to_end(blind_min: float) -> None:
    rng = np.random.default_rng(6)
    values = with_copies(rng, spectrum_rows(rng, 200, 40, mean=0.2), 0.3, 0.8, 1.0)
    blind, reference = unit_rows(values), unit_rows(spectrum_rows(rng, 200, 24, mean=0.0))
    for k in (0, 15):
        for reference_max in (-1.0, 0.2, 1.0):
            expected = oracle(blind, reference, blind_min, reference_max)
            assert joined(blind, reference, blind_min, reference_max, k, TINY) == expected


def test_reference_is_looked_at_only_for_survivors(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    blind = unit_rows(with_copies(rng, spectrum_rows(rng, 400, 64, mean=0.2), 0.1, 0.96, 1.0))
    reference_side = side(unit_rows(spectrum_rows(rng, 400, 64)))
    asked = 0
    dots = reference_side.dots

    def counting(a: Positions, b: Positions) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        nonlocal asked
        asked += len(a)
        return dots(a, b)

    monkeypatch.setattr(reference_side, "dots", counting)
    monkeypatch.setattr(reference_side, "block", None)
    join = Join(side(blind), reference_side, prefix(blind, 31, 0.95), Condition(0.95, 0.6), Tiling())
    _, above, _ = run(join)
    assert asked == above > 0


class TestLabels:
    def test_rules(self) -> None:
        codes = np.array([0, 0, 1, -1, -1], dtype=np.int32)
        a, b = np.triu_indices(5, 1)
        pairs = list(zip(a.tolist(), b.tolist(), strict=True))
        matching = {
            rule: {pair for pair, ok in zip(pairs, Labels(rule, codes).match(a, b), strict=True) if ok}
            for rule in ("any", "within", "across")
        }
        assert matching == {"any": set(pairs), "within": {(0, 1)}, "across": {(0, 2), (1, 2)}}

    @pytest.mark.parametrize("rule", ["within", "across"])
    def test_join_counts_before_labels(self, rule: Literal["within", "across"]) -> None:
        rng = np.random.default_rng(8)
        blind = unit_rows(spectrum_rows(rng, 120, 16, mean=0.9))
        reference = unit_rows(spectrum_rows(rng, 120, 16, mean=0.0))
        codes = rng.integers(-1, 4, 120).astype(np.int32)
        join = Join(side(blind), side(reference), NoFilter(), Condition(0.9, 0.3, Labels(rule, codes)), TINY)
        found, _, below = run(join)
        everything = oracle(blind, reference, 0.9, 0.3)
        assert below == len(everything)
        wanted = {
            (a, b)
            for a, b in everything
            if codes[a] >= 0 and codes[b] >= 0 and (codes[a] == codes[b]) == (rule == "within")
        }
        assert set(found) == wanted and wanted


class Spy:
    """A faster filter may take the place of ours: anything with `candidates` will do."""

    def __init__(self, inner: Filter) -> None:
        self.inner = inner
        self.tiles: list[Tile] = []

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        self.tiles.append(tile)
        return self.inner.candidates(tile)


def test_another_filter_fits_in() -> None:
    rng = np.random.default_rng(9)
    blind, reference = unit_rows(spectrum_rows(rng, 100, 16)), unit_rows(spectrum_rows(rng, 100, 16))
    spy = Spy(prefix(blind, 7, 0.9))
    found, _, _ = run(Join(side(blind), side(reference), spy, Condition(0.9, 0.8), TINY))
    assert found == oracle(blind, reference, 0.9, 0.8)
    assert len(spy.tiles) > 50


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "k"), [(768, 63), (768, 0), (384, 31), (2048, 127)])
def test_thousands_of_images(dim: int, k: int) -> None:
    rng = np.random.default_rng(dim + k)
    values = with_copies(rng, spectrum_rows(rng, 5003, dim, classes=200), 0.1, 0.9, 1.0)
    blind, reference = unit_rows(values), unit_rows(spectrum_rows(rng, 5003, 96, mean=0.1, classes=200))
    data = planted(dim, 900, dim, 0.95, 0.6)
    blind[:900] = data.blind
    found = joined(blind, reference, 0.95, 0.6, k, Tiling())
    assert len(found) > 250
    assert found == oracle(blind, reference, 0.95, 0.6)
