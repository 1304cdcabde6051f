"""The filter for GPUs, on tensors of a CPU: low-precision products whose error is bounded, and checked."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.errors import UsageError
from snellen.mining.filters import product
from snellen.mining.filters.product import ProductFilter, error_bound
from snellen.mining.join.tiles import Tile
from tests.mining.conftest import cosines, side
from tests.mining.hard_rows import DIMS, KINDS, Hard, hard, rows_of
from tests.studies import spectrum_rows, unit_rows

each_dtype = pytest.mark.parametrize("dtype", ["float16", "float32"])


def named(one: ProductFilter, tile: Tile) -> set[tuple[int, int]]:
    """All pairs of a tile that a filter with room for all names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product, "ROOM_SHARE", 1.0)
        found = one.candidates(tile)
    assert found is not None
    assert found[0].dtype == found[1].dtype == np.int64
    pairs = list(zip(*(index.tolist() for index in found), strict=True))
    assert len(set(pairs)) == len(pairs)
    return set(pairs)


@each_dtype
@settings(max_examples=50, deadline=None)
@given(data=hard(), tile=st.tuples(*[st.floats(0, 1)] * 4))
def test_every_pair_that_passes_is_named(dtype: str, data: Hard, tile: tuple[float, ...]) -> None:
    n = len(data.rows)
    one = ProductFilter(side(data.rows), data.blind_min, "cpu", dtype)
    passing = set(zip(*(index.tolist() for index in np.nonzero(data.passing)), strict=True))
    found = named(one, Tile(0, n, 0, n))
    assert found >= passing and all(a < b for a, b in found)
    top, bottom, left, right = (round(share * n) for share in (*sorted(tile[:2]), *sorted(tile[2:])))
    inside = {(a, b) for a, b in found if top <= a < bottom and left <= b < right}
    assert named(one, Tile(top, bottom, left, right)) >= inside & passing


@each_dtype
@pytest.mark.parametrize("kind", KINDS)
def test_products_err_by_less_than_the_bound(dtype: str, kind: str) -> None:
    for dim in DIMS:
        rows = rows_of(np.random.default_rng(dim), kind, 61, dim, 1.0, 0.5)
        values = torch.from_numpy(rows).to(getattr(torch, dtype))
        off = np.abs((values @ values.T).double().numpy() - cosines(rows)).max()
        assert off <= error_bound(dim, dtype)


def test_bound_covers_the_worst_sums() -> None:
    """Float32 sums, each cut off, one after the other, of a row whose sums lose most; the result cut off, too."""
    x = np.full(2047, 2.0**-5.5).astype(np.float16)
    total = np.float32(0)
    for value in x.astype(np.float32):
        exact = float(total) + float(value) ** 2
        total = np.float32(exact) if np.float32(exact) <= exact else np.nextafter(np.float32(exact), np.float32(0))
    truth = float(sum(Fraction(float(value)) ** 2 for value in x))
    assert 0 < truth - float(total) <= error_bound(2047, "float32")
    half = np.float16(total) if np.float16(total) <= total else np.nextafter(np.float16(total), np.float16(0))
    assert truth - float(half) <= error_bound(2047, "float16")
    assert error_bound(2047, "float32") < error_bound(2047, "float16") < 2e-3


@each_dtype
def test_only_what_lies_near_is_named_beside(dtype: str) -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 501, 128))
    found = named(ProductFilter(side(rows), 0.6, "cpu", dtype), Tile(0, 501, 0, 501))
    true = cosines(rows)
    assert all(true[pair] > 0.6 - 2 * error_bound(128, dtype) - 2.0**-11 for pair in found)
    assert 100 < len(found) < 0.2 * 501 * 250


@each_dtype
def test_too_many_candidates_are_given_back(dtype: str) -> None:
    rows = np.repeat(unit_rows(np.ones((1, 32))), 61, axis=0)
    one = ProductFilter(side(rows), 0.9, "cpu", dtype)
    assert one.candidates(Tile(0, 10, 10, 61)) is None
    apart = ProductFilter(side(np.eye(61, dtype=np.float16)), 0.9, "cpu", dtype)
    assert apart.candidates(Tile(0, 61, 0, 61)) is not None  # rows are not their own candidates


def test_positions_in_chunks_and_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "CHUNK_ROWS", 7)
    rng = np.random.default_rng(0)
    rows = unit_rows(spectrum_rows(rng, 61, 33, mean=0.9))
    order = rng.permutation(61)[:41]
    found = named(ProductFilter(side(rows, order), 0.9, "cpu"), Tile(0, 41, 0, 41))
    passing = np.nonzero(np.triu(cosines(rows[order]) > 0.9, 1))
    assert found >= set(zip(*(index.tolist() for index in passing), strict=True)) and len(passing[0]) > 50


def test_products_that_err_by_more_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 61, 64))
    one = ProductFilter(side(rows), 0.9, "cpu")
    one._values[7] *= 1.001
    with pytest.raises(ArithmeticError, match=r"err by .* where .* is their bound: use --backend compiled"):
        one._check(side(rows))


@pytest.mark.parametrize("device", ["meta", "nonsense", "cuda:99", "cpu:nonsense"])
def test_wrong_devices_are_refused(device: str) -> None:
    with pytest.raises(UsageError, match=f"device {device}"):
        ProductFilter(side(unit_rows(np.eye(16))), 0.9, device)


@pytest.mark.parametrize("n", [0, 1])
def test_few_rows(n: int) -> None:
    one = ProductFilter(side(unit_rows(np.ones((n, 16)))), 0.9, "cpu")
    assert named(one, Tile(0, n, 0, n)) == set()
