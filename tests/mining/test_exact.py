"""Cosines are exact in float64, in any order of summation."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from snellen.mining.tiles import Tile
from tests.mining.conftest import exact_cosine, side
from tests.studies import spectrum_rows, unit_rows


@pytest.mark.parametrize("dim", [1, 16, 384, 2048])
def test_product_and_dots_equal_exact_arithmetic(dim: int) -> None:
    rng = np.random.default_rng(dim)
    values = unit_rows(rng.standard_normal((40, dim)) * np.exp(rng.normal(0, 3, dim)))
    one = side(values)
    product = one.product(Tile(0, 40, 0, 40))
    a, b = (index.ravel() for index in np.meshgrid(np.arange(40), np.arange(40), indexing="ij"))
    assert np.array_equal(one.dots(a, b), product.ravel())
    for i, j in rng.integers(0, 40, (20, 2)):
        exact = sum(Fraction(float(p)) * Fraction(float(q)) for p, q in zip(values[i], values[j], strict=True))
        assert Fraction(float(product[i, j])) == exact
        assert exact * 2**48 % 1 == 0
        assert float(product[i, j]) == exact_cosine(values[i], values[j])


def test_order_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    values = unit_rows(spectrum_rows(rng, 50, 700)).astype(np.float64)
    shuffled = values[:, rng.permutation(700)]
    assert np.array_equal(values @ values.T, shuffled @ shuffled.T)
    assert np.array_equal(values @ values.T, np.cumsum(values[:, None] * values[None], axis=2)[:, :, -1])


def test_subnormal_values_are_exact_too() -> None:
    values = np.zeros((2, 64), dtype=np.float16)
    values[:, 0] = 1
    values[:, 1:] = np.float16(6e-8)  # the smallest float16
    assert side(values).dots(np.array([0]), np.array([1]))[0] == 1 + 63 * 2.0**-48


def test_dots_of_many_pairs_and_of_none() -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(2), 300, 24))
    one = side(values, range(0, 300, 2))
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 150, (2, 5000))
    wide = values[::2].astype(np.float64)
    assert np.array_equal(one.dots(a, b), (wide @ wide.T)[a, b])
    assert one.dots(a[:0], b[:0]).shape == (0,)


def test_positions_are_not_rows() -> None:
    values = unit_rows(spectrum_rows(np.random.default_rng(4), 20, 8))
    gaps = side(values, [1, 2, 3, 7, 19])
    assert np.array_equal(gaps.block(0, 3), values[1:4].astype(np.float64))
    assert np.array_equal(gaps.block(2, 5), values[[3, 7, 19]].astype(np.float64))
    assert gaps.block(5, 5).shape == (0, 8)
