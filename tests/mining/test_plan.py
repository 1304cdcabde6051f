"""A plan asserts the range of its sums, and foresees what its sketches keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from snellen.mining.filters import scan
from snellen.mining.filters.plan import LARGEST_SUM, LENGTHS, Survivors, fit_plans
from snellen.mining.filters.scan import SketchFilter
from snellen.mining.join.tiles import Tile
from snellen.mining.kernels import Kernel
from tests.mining.conftest import cosines, each_kernel, side
from tests.mining.hard_rows import KINDS, rows_of
from tests.studies import spectrum_rows, unit_rows


@each_kernel
def test_range_of_int16_is_asserted(kernel: Kernel) -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 200, 64))
    plans, _ = fit_plans(kernel, rows, 0.5, 0, (16,))
    plan = plans[16]
    plan.assert_range()
    for large in (
        replace(plan, coarse=replace(plan.coarse, scale=1000.0)),
        replace(plan, largest_error=10.0),
        replace(plan, longest=plan.longest + 40_000 / plan.coarse.scale**2),
        replace(plan, blind_min=plan.blind_min - 40_000 / plan.coarse.scale**2),
        replace(plan, largest_error=float("nan")),
    ):
        if kernel.wraps:
            with pytest.raises(ArithmeticError, match="int16 could reach"):
                SketchFilter(side(rows), large)
        else:
            large.assert_range()


@each_kernel
@pytest.mark.parametrize("kind", KINDS)
def test_every_fitted_plan_keeps_its_range(kernel: Kernel, kind: str) -> None:
    for blind_min in (0.5, 0.95, 0.999):
        rows = rows_of(np.random.default_rng(0), kind, 120, 128, 1.0, 0.7)
        for plan in fit_plans(kernel, rows, blind_min, 0)[0].values():
            plan.assert_range()
            if kernel.wraps:
                most = plan.largest_error
                within = plan.longest - blind_min + 2 * plan.coarse.reach * most + 2 * most**2
                assert 0 <= most < np.inf and plan.coarse.scale**2 * within <= LARGEST_SUM * 1.000001


@each_kernel
def test_survivors_are_those_of_the_scan(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "ROOM_SHARE", 1.0)
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 400, 64, mean=0.8))
    plans, reduced = fit_plans(kernel, rows, 0.9, 0)
    survivors = Survivors(reduced, plans[16])
    pairs = 400 * 399 / 2
    shares = {length: survivors.shares(plan) for length, plan in plans.items()}
    for length, plan in plans.items():
        found = SketchFilter(side(rows), plan).candidates(Tile(0, 400, 0, 400))
        assert found is not None
        first, second = shares[length]
        assert len(found[0]) / pairs == pytest.approx(second, rel=0.02)
        assert first >= second > np.triu(cosines(rows) > 0.9, 1).sum() / pairs
    assert shares[16][0] > shares[64][0]


@each_kernel
def test_left_out_rows_are_no_survivors(kernel: Kernel) -> None:
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 100, 64, mean=0.8))
    plans, reduced = fit_plans(kernel, rows, 0.5, 0, (16,))
    everything = replace(plans[16], largest_error=-1.0)
    assert Survivors(reduced, everything).shares(everything) == (0, 0)
    assert Survivors(reduced, plans[16]).shares(plans[16])[0] > 0.5


@each_kernel
@pytest.mark.parametrize(("dim", "longest"), [(16, 32), (48, 64), (128, 128), (2048, 128)])
def test_lengths_that_rows_are_long_enough_for(kernel: Kernel, dim: int, longest: int) -> None:
    plans, _ = fit_plans(kernel, unit_rows(spectrum_rows(np.random.default_rng(0), 60, dim)), 0.9, 0)
    assert list(plans) == [length for length in LENGTHS if length <= longest]
