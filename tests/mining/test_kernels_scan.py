"""The scan of sketches finds what plain integers find, on every instruction set, and checks its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.filters.scan import HIGHEST_BAR, LOWEST_BAR, pack
from snellen.mining.join.tiles import Tile
from snellen.mining.kernels import GROUP, MOST_ROWS, Kernel
from tests.mining.conftest import each_kernel
from tests.mining.mistakes import Change, put, shortened, strided

Integers = NDArray[np.int64]

EVERYTHING = -(10**6)
"""A fine bar that all pairs reach."""


class Sketches:
    """Coarse and fine sketches with their bars, and what plain integers say of them."""

    def __init__(self, kernel: Kernel, q: Integers, bars: Integers, fine: Integers, fine_bars: Integers) -> None:
        self.kernel, self.q, self.bars, self.fine, self.fine_bars = kernel, q, bars, fine, fine_bars
        self.n, self.k = q.shape

    @classmethod
    def random(cls, rng: np.random.Generator, kernel: Kernel, n: int, k: int, fine_k: int = 64) -> Sketches:
        q = rng.integers(-kernel.levels, kernel.levels + 1, (n, k))
        fine = rng.integers(-127, 128, (n, fine_k))
        # Thresholds in the middle of what the sums are: about half of them pass, and some sums hit them exactly.
        return cls(kernel, q, rng.integers(-900, 900, n), fine, rng.integers(-20_000, 20_000, n))

    def value(self) -> Integers:
        """By how much each pair's coarse sum exceeds its threshold: int64 [n, n]."""
        result: Integers = self.q @ self.q.T - self.bars[:, None] - self.bars
        return result

    def expected(self, tile: Tile) -> set[tuple[int, int]]:
        value = self.value()
        if self.kernel.wraps:
            value = (value + 2**15) % 2**16 - 2**15
        keep = np.triu((value >= 0) & (self.fine @ self.fine.T >= self.fine_bars[:, None] + self.fine_bars), 1)
        keep[: tile.row_start] = keep[tile.row_stop :] = False
        keep[:, : tile.column_start] = keep[:, tile.column_stop :] = False
        return set(zip(*(index.tolist() for index in np.nonzero(keep)), strict=True))

    def arguments(self, tile: tuple[int, ...], out: Any) -> list[Any]:
        padded = np.zeros((-(-self.n // GROUP) * GROUP, self.k), dtype=np.int16)
        padded[: self.n] = self.q
        column_bars = np.zeros(len(padded), dtype=np.int32)
        column_bars[: self.n] = self.bars
        bars = (self.bars + self.kernel.offset * self.q.sum(axis=1)).astype(np.int32)
        return [
            self.kernel.number,
            self.n,
            self.k,
            self.fine.shape[1],
            self.q.astype(np.int8),
            bars,
            pack(padded, self.kernel),
            column_bars,
            self.fine.astype(np.int8),
            self.fine_bars.astype(np.int32),
            tile,
            out,
        ]

    def scan(self, tile: Tile, room: int) -> set[tuple[int, int]] | None:
        """What the kernel finds; None where it does not fit. Checks that nothing is written beyond the room."""
        out = np.full((room + 8, 2), -7, dtype=np.int32)
        count = kernels.functions().scan(*self.arguments(tuple(tile), out[:room]))
        assert (out[room:] == -7).all()
        if count < 0:
            assert count == -1
            return None
        pairs = [(int(i), int(j)) for i, j in out[:count]]
        assert len(set(pairs)) == count
        return set(pairs)


@each_kernel
class TestScan:
    @pytest.mark.parametrize("k", range(16, 129, 8))
    def test_every_length(self, kernel: Kernel, k: int) -> None:
        rng = np.random.default_rng(k)
        for n in (1, 2, 31, 32, 33, 70):
            sketches = Sketches.random(rng, kernel, n, k)
            everything = Tile(0, n, 0, n)
            assert sketches.scan(everything, n * n + 1) == sketches.expected(everything)

    @pytest.mark.parametrize("fine_k", [64, 128, 192, 256, 1024])
    def test_every_fine_length(self, kernel: Kernel, fine_k: int) -> None:
        sketches = Sketches.random(np.random.default_rng(fine_k), kernel, 50, 16, fine_k)
        found = sketches.scan(Tile(0, 50, 0, 50), 2000)
        assert found == sketches.expected(Tile(0, 50, 0, 50)) and found

    @pytest.mark.parametrize("seed", range(3))
    def test_ragged_tiles(self, kernel: Kernel, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n = int(rng.integers(100, 200))
        sketches = Sketches.random(rng, kernel, n, 32)
        tiles = [Tile(*np.sort(rng.integers(0, n + 1, 2)), *np.sort(rng.integers(0, n + 1, 2))) for _ in range(60)]
        tiles += [Tile(n - 1, n, 0, n), Tile(0, n, n - 1, n), Tile(5, 5, 0, n), Tile(0, n, 7, 7), Tile(9, 3, 0, n)]
        found = [sketches.scan(Tile(*map(int, tile)), n * n) for tile in tiles]
        assert found == [sketches.expected(Tile(*map(int, tile))) for tile in tiles]
        assert len({len(each) for each in found if each is not None}) > 20

    def test_the_most_rows(self, kernel: Kernel) -> None:
        sketches = Sketches.random(np.random.default_rng(1), kernel, MOST_ROWS + 1, 16)
        sketches.bars[:] = 4000  # about one in ten
        assert sketches.scan(Tile(0, MOST_ROWS, 0, MOST_ROWS + 1), 10**6) == sketches.expected(
            Tile(0, MOST_ROWS, 0, MOST_ROWS + 1)
        )

    @pytest.mark.parametrize("k", [16, 64, 128])
    def test_extreme_numbers(self, kernel: Kernel, k: int) -> None:
        rng = np.random.default_rng(k)
        q = np.ones((64, k), dtype=np.int64)
        q[1::4] = -1
        q[2::4, ::2] = -1
        q[3::4] = rng.choice([-1, 1], (16, k))
        fine = np.ones((64, 128), dtype=np.int64) * 127
        fine[::2] = -127
        most = 128 * 127**2
        fine_bars = rng.choice([most // 2, most // 2 + 1, -most // 2, -most // 2 - 1], 64)
        bars = rng.integers(-(kernel.levels**2) * k // 2, kernel.levels**2 * k // 2, 64)
        sketches = Sketches(kernel, kernel.levels * q, bars, fine, fine_bars)
        found = sketches.scan(Tile(0, 64, 0, 64), 5000)
        assert found == sketches.expected(Tile(0, 64, 0, 64)) and found

    def test_sums_up_to_the_ends_of_their_range(self, kernel: Kernel) -> None:
        """A value of 2^15 - 1 still passes, one of -1 does not; where sums do not wrap, bars go far beyond."""
        q = np.zeros((40, 16), dtype=np.int64)
        highest = 2**15 - 1 if kernel.wraps else -2 * LOWEST_BAR
        lowest = -(2**15) if kernel.wraps else -2 * HIGHEST_BAR
        for value in (highest, highest - 1, 1, 0, -1, lowest + 1, lowest):
            bars = np.full(40, -(value // 2))
            bars[1] = -value - bars[0]
            fine = np.zeros((40, 64), dtype=np.int64)
            sketches = Sketches(kernel, q, bars, fine, np.full(40, EVERYTHING))
            found = sketches.scan(Tile(0, 1, 1, 2), 100)
            assert found == ({(0, 1)} if value >= 0 else set()), value

    def test_wrapping_only_adds_candidates(self, kernel: Kernel) -> None:
        """Where no pair that passes has a value beyond int16, what lies far below may come in, and nothing is lost."""
        rng = np.random.default_rng(3)
        n, k = 150, 64
        q = rng.integers(-kernel.levels, kernel.levels + 1, (n, k))
        q[::3] = np.clip(q[1::3] + rng.integers(-3, 4, (n // 3, k)), -kernel.levels, kernel.levels)
        bars = (q**2).sum(axis=1) // 2 - 300  # value = 600 - |q - q'|^2 / 2 and a little
        sketches = Sketches(kernel, q, bars, np.zeros((n, 64), dtype=np.int64), np.full(n, EVERYTHING))
        value = sketches.value()
        plain = set(zip(*(index.tolist() for index in np.nonzero(np.triu(value >= 0, 1))), strict=True))
        assert (value < -(2**15)).mean() > 0.3 and value[np.triu(value >= 0, 1)].max() < 2**15
        found = sketches.scan(Tile(0, n, 0, n), n * n)
        assert found is not None and found >= plain and len(plain) >= n // 3
        assert all(value[pair] < -(2**15) for pair in found - plain)
        assert bool(found - plain) == kernel.wraps

    def test_what_does_not_fit(self, kernel: Kernel) -> None:
        sketches = Sketches.random(np.random.default_rng(4), kernel, 60, 16)
        tile = Tile(0, 60, 0, 60)
        expected = sketches.expected(tile)
        for room in (1, 2, len(expected) // 2, len(expected) - 1):
            assert sketches.scan(tile, room) is None
        assert sketches.scan(tile, len(expected)) in (None, expected)
        assert sketches.scan(tile, len(expected) + 1) == expected  # one place to look at the next pair


SCAN_MISTAKES: dict[str, Change] = {
    **{f"kernel {number}": put(0, number) for number in (-1, 99)},
    **{f"n {n}": put(1, n) for n in (-1, 101, 10**7, 2**31, 2**62)},
    **{f"k {k}": put(2, k) for k in (-16, 0, 8, 20, 136, 32)},
    **{f"fine k {k}": put(3, k) for k in (-64, 0, 32, 96, 1088, 128)},
    **{f"argument {at} too short": shortened(at) for at in range(4, 10)},
    **{f"argument {at} with strides": strided(at) for at in (*range(4, 10), 11)},
    **{
        f"tile {tile}": put(10, tile)
        for tile in [
            (-1, 5, 0, 100),
            (0, 101, 0, 100),
            (0, 5, -1, 100),
            (0, 5, 0, 101),
            (0, -(2**63), 0, 100),
            (0, 2**62, 0, 100),
            (0, 5, 0, 2**62),
        ]
    },
    "no tile": put(10, (0, 5)),
    "out read-only": lambda arguments: arguments[11].setflags(write=False),
    "out without room": put(11, np.empty((0, 2), dtype=np.int32)),
    "out of bytes": put(11, b"12345678"),
    "no array": put(4, None),
}


@each_kernel
@pytest.mark.parametrize("mistake", SCAN_MISTAKES)
def test_scan_refuses(kernel: Kernel, mistake: str) -> None:
    sketches = Sketches.random(np.random.default_rng(0), kernel, 100, 16)
    arguments = sketches.arguments((0, 100, 0, 100), np.full((6000, 2), -7, dtype=np.int32))
    out = arguments[11]
    SCAN_MISTAKES[mistake](arguments)
    with pytest.raises((ValueError, TypeError, BufferError)):
        kernels.functions().scan(*arguments)
    assert (out == -7).all()


@each_kernel
def test_scan_refuses_more_rows_than_its_stack_holds(kernel: Kernel) -> None:
    n = MOST_ROWS + 1
    sketches = Sketches.random(np.random.default_rng(0), kernel, n, 16)
    with pytest.raises(ValueError, match="a tile outside"):
        sketches.scan(Tile(0, n, 0, n), 100)


@each_kernel
def test_what_was_lent_is_given_back(kernel: Kernel) -> None:
    sketches = Sketches.random(np.random.default_rng(0), kernel, 100, 16)
    for tile in ((0, 100, 0, 100), (0, 101, 0, 100)):
        out = bytearray(80_000)
        arguments = sketches.arguments(tile, out)
        if tile[1] == 100:
            kernels.functions().scan(*arguments)
        else:
            with pytest.raises(ValueError, match="a tile outside"):
                kernels.functions().scan(*arguments)
        out.append(0)  # a BufferError while somebody holds it
