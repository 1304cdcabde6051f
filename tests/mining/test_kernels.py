"""Dot products and conversions are exact on every instruction set, and check their arguments."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.kernels import Kernel
from tests.mining.conftest import Half, each_kernel
from tests.mining.mistakes import Change, put, shortened, strided

Integers = NDArray[np.int64]


class Dots:
    """Rows in shards, and pairs of positions."""

    def __init__(self, kernel: Kernel, shards: list[Half], rows: Integers, a: Integers, b: Integers) -> None:
        self.shards = shards
        starts = np.cumsum([0, *map(len, shards)])
        places = np.array([shard.ctypes.data for shard in shards], dtype=np.uint64)
        sizes = [kernel.number, shards[0].shape[1], len(shards), len(rows), len(a)]
        self.out = np.full(len(a) + 1, -7.0)
        self.arguments: list[Any] = [*sizes, places, starts, rows, a, b, self.out[:-1]]

    def run(self) -> NDArray[np.float64]:
        kernels.functions().dots(*self.arguments)
        assert self.out[-1] == -7
        return self.out[:-1]


def exact(x: Half, y: Half) -> float:
    """The true dot product, which must be a float64."""
    value = sum(Fraction(float(p)) * Fraction(float(q)) for p, q in zip(x, y, strict=True))
    assert Fraction(float(value)) == value
    return float(value)


@each_kernel
@pytest.mark.parametrize("dim", [1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 100, 257])
@pytest.mark.parametrize("what", ["units", "subnormal", "large"])
def test_dots_are_exact(kernel: Kernel, dim: int, what: str) -> None:
    rng = np.random.default_rng(dim)
    values = rng.standard_normal((23, dim)) * np.exp(rng.normal(0, 3, dim))
    if what == "large":  # multiples of 1 / 32: their products' sums still fit into 53 bits
        rows = np.clip(32 + np.abs(values) * 1000, 32, 65504).astype(np.float16) * rng.choice([-1, 1], (23, dim))
        rows[0] = 65504
    else:
        rows = values / np.linalg.norm(values, axis=1, keepdims=True)
        if what == "subnormal":
            rows[:, 1:] *= 2.0**-14
    rows = rows.astype(np.float16)
    if what == "subnormal":
        rows.view(np.uint16)[3] = 1  # 2^-24, the smallest there is
        rows.view(np.uint16)[4] = 0x8001
        rows.view(np.uint16)[5] = 0x03FF
    shards = [rows[:1].copy(), rows[1:12].copy(), rows[12:13].copy(), rows[13:].copy()]
    positions = rng.permutation(23)[:20]
    a, b = (index.ravel() for index in np.meshgrid(np.arange(20), np.arange(20), indexing="ij"))
    found = Dots(kernel, shards, positions, a, b).run()
    wide = rows[positions].astype(np.float64)
    assert np.array_equal(found, (wide @ wide.T).ravel())
    for at in rng.integers(0, 400, 30):
        assert found[at] == exact(rows[positions[a[at]]], rows[positions[b[at]]])


DOTS_MISTAKES: dict[str, Change] = {
    **{f"kernel {number}": put(0, number) for number in (-1, 99)},
    **{f"dim {dim}": put(1, dim) for dim in (-1, 0)},
    **{f"{shards} shards": put(2, shards) for shards in (-1, 0, 3, 2**61, 2**62)},
    **{f"n {n}": put(3, n) for n in (-1, 11, 2**61, 2**62)},
    **{f"{count} pairs": put(4, count) for count in (-1, 6, 2**61, 2**62)},
    **{f"argument {at} too short": shortened(at) for at in range(5, 11)},
    **{f"argument {at} with strides": strided(at) for at in range(5, 11)},
    "starts above the rows": put(6, np.array([5, 8, 12])),
    "fewer rows in the shards": put(6, np.array([0, 4, 9])),
    **{
        f"{side} {position}": put(at, np.array([0, 1, 2, 3, position]))
        for at, side in ((8, "a"), (9, "b"))
        for position in (-1, 10, 2**62, -(2**63))
    },
    **{f"row {row}": put(7, np.array([*range(9), row])) for row in (-1, 12, 2**62, -(2**63))},
    "out read-only": lambda arguments: arguments[10].setflags(write=False),
}


@each_kernel
@pytest.mark.parametrize("mistake", DOTS_MISTAKES)
def test_dots_refuses(kernel: Kernel, mistake: str) -> None:
    shards = [np.ones((5, 16), dtype=np.float16), np.ones((7, 16), dtype=np.float16)]
    dots = Dots(kernel, shards, np.arange(10), np.arange(5), 9 - np.arange(5))
    assert dots.run().tolist() == [16.0] * 5
    DOTS_MISTAKES[mistake](dots.arguments)
    with pytest.raises((ValueError, IndexError, BufferError)):
        dots.run()


@each_kernel
class TestWiden:
    def test_every_number(self, kernel: Kernel) -> None:
        half = np.arange(2**16, dtype=np.uint16).view(np.float16)
        half = half[~np.isnan(half)]
        found = np.empty(len(half), dtype=np.float32)
        kernels.functions().widen(kernel.number, half, found)
        assert np.array_equal(found.view(np.uint32), half.astype(np.float32).view(np.uint32))  # signs of 0, too

    def test_nan_stays_nan(self, kernel: Kernel) -> None:
        found = np.zeros(20, dtype=np.float32)
        kernels.functions().widen(kernel.number, np.full(20, np.nan, dtype=np.float16), found)
        assert np.isnan(found).all()

    def test_every_count(self, kernel: Kernel) -> None:
        half = np.random.default_rng(0).standard_normal(70).astype(np.float16)
        for count in range(70):
            found = np.full(71, -7, dtype=np.float32)
            kernels.functions().widen(kernel.number, half[:count].copy(), found)
            assert np.array_equal(found[:count], half[:count]) and (found[count:] == -7).all()

    def test_subnormal_numbers_where_they_are_turned_off(self, kernel: Kernel) -> None:
        """Other libraries may tell the processor to treat subnormal float32 as 0: for thoroughness, here PyTorch."""
        import torch

        half = np.arange(1, 0x400, dtype=np.uint16).view(np.float16)
        expected = (np.arange(1, 0x400) * 2.0**-24).astype(np.float32)
        found = np.empty(len(half), dtype=np.float32)
        if not torch.set_flush_denormal(True):
            pytest.skip("this processor always keeps them")
        try:
            kernels.functions().widen(kernel.number, half, found)
        finally:
            torch.set_flush_denormal(False)
        assert np.array_equal(found, expected)

    @pytest.mark.parametrize("mistake", ["short", "read-only", "strides in", "strides out", "kernel"])
    def test_refuses(self, kernel: Kernel, mistake: str) -> None:
        half, out = np.ones(20, dtype=np.float16), np.full(20, -7, dtype=np.float32)
        number = 99 if mistake == "kernel" else kernel.number
        given = {"strides in": np.ones(40, dtype=np.float16)[::2]}.get(mistake, half)
        taken = {"short": out[:-1], "strides out": np.full(40, -7, dtype=np.float32)[::2]}.get(mistake, out)
        out.setflags(write=mistake != "read-only")
        with pytest.raises((ValueError, BufferError)):
            kernels.functions().widen(number, given, taken)
        assert (out == -7).all()


def test_kernels_are_listed_best_first() -> None:
    found = kernels.available()
    if not found:
        pytest.skip("the compiled kernels were not built")
    assert [kernel.number for kernel in found] == list(range(len(found)))
    assert found[-1].name == "portable C" and kernels.best() == found[0]


def test_without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels._module.cache_clear()
    kernels.available.cache_clear()
    monkeypatch.setattr(kernels, "import_module", _missing)
    try:
        assert kernels.available() == () and kernels.best() is None
        with pytest.raises(ImportError, match="install a C compiler"):
            kernels.functions()
    finally:
        kernels._module.cache_clear()
        kernels.available.cache_clear()


def _missing(name: str) -> Any:
    raise ImportError(name)
