"""Cosines are exact in float64, in any order of summation, with compiled kernels and without."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from snellen.mining import kernels
from snellen.mining.join import exact
from snellen.mining.join.exact import Side
from snellen.mining.join.tiles import Tile
from snellen.mining.kernels import Kernel
from snellen.vectors import Shard, Vectors
from tests.mining.conftest import Half, each_kernel, exact_cosine, side
from tests.studies import spectrum_rows, unit_rows

each_way = pytest.mark.parametrize("compiled", [True, False])


def sharded(values: Half, *starts: int) -> Vectors:
    """The same rows in several arrays."""
    ends = [*starts[1:], len(values)]
    return Vectors([Shard(start, values[start:end].copy(), None) for start, end in zip(starts, ends, strict=True)])


@each_way
@pytest.mark.parametrize("dim", [1, 16, 33, 384, 2048])
def test_product_and_dots_equal_exact_arithmetic(dim: int, compiled: bool) -> None:
    rng = np.random.default_rng(dim)
    values = unit_rows(rng.standard_normal((40, dim)) * np.exp(rng.normal(0, 3, dim)))
    one = side(values, compiled=compiled)
    product = one.product(Tile(0, 40, 0, 40))
    a, b = (index.ravel() for index in np.meshgrid(np.arange(40), np.arange(40), indexing="ij"))
    assert np.array_equal(one.dots(a, b), product.ravel())
    for i, j in rng.integers(0, 40, (20, 2)):
        true = sum(Fraction(float(p)) * Fraction(float(q)) for p, q in zip(values[i], values[j], strict=True))
        assert Fraction(float(product[i, j])) == true
        assert true * 2**48 % 1 == 0
        assert float(product[i, j]) == exact_cosine(values[i], values[j])


@each_kernel
def test_the_best_kernel_computes_dots(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(0), 70, 77))
    monkeypatch.setattr(kernels, "best", lambda: kernel)
    a, b = np.random.default_rng(1).integers(0, 70, (2, 500))
    wide = values.astype(np.float64)
    assert np.array_equal(side(values).dots(a, b), (wide @ wide.T)[a, b])


def test_order_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    values = unit_rows(spectrum_rows(rng, 50, 700)).astype(np.float64)
    shuffled = values[:, rng.permutation(700)]
    assert np.array_equal(values @ values.T, shuffled @ shuffled.T)
    assert np.array_equal(values @ values.T, np.cumsum(values[:, None] * values[None], axis=2)[:, :, -1])


@each_way
def test_subnormal_values_are_exact_too(compiled: bool) -> None:
    values = np.zeros((2, 64), dtype=np.float16)
    values[:, 0] = 1
    values[:, 1:] = np.float16(6e-8)  # the smallest float16
    assert side(values, compiled=compiled).dots(np.array([0]), np.array([1]))[0] == 1 + 63 * 2.0**-48


@each_way
def test_dots_of_many_pairs_and_of_none(compiled: bool) -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(2), 300, 24))
    one = side(values, range(0, 300, 2), compiled=compiled)
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 150, (2, 5000))
    wide = values[::2].astype(np.float64)
    assert np.array_equal(one.dots(a, b), (wide @ wide.T)[a, b])
    assert np.array_equal(one.dots(a[::3], b[::-3][: len(a[::3])]), (wide @ wide.T)[a[::3], b[::-3]])
    assert one.dots(a[:0], b[:0]).shape == (0,)


@each_way
def test_positions_are_not_rows(compiled: bool) -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(4), 20, 8))
    gaps = side(values, [1, 2, 3, 7, 19], compiled=compiled)
    assert np.array_equal(gaps.block(0, 3), values[1:4].astype(np.float64))
    assert np.array_equal(gaps.block(2, 5), values[[3, 7, 19]].astype(np.float64))
    assert gaps.block(5, 5).shape == (0, 8)
    backwards = side(values, [19, 7, 3, 4, 5, 1], compiled=compiled)
    assert np.array_equal(backwards.half(0, 6), values[[19, 7, 3, 4, 5, 1]])
    assert np.array_equal(backwards.half(2, 5), values[3:6])
    assert np.array_equal(backwards.some(np.array([5, 0, 0])), values[[1, 19, 19]].astype(np.float64))
    assert backwards.dots(np.array([0]), np.array([5]))[0] == exact_cosine(values[19], values[1])


@each_way
def test_rows_in_several_shards(compiled: bool) -> None:
    rng = np.random.default_rng(5)
    values = unit_rows(spectrum_rows(rng, 100, 31))
    rows = rng.permutation(100)[:60]
    whole = side(values, rows, compiled=compiled)
    parts = Side(sharded(values, 0, 1, 33, 90), rows, compiled=compiled)
    a, b = rng.integers(0, 60, (2, 1000))
    assert np.array_equal(parts.dots(a, b), whole.dots(a, b))
    assert np.array_equal(parts.block(0, 60), whole.block(0, 60))
    assert np.array_equal(parts.product(Tile(0, 10, 20, 50)), whole.product(Tile(0, 10, 20, 50)))


@each_way
def test_rows_that_do_not_lie_side_by_side(compiled: bool, tmp_path: Path) -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(6), 40, 16))
    a, b = np.random.default_rng(7).integers(0, 40, (2, 200))
    expected = side(values).dots(a, b)
    np.save(tmp_path / "rows.npy", values)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    for same in (np.repeat(values, 2, axis=0)[::2], np.asfortranarray(values), mapped):
        assert np.array_equal(side(same, compiled=compiled).dots(a, b), expected)


@each_way
@pytest.mark.parametrize("position", [-1, 30, 2**40, -(2**62)])
def test_positions_that_are_not_there(position: int, compiled: bool) -> None:
    one = side(unit_rows(np.eye(40)), range(30), compiled=compiled)
    there = np.arange(5)
    for a, b in ((np.array([0, 1, 2, 3, position]), there), (there, np.array([position, 1, 2, 3, 4]))):
        with pytest.raises(IndexError):
            one.dots(a, b)


def test_conversion_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(8), 50, 20))
    a, b = np.random.default_rng(9).integers(0, 50, (2, 33))
    expected = side(values).dots(a, b)
    monkeypatch.setattr(exact, "CONVERT_ROWS", 4)
    assert np.array_equal(side(values, compiled=False).dots(a, b), expected)
