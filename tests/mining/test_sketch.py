"""Sketches never rule out a pair that passes: each step's claim against float64, for rows of every kind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.filters import sketch
from snellen.mining.filters.directions import departure
from snellen.mining.filters.sketch import Basis, Quantiser, Reduced, Sketch
from tests.mining.conftest import Half, side
from tests.mining.hard_rows import DIMS, KINDS, Hard, hard, rows_of
from tests.studies import spectrum_rows, unit_rows

ROUNDING = 1e-13
"""More than float64 errs here by."""


def true_coordinates(rows: Half, basis: Basis) -> NDArray[np.float64]:
    """[p, r] in float64, with the orthonormal directions nearest to those of the basis (by SVD)."""
    left, _, right = np.linalg.svd(basis.directions.astype(np.float64), full_matrices=False)
    directions = left @ right
    centred = rows.astype(np.float64) - basis.mean.astype(np.float64)
    prefix = centred @ directions
    rest = np.linalg.norm(centred - prefix @ directions.T, axis=1)
    return np.concatenate([prefix, rest[:, None]], axis=1)


def distances(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """|v - v'|, not from dot products: those cancel."""
    result: NDArray[np.float64] = np.linalg.norm(values[:, None] - values[None], axis=2)
    return result


class Made(NamedTuple):
    basis: Basis
    reduced: Reduced
    quantiser: Quantiser
    sketch: Sketch


def made(data: Hard, k: int, length: int, levels: int, *, wraps: bool) -> Made:
    """A sketch of all rows, fitted on the sample."""
    basis = sketch.fit_basis(data.sample, min(k, data.rows.shape[1]), data.seed)
    reduced = sketch.reduce_rows(data.rows, basis)
    sample = sketch.reduce_rows(data.sample, basis)
    longest = float(reduced.squared.max())
    quantiser = sketch.fit_quantiser(sample, length, levels, data.blind_min, longest, data.seed, wraps=wraps)
    return Made(basis, reduced, quantiser, sketch.sketch_rows(reduced, quantiser, data.blind_min))


LENGTHS = st.sampled_from([16, 32, 48, 64, 96, 128, 256])
LEVELS = st.sampled_from([(63, True), (127, False), (127, True)])
DIRECTIONS = st.sampled_from([1, 15, 63, 127, 255])


@settings(max_examples=120, deadline=None)
@given(hard(60), DIRECTIONS)
def test_coordinates_err_by_less_than_they_say(data: Hard, k: int) -> None:
    basis = sketch.fit_basis(data.sample, min(k, data.rows.shape[1]), data.seed)
    reduced = sketch.reduce_rows(data.rows, basis)
    off = np.linalg.norm(reduced.coordinates - true_coordinates(data.rows, basis), axis=1)
    assert (off <= reduced.error + ROUNDING).all()
    wide = data.rows.astype(np.float64)
    squared = np.vecdot(wide, wide)
    assert (reduced.squared >= squared).all()
    assert (reduced.squared <= squared * 1.001).all()


@settings(max_examples=60, deadline=None)
@given(hard(40), DIRECTIONS, st.integers(2, 256))
def test_coordinates_lie_no_farther_apart_than_rows(data: Hard, k: int, used: int) -> None:
    basis = sketch.fit_basis(data.sample, min(k, data.rows.shape[1]), data.seed)
    apart = distances(data.rows.astype(np.float64))
    true = true_coordinates(data.rows, basis)
    assert (distances(true) <= apart + ROUNDING).all()
    reduced = sketch.reduce_rows(data.rows, basis)
    used = min(used, reduced.coordinates.shape[1])
    short = sketch.shortened(reduced, used).astype(np.float64)
    assert short.shape[1] == used
    assert np.allclose(np.linalg.norm(short, axis=1), np.linalg.norm(reduced.coordinates, axis=1), rtol=1e-5)
    allowed = apart + reduced.error[:, None] + reduced.error + 1e-6 * np.linalg.norm(short, axis=1).max()
    assert (distances(short) <= allowed).all()


@settings(max_examples=150, deadline=None)
@given(hard(60), DIRECTIONS, LENGTHS, LEVELS)
def test_no_pair_that_passes_is_ruled_out(data: Hard, k: int, length: int, levels: tuple[int, bool]) -> None:
    one = made(data, k, length, levels[0], wraps=levels[1])
    q = one.sketch.q.astype(np.int64)
    assert q.shape == (len(data.rows), length) and np.abs(q).max() <= levels[0]
    # The error: |q - q'| / S is at most |x - x'| + e + e'.
    scale = float(np.float32(one.quantiser.scale))
    allowed = distances(data.rows.astype(np.float64)) + one.sketch.error[:, None] + one.sketch.error
    assert (distances(q.astype(np.float64)) / scale <= allowed * (1 + 1e-12) + ROUNDING).all()
    # What it is for: q.q' >= t + t' for every pair above the threshold, also before t is rounded down.
    product = (q @ q.T).astype(np.float64)
    needed = one.sketch.bars[:, None] + one.sketch.bars
    passing = data.passing
    assert (product >= needed)[passing].all()
    lowered = np.floor(one.sketch.bars)
    assert (product >= lowered[:, None] + lowered)[passing].all()


@settings(max_examples=60, deadline=None)
@given(hard(60), LENGTHS, LEVELS)
def test_sketches_err_by_less_than_they_say(data: Hard, length: int, levels: tuple[int, bool]) -> None:
    one = made(data, 63, length, levels[0], wraps=levels[1])
    true = true_coordinates(data.rows, one.basis)
    used = len(one.quantiser.rotation)
    left, _, right = np.linalg.svd(one.quantiser.rotation.astype(np.float64))
    short = np.concatenate([true[:, : used - 1], np.linalg.norm(true[:, used - 1 :], axis=1)[:, None]], axis=1)
    exact = short @ (left @ right)
    off = np.linalg.norm(exact - one.sketch.q[:, :used] / float(np.float32(one.quantiser.scale)), axis=1)
    assert (off <= one.sketch.error + ROUNDING).all()
    assert not one.sketch.q[:, used:].any()


@pytest.mark.parametrize("stretched", [0, 3, 19])
def test_directions_that_are_not_quite_orthonormal_count_as_errors(stretched: int) -> None:
    """As much as a basis may depart from orthonormal, far more than rounding does."""
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 100, 64))
    basis = sketch.fit_basis(rows, 20, 0)
    directions = basis.directions.astype(np.float64)
    directions[:, stretched] *= 1 + 4e-4
    bent = Basis(basis.mean, directions.astype(np.float32), departure(directions.astype(np.float32).astype(np.float64)))
    assert 1e-4 < bent.departure < 1e-3
    reduced = sketch.reduce_rows(rows, bent)
    off = np.linalg.norm(reduced.coordinates - true_coordinates(rows, bent), axis=1)
    assert (off <= reduced.error).all()
    if stretched == 0:
        assert off.max() > 1e-5  # which rounding alone would not explain


@pytest.mark.parametrize("used", [16, 17, 128])
@pytest.mark.parametrize("steps", [0, 1, 5])
@pytest.mark.parametrize("scale", [100.0, 1000.0])
def test_the_worst_rows_are_not_ruled_out(used: int, steps: int, scale: float) -> None:
    """Two rows as far apart as those that pass may be, all of whose numbers are rounded away from each other.

    Then no inequality of the bound has room: |q - q'| = S (|x - x'| + e + e'), R = |x - x'| and e = e'.
    """
    little = 2.0**-12
    places = np.array([[2.5 - little] * used, [2.5 + steps + little] * used], dtype=np.float32)
    apart = (steps + 2 * little) * np.sqrt(used) / scale
    blind_min = 0.5
    squared = np.full(2, blind_min + apart**2 / 2)  # |x|^2 + |x'|^2 - 2 T = |x - x'|^2
    reduced = Reduced(squared, places / np.float32(scale), np.zeros(2))
    quantiser = Quantiser(used, 63, np.eye(used, dtype=np.float32), 0.0, scale, apart)
    q, bars, error = sketch.sketch_rows(reduced, quantiser, blind_min)
    assert (q[0] == 2).all() and (q[1] == 3 + steps).all()
    assert error == pytest.approx((0.5 - little) * np.sqrt(used) / scale, rel=2e-3)
    product = int(q[0].astype(np.int64) @ q[1].astype(np.int64))
    assert product - 0.002 * product <= bars.sum() <= product


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [16, 257, 2048])
def test_every_kind_of_rows(kind: str, dim: int) -> None:
    """The same again, so that no kind depends on what hypothesis draws."""
    rng = np.random.default_rng(dim)
    rows = rows_of(rng, kind, 60, dim, 1.0, 0.5)
    for blind_min in (0.5, 0.95, 0.999):
        data = Hard(rows, blind_min, np.arange(0, 60, 3), 1)
        one = made(data, 127, 32, 63, wraps=True)
        q = one.sketch.q.astype(np.int64)
        assert (q @ q.T >= np.floor(one.sketch.bars)[:, None] + np.floor(one.sketch.bars))[data.passing].all()


def test_sketches_rule_most_other_pairs_out() -> None:
    """A bound that lets everything through would pass the tests above."""
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 1000, 256))
    one = made(Hard(rows, 0.95, np.arange(1000), 0), 127, 128, 127, wraps=False)
    q = one.sketch.q.astype(np.int64)
    kept = np.triu(q @ q.T >= np.floor(one.sketch.bars)[:, None] + np.floor(one.sketch.bars), 1)
    assert kept.sum() < 0.001 * 1000 * 999 / 2


def test_sums_of_pairs_that_pass_fit_into_int16() -> None:
    for kind in KINDS:
        rows = rows_of(np.random.default_rng(1), kind, 200, 64, 1.0, 0.5)
        for blind_min in (0.5, 0.9, 0.999):
            data = Hard(rows, blind_min, np.arange(200), 1)
            one = made(data, 63, 64, 63, wraps=True)
            assert one.quantiser.scale**2 * one.quantiser.reach**2 <= 16_000 * 1.000001


def test_the_share_of_clipped_numbers_is_small() -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 2000, 100))
    one = made(Hard(rows, 0.95, np.arange(2000), 0), 99, 64, 127, wraps=False)
    assert 0 < (np.abs(one.sketch.q) == 127).mean() < 3e-4


class TestBasis:
    @pytest.mark.parametrize("dim", DIMS)
    def test_directions_are_orthonormal_whatever_the_rows(self, dim: int) -> None:
        for kind in KINDS:
            rows = rows_of(np.random.default_rng(dim), kind, 30, dim, 1.0, 0.5)
            basis = sketch.fit_basis(rows, min(dim, 127), 0)
            wide = basis.directions.astype(np.float64)
            off = np.linalg.norm(wide.T @ wide - np.eye(basis.k), 2)
            assert off <= basis.departure < 1e-5
            assert np.allclose(basis.mean, rows.astype(np.float64).mean(axis=0), atol=1e-7)

    def test_directions_that_are_not_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sketch, "leading_directions", lambda moment, k, seed: np.full((len(moment), k), 0.5))
        with pytest.raises(ArithmeticError, match="not orthonormal"):
            sketch.fit_basis(unit_rows(np.eye(20)), 4, 0)

    def test_directions_hold_what_eigenvectors_hold(self) -> None:
        rows = unit_rows(spectrum_rows(np.random.default_rng(3), 500, 64, alpha=2))
        centred = rows.astype(np.float64) - rows.astype(np.float64).mean(axis=0)
        held = np.linalg.norm(centred @ sketch.fit_basis(rows, 16, 0).directions) ** 2
        best = np.sort(np.linalg.eigvalsh(centred.T @ centred))[-16:].sum()
        assert 0.999 * best <= held <= best * (1 + 1e-6)


def test_widening_is_the_same_without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 50, 33))
    for given_rows in (rows, rows[::2], rows[:0], np.asfortranarray(rows)):
        with_kernels = sketch.widened(given_rows)
        monkeypatch.setattr(kernels, "best", lambda: None)
        assert np.array_equal(with_kernels, sketch.widened(given_rows))
        monkeypatch.undo()
        assert with_kernels.dtype == np.float32 and np.array_equal(with_kernels, given_rows)


def test_samples_are_drawn_without_replacement_in_row_order() -> None:
    values = np.arange(200, dtype=np.float16)[:, None]
    one = side(values, range(50, 150))
    sample = sketch.sample_rows(one, 30, [5])[:, 0].astype(int)
    assert len(set(sample)) == 30 and (np.diff(sample) > 0).all() and set(sample) <= set(range(50, 150))
    assert np.array_equal(sample, sketch.sample_rows(one, 30, [5])[:, 0])
    assert not np.array_equal(sample, sketch.sample_rows(one, 30, [6])[:, 0])
    assert sketch.sample_rows(one, 1000, [5])[:, 0].tolist() == [*range(50, 150)]


def test_thinned_is_spread_evenly() -> None:
    reduced = Reduced(np.arange(10.0), np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10.0))
    assert reduced.thinned(4).squared.tolist() == [0, 3, 6, 9]
    assert len(reduced.thinned(10).error) == 10 and len(reduced.thinned(1).coordinates) == 1
