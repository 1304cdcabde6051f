"""The bound is never below the true cosine, whatever the data: a filter that misses one pair is worth nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining.filters import prefix
from snellen.mining.filters.prefix import PrefixFilter, fit_basis, reduce_rows, reduce_side, rounding_slack
from snellen.mining.join.tiles import NoFilter, Tile
from tests.mining.conftest import Half, cosines, prefix_filter, side
from tests.mining.hard_rows import DIMS, KINDS, Hard, hard, rows_of
from tests.studies import spectrum_rows, unit_rows


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    dim=st.integers(2, 96),
    alpha=st.floats(0, 4),
    mean=st.floats(0, 0.999),
    kind=st.sampled_from(KINDS),
    data=st.data(),
)
def test_bound_is_never_below_the_cosine(
    seed: int, dim: int, alpha: float, mean: float, kind: str, data: st.DataObject
) -> None:
    values = rows_of(np.random.default_rng(seed), kind, 60, dim, alpha, mean)
    k = data.draw(st.integers(1, dim))
    reduced = reduce_rows(values.astype(np.float64), fit_basis(values, k, seed))
    true = cosines(values)
    wide = reduced.astype(np.float64)
    assert (wide @ wide.T + rounding_slack(k + 1) >= true).all()
    assert (reduced @ reduced.T + np.float32(rounding_slack(k + 1)) * np.float32(1.001) >= true - 1e-12).all()


@pytest.mark.parametrize("scale", [0.985, 1.0, 1.015])
def test_bound_holds_for_rows_that_are_not_quite_unit(scale: float) -> None:
    values = (unit_rows(spectrum_rows(np.random.default_rng(0), 300, 64)) * np.float16(scale)).astype(np.float16)
    true = cosines(values)
    compared = 0
    for limit in np.quantile(true, [0.5, 0.9, 0.999]):
        found = prefix_filter(side(values), float(limit)).candidates(Tile(0, 100, 100, 300))
        if found is not None:
            missed = true[:100, 100:] > limit
            missed[found[0], found[1] - 100] = False
            assert not missed.any()
            compared += 1
    assert compared > 0


def named(one: PrefixFilter, n: int) -> set[tuple[int, int]]:
    """All pairs that a filter with room for all names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefix, "DENSE_SHARE", 1.0)
        found = one.candidates(Tile(0, n, 0, n))
    assert found is not None
    pairs = list(zip(*(index.tolist() for index in found), strict=True))
    assert all(a < b for a, b in pairs) and len(set(pairs)) == len(pairs)
    return set(pairs)


@settings(max_examples=60, deadline=None)
@given(data=hard(), k=st.sampled_from([1, 5, 15, 31, 63, 127, 255]))
def test_filter_names_every_pair_that_passes(data: Hard, k: int) -> None:
    one = side(data.rows)
    k = min(k, one.dim)
    reduced = reduce_side(one, fit_basis(data.sample, k, data.seed), None)
    found = named(PrefixFilter(reduced, data.blind_min), len(data.rows))
    assert found >= set(zip(*(index.tolist() for index in np.nonzero(data.passing)), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_rows(kind: str) -> None:
    for dim in (16, 257):
        rows = rows_of(np.random.default_rng(0), kind, 100, dim, 1.0, 0.5)
        for blind_min in (0.5, 0.95, 0.999):
            passing = np.nonzero(np.triu(cosines(rows) > blind_min, 1))
            found = named(prefix_filter(side(rows), blind_min), 100)
            assert found >= set(zip(*(index.tolist() for index in passing), strict=True))


def test_filter_rules_most_other_pairs_out() -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 1000, 256))
    assert len(named(prefix_filter(side(rows), 0.95, 127), 1000)) < 0.001 * 1000 * 999 / 2


def test_copies_have_a_bound_of_their_own_length() -> None:
    values = np.repeat(unit_rows(spectrum_rows(np.random.default_rng(1), 2, 300)), 20, axis=0)
    reduced = reduce_rows(values.astype(np.float64), fit_basis(values, 2, 0))
    assert np.abs(reduced[:, 2]).max() < 1e-3  # two directions hold everything
    assert np.abs((reduced @ reduced.T) - cosines(values)).max() < 1e-5


def test_dense_tiles_are_given_back() -> None:
    values = np.repeat(unit_rows(np.ones((1, 32))), 50, axis=0)
    assert prefix_filter(side(values), 0.9, 4).candidates(Tile(0, 10, 10, 50)) is None
    assert NoFilter().candidates(Tile(0, 10, 10, 50)) is None


def test_rows_on_the_diagonal_do_not_make_a_tile_dense() -> None:
    values = np.eye(60, dtype=np.float16)
    found = prefix_filter(side(values), 0.9, 59).candidates(Tile(0, 60, 0, 60))
    assert found is not None


@pytest.mark.parametrize("threads", [1, 2])
def test_large_reductions_are_mapped(threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(2), 9000, 32))
    one, basis = side(values), fit_basis(values, 7, 0)
    in_memory = reduce_side(one, basis, tmp_path, threads)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(prefix, "IN_MEMORY_BYTES", 1000)
    mapped = reduce_side(one, basis, tmp_path, threads)
    assert isinstance(mapped, np.memmap) and [path.name for path in tmp_path.iterdir()] == ["prefix.f32"]
    assert np.array_equal(in_memory, mapped)
    assert np.array_equal(in_memory[4000:5000], reduce_rows(values[4000:5000].astype(np.float64), basis))
    assert isinstance(reduce_side(one, basis, None, threads), np.ndarray)


@pytest.mark.parametrize("dim", DIMS)
def test_basis_is_orthonormal_whatever_the_rows(dim: int) -> None:
    for kind in KINDS:
        rows: Half = rows_of(np.random.default_rng(dim), kind, 30, dim, 1.0, 0.5)
        basis = fit_basis(rows, min(dim, 127), 0)
        assert basis.shape == (dim, min(dim, 127))
        assert np.linalg.norm(basis.T @ basis - np.eye(basis.shape[1]), 2) < prefix.BASIS_SLACK / 4


def test_basis_that_is_not_orthonormal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix, "leading_directions", lambda moment, k, seed: np.full((len(moment), k), 0.5))
    with pytest.raises(ArithmeticError, match="not orthonormal"):
        fit_basis(unit_rows(spectrum_rows(np.random.default_rng(2), 50, 8)), 4, 0)


def test_longer_prefixes_leave_fewer_pairs() -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(0), 1000, 256))
    basis = fit_basis(values, 127, 0)
    rates = prefix.survivor_rates(values.astype(np.float64), basis, [15, 31, 127], 0.9)
    assert rates[15] > rates[31] > rates[127] >= np.triu(cosines(values) > 0.9, 1).sum() / (1000 * 999 / 2)
    assert rates[31] == len(named(PrefixFilter(reduce_side(side(values), basis[:, :31], None), 0.9), 1000)) / 499_500
