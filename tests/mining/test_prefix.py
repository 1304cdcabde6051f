"""The bound is never below the true cosine, whatever the data: a filter that misses one pair is worth nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining import bound, choose
from snellen.mining.bound import PrefixFilter, fit_basis, reduce_rows, reduce_side, rounding_slack
from snellen.mining.tiles import NoFilter, Tile
from tests.mining.conftest import cosines, side
from tests.studies import spectrum_rows, unit_rows


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    dim=st.integers(2, 96),
    alpha=st.floats(0, 4),
    mean=st.floats(0, 0.999),
    data=st.data(),
)
def test_bound_is_never_below_the_cosine(seed: int, dim: int, alpha: float, mean: float, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    values = unit_rows(spectrum_rows(rng, 60, dim, mean=mean, alpha=alpha, classes=5))
    k = data.draw(st.integers(1, dim))
    reduced = reduce_rows(values.astype(np.float64), fit_basis(side(values), k, seed))
    true = cosines(values)
    wide = reduced.astype(np.float64)
    assert (wide @ wide.T + rounding_slack(k + 1) >= true).all()
    assert (reduced @ reduced.T + np.float32(rounding_slack(k + 1)) * np.float32(1.001) >= true - 1e-12).all()


@pytest.mark.parametrize("scale", [0.985, 1.0, 1.015])
def test_bound_holds_for_rows_that_are_not_quite_unit(scale: float) -> None:
    values = (unit_rows(spectrum_rows(np.random.default_rng(0), 300, 64)) * np.float16(scale)).astype(np.float16)
    one = side(values)
    true = cosines(values)
    for limit in np.quantile(true, [0.5, 0.9, 0.999]):
        found = PrefixFilter(reduce_rows(values.astype(np.float64), fit_basis(one, 15, 0)), float(limit)).candidates(
            Tile(0, 100, 100, 300)
        )
        if found is not None:
            missed = true[:100, 100:] > limit
            missed[found[0], found[1] - 100] = False
            assert not missed.any()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 40), share=st.floats(0.5, 1.0))
def test_filter_names_every_pair_that_passes(seed: int, k: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    values = unit_rows(spectrum_rows(rng, 80, 48, classes=4))
    true = cosines(values)
    limit = float(np.quantile(true, share))  # often exactly one of the cosines
    basis = fit_basis(side(values), k, seed)
    patch = pytest.MonkeyPatch()
    patch.setattr(bound, "DENSE_SHARE", 1.0)
    found = PrefixFilter(reduce_rows(values.astype(np.float64), basis), limit).candidates(Tile(0, 80, 0, 80))
    patch.undo()
    assert found is not None
    named = set(zip(*(index.tolist() for index in found), strict=True))
    assert all(a < b for a, b in named)
    passing = np.triu(true > limit, 1)
    assert named >= set(zip(*(index.tolist() for index in np.nonzero(passing)), strict=True))


def test_copies_have_a_bound_of_their_own_length() -> None:
    values = np.repeat(unit_rows(spectrum_rows(np.random.default_rng(1), 2, 300)), 20, axis=0)
    reduced = reduce_rows(values.astype(np.float64), fit_basis(side(values), 2, 0))
    assert np.abs(reduced[:, 2]).max() < 1e-3  # two directions hold everything
    assert np.abs((reduced @ reduced.T) - cosines(values)).max() < 1e-5


def test_dense_tiles_are_given_back() -> None:
    values = np.repeat(unit_rows(np.ones((1, 32))), 50, axis=0)
    one = PrefixFilter(reduce_rows(values.astype(np.float64), fit_basis(side(values), 4, 0)), 0.9)
    assert one.candidates(Tile(0, 10, 10, 50)) is None
    assert NoFilter().candidates(Tile(0, 10, 10, 50)) is None


def test_rows_on_the_diagonal_do_not_make_a_tile_dense() -> None:
    values = np.eye(60, dtype=np.float16)
    one = PrefixFilter(reduce_rows(values.astype(np.float64), fit_basis(side(values), 59, 0)), 0.9)
    found = one.candidates(Tile(0, 60, 0, 60))
    assert found is not None


def test_large_reductions_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = side(unit_rows(spectrum_rows(np.random.default_rng(2), 5000, 32)))
    basis = fit_basis(one, 7, 0)
    in_memory = reduce_side(one, basis, tmp_path / "x.f32")
    assert not (tmp_path / "x.f32").exists()
    monkeypatch.setattr(bound, "IN_MEMORY_BYTES", 1000)
    mapped = reduce_side(one, basis, tmp_path / "x.f32")
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(in_memory, mapped)


def test_basis_that_is_not_orthonormal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = side(unit_rows(spectrum_rows(np.random.default_rng(2), 50, 8)))
    monkeypatch.setattr("scipy.linalg.eigh", lambda *_, **__: (None, np.ones((8, 4))))
    with pytest.raises(ArithmeticError, match="not orthonormal"):
        fit_basis(one, 4, 0)


class TestChoice:
    def test_few_images_need_no_filter(self, tmp_path: Path) -> None:
        chosen, k = choose.choose_filter(
            side(unit_rows(spectrum_rows(np.random.default_rng(0), 500, 64))), 0.95, 0, tmp_path
        )
        assert isinstance(chosen, NoFilter) and k == 0

    @pytest.mark.parametrize(
        ("dim", "blind_min", "filtered"), [(256, 0.95, True), (256, -0.5, False), (8, 0.95, False)]
    )
    def test_by_what_the_sample_says(
        self, dim: int, blind_min: float, filtered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)
        one = side(unit_rows(spectrum_rows(np.random.default_rng(0), 3000, dim)))
        chosen, k = choose.choose_filter(one, blind_min, 0, tmp_path / "x")
        assert isinstance(chosen, PrefixFilter) == filtered == (k > 0)

    def test_longer_prefixes_leave_fewer_pairs(self) -> None:
        one = side(unit_rows(spectrum_rows(np.random.default_rng(0), 1000, 256)))
        rates = choose.survivor_rates(one, fit_basis(one, 127, 0), [15, 31, 127], 0.9, 0)
        assert rates[15] >= rates[31] >= rates[127] >= 0
