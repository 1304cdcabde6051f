"""The compiled filter names every pair that passes, on every instruction set, and none that is left out."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.filters import scan, sketch
from snellen.mining.filters.plan import FINE_LENGTHS, LENGTHS, fit_plans
from snellen.mining.filters.scan import SketchFilter, pack
from snellen.mining.join.tiles import Tile
from snellen.mining.kernels import GROUP, Kernel
from tests.mining.conftest import cosines, each_kernel, side, sketch_filter
from tests.mining.hard_rows import KINDS, Hard, hard, rows_of
from tests.studies import spectrum_rows, unit_rows

pytestmark = pytest.mark.skipif(not kernels.available(), reason="the compiled kernels were not built")


@pytest.fixture(autouse=True)
def room_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "ROOM_SHARE", 1.0)


def named(one: SketchFilter, tile: Tile, n: int) -> NDArray[np.bool_]:
    """Which pairs the filter names, bool [n, n]; checks that they lie in the tile and come once."""
    found = one.candidates(tile)
    assert found is not None
    a, b = found
    assert a.dtype == b.dtype == np.int64
    result = np.zeros((n, n), dtype=np.bool_)
    result[a, b] = True
    assert result.sum() == len(a) == len(b)
    assert (a < b).all()
    inside = np.zeros((n, n), dtype=np.bool_)
    inside[tile.row_start : tile.row_stop, tile.column_start : tile.column_stop] = True
    assert not (result & ~inside).any()
    return result


def check(one: SketchFilter, data: Hard) -> int:
    """Compare the filter with float64, on the whole triangle and on ragged tiles; return how many pairs passed."""
    n = len(data.rows)
    judged = np.ones(n, dtype=np.bool_)
    judged[one.left_out] = False
    assert np.array_equal(np.sort(np.unique(one.left_out)), one.left_out)
    needed = data.passing & judged[:, None] & judged
    everything = named(one, Tile(0, n, 0, n), n)
    assert not (needed & ~everything).any()
    assert not (everything & ~(judged[:, None] & judged)).any()
    rng = np.random.default_rng(data.seed)
    for _ in range(3):
        (top, bottom), (left, right) = np.sort(rng.integers(0, n + 1, (2, 2)), axis=1).tolist()
        part = named(one, Tile(top, bottom, left, right), n)
        cut = np.zeros_like(part)
        cut[top:bottom, left:right] = everything[top:bottom, left:right]
        assert np.array_equal(part, cut)
    return int(needed.sum())


@each_kernel
@settings(max_examples=60, deadline=None)
@given(data=hard(), length=st.sampled_from(LENGTHS), fine_length=st.sampled_from(FINE_LENGTHS))
def test_every_pair_that_passes_is_named(kernel: Kernel, data: Hard, length: int, fine_length: int) -> None:
    plans, _ = fit_plans(kernel, data.sample, data.blind_min, data.seed, (length,), fine_length)
    check(SketchFilter(side(data.rows), plans[length]), data)


@each_kernel
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_rows_and_every_length(kernel: Kernel, kind: str) -> None:
    rng = np.random.default_rng(0)
    passed = 0
    for n, dim in ((1, 64), (2, 64), (33, 300), (150, 128)):
        rows = rows_of(rng, kind, n, dim, 1.0, 0.6)
        for blind_min in (0.5, 0.95, float(np.quantile(cosines(rows), 0.9))):
            data = Hard(rows, blind_min, np.arange(0, n, 2), 3)
            plans, _ = fit_plans(kernel, data.sample, blind_min, 0)
            assert list(plans) == [length for length in LENGTHS if length < min(dim, 127) + 17]
            passed += sum(check(SketchFilter(side(rows), plan), data) for plan in plans.values())
    assert passed > 1000


@each_kernel
@pytest.mark.parametrize("spread", [1e-5, 1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("shift", [-0.5, -1e-3, 0.0, 1e-3, 0.5])
def test_bars_far_beyond_int32(kernel: Kernel, spread: float, shift: float) -> None:
    """Rows that lie so close that the scale is huge: thresholds times its square do not fit into 32 bits."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((1, 64)) + spread * rng.standard_normal((90, 64))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    rows = (values * rng.choice([0.99, 1.0, 1.01], (90, 1))).astype(np.float16)
    data = Hard(rows, float(np.median(cosines(rows))) + shift, np.arange(90), 0)
    plans, _ = fit_plans(kernel, rows, data.blind_min, 0, (16, 64))
    for plan in plans.values():
        bold = replace(plan, largest_error=np.inf) if not kernel.wraps else plan
        check(SketchFilter(side(rows), bold), data)


@each_kernel
def test_bars_of_both_signs_beyond_int32(kernel: Kernel) -> None:
    """Of two rows that are alike but for their lengths one bar is hugely negative, the other hugely positive."""
    rows = np.zeros((40, 32), dtype=np.float16)
    rows[:, 0] = 1
    rows[::3, 0] = 1 + 2.0**-10
    rows[1::3, 0] = 1 - 2.0**-10
    data = Hard(rows, 0.9999, np.arange(2, 40, 3), 0)  # fitted on rows that are all the same: the largest scale
    one = sketch_filter(side(rows), 0.9999, kernel, sample=data.sample)
    assert data.passing[0, 1]
    assert check(one, data) > 100 or kernel.wraps


def test_bars_are_rounded_down() -> None:
    low, high = scan.LOWEST_BAR, scan.HIGHEST_BAR
    bars = {2.9: 2, -2.1: -3, 3.0: 3, -3.0: -3, 1e18: high, -1e18: low, high - 0.5: high - 1, low + 0.5: low}
    assert scan._whole(np.array([*bars])).tolist() == [*bars.values()]
    # Whatever is cut off: below all sums of products, and out of reach of rows that are left out.
    assert low + high < -128 * 2**14 and scan.UNREACHABLE + low > 1024 * 2**14


@each_kernel
class TestLeftOut:
    def test_longer_rows_than_sampled(self, kernel: Kernel) -> None:
        rows = unit_rows(spectrum_rows(np.random.default_rng(0), 120, 64, mean=0.9))
        rows[::7] *= np.float16(1.015)
        data = Hard(rows, 0.9, np.setdiff1d(np.arange(120), np.arange(0, 120, 7)), 0)
        one = sketch_filter(side(rows), 0.9, kernel, sample=data.sample)
        assert one.left_out.tolist() == [*range(0, 120, 7)]
        assert check(one, data) > 100

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
    def test_larger_errors_than_allowed(self, kernel: Kernel, share: float) -> None:
        rows = unit_rows(spectrum_rows(np.random.default_rng(1), 150, 100, mean=0.9))
        data = Hard(rows, 0.9, np.arange(150), 0)
        plans, reduced = fit_plans(kernel, rows, 0.9, 0, (32,))
        errors = sketch.sketch_rows(reduced, plans[32].coarse, 0.9).error
        allowed = float(np.quantile(errors, 1 - share)) if share < 1 else 0.0
        one = sketch_filter(side(rows), 0.9, kernel, 32, largest_error=allowed)
        expected = np.flatnonzero(errors > allowed)
        assert np.array_equal(one.left_out, expected) and abs(len(expected) - share * 150) <= 1
        check(one, data)

    def test_outliers_that_the_sample_did_not_hold(self, kernel: Kernel) -> None:
        """Where sums may wrap they are left out; where they may not, their bars let everything through."""
        rng = np.random.default_rng(2)
        usual = np.eye(1, 64) + 0.002 * rng.standard_normal((140, 64))
        rows = unit_rows(np.concatenate([usual, spectrum_rows(rng, 10, 64, mean=0)]))[rng.permutation(150)]
        near = np.flatnonzero(rows[:, 0] > 0.9)
        data = Hard(rows, 0.999, near[:100], 0)
        one = sketch_filter(side(rows), 0.999, kernel, sample=data.sample)
        assert len(near) == 140
        assert np.array_equal(one.left_out, np.setdiff1d(np.arange(150), near) if kernel.wraps else [])
        assert check(one, data) > 100


@each_kernel
def test_chunks_threads_and_files_lose_nothing(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 300, 64, mean=0.9))
    plan = fit_plans(kernel, rows, 0.9, 0, (32,))[0][32]
    data = Hard(rows, 0.9, np.arange(300), 0)
    assert check(SketchFilter(side(rows), plan), data) > 100
    monkeypatch.setattr(scan, "CHUNK_ROWS", 2 * GROUP)
    for threads in (1, 2, 3):
        check(SketchFilter(side(rows), plan, tmp_path, threads), data)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(scan, "IN_MEMORY_BYTES", 1000)
    check(SketchFilter(side(rows), plan, tmp_path, 2), data)
    assert {path.name for path in tmp_path.iterdir()} == {"coarse.sketch", "columns.sketch", "fine.sketch"}


@each_kernel
def test_positions_in_any_order(kernel: Kernel) -> None:
    rng = np.random.default_rng(0)
    rows = unit_rows(spectrum_rows(rng, 200, 64, mean=0.9))
    order = rng.permutation(200)[:120]
    data = Hard(rows[order], 0.9, np.arange(120), 0)
    assert check(sketch_filter(side(rows, order), 0.9, kernel), data) > 100


@each_kernel
def test_too_many_candidates_are_given_back(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.repeat(unit_rows(np.ones((1, 32))), 200, axis=0)
    one = sketch_filter(side(rows), 0.9, kernel)
    assert named(one, Tile(0, 100, 0, 200), 200).sum() == 100 * 150 - 50
    monkeypatch.setattr(scan, "ROOM_SHARE", 0.05)
    assert one.candidates(Tile(0, 100, 0, 200)) is None
    assert one.candidates(Tile(0, 5, 0, 10)) is not None  # there is always room for a few


@each_kernel
def test_pack_puts_numbers_where_the_kernel_reads_them(kernel: Kernel) -> None:
    q = np.random.default_rng(0).integers(-kernel.levels, kernel.levels + 1, (96, 48)).astype(np.int16)
    packed = pack(q, kernel)
    wide = GROUP if kernel.interleave == 1 else GROUP // 2
    for column, number in ((0, 0), (5, 1), (15, 47), (16, 3), (31, 30), (32, 0), (95, 47), (70, 17)):
        block, place = divmod(column, wide)
        step, within = divmod(number, kernel.interleave)
        at = block * wide * 48 + step * wide * kernel.interleave + place * kernel.interleave + within
        assert packed[at] == (int(q[column, number]) + kernel.offset) % 256


FULL = """
import resource
from pathlib import Path
import numpy as np
from snellen.errors import StorageError
from snellen.mining import kernels
from snellen.mining.filters import scan
from snellen.mining.filters.plan import fit_plans
from tests.mining.conftest import side
from tests.studies import spectrum_rows, unit_rows
rows = unit_rows(spectrum_rows(np.random.default_rng(0), 3000, 64))
plans, _ = fit_plans(kernels.available()[0], rows, 0.95, 0)
scan.IN_MEMORY_BYTES = 1000
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    scan.SketchFilter(side(rows), plans[16], Path("."))
except StorageError as error:
    print(error)
"""


def test_a_full_disk_is_said_before_it_is_mapped(tmp_path: Path) -> None:
    """A mapped file that finds no room when it is written to kills the process."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])}
    done = subprocess.run(
        [sys.executable, "-c", FULL], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("No room to write coarse.sketch")


@each_kernel
def test_tiles_taller_than_a_kernel_takes(kernel: Kernel) -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 2500, 64, mean=0.8))
    seen = named(sketch_filter(side(rows), 0.9, kernel), Tile(0, 2500, 0, 2500), 2500)
    above = np.triu(cosines(rows) > 0.9, 1)
    assert above.sum() > 1000 and not np.any(above & ~seen)
