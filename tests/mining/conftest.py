"""An oracle that knows nothing of tiles, bounds or streams: full float64 matrices, and plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.filters import prefix
from snellen.mining.filters.plan import fit_plans
from snellen.mining.filters.prefix import PrefixFilter
from snellen.mining.filters.product import ProductFilter
from snellen.mining.filters.scan import SketchFilter
from snellen.mining.found.parts import PAIR, Records
from snellen.mining.join.exact import Side
from snellen.mining.join.tiles import Filter, NoFilter, Tiling
from snellen.mining.kernels import Kernel
from snellen.study import Study
from snellen.vectors import Vectors
from tests import studies

Half = NDArray[np.float16]
Pairs = dict[tuple[int, int], tuple[float, float]]

TINY = Tiling(rows=7, columns=11, stripe_pairs=300, buffer_pairs=50)
"""Pieces so small that everything is cut, split and overflows."""


each_kernel = pytest.mark.parametrize("kernel", kernels.available(), ids=lambda kernel: str(kernel.name))


def side(values: Half, rows: Iterable[int] | None = None, *, compiled: bool = True) -> Side:
    chosen = np.arange(len(values)) if rows is None else np.fromiter(rows, dtype=np.int64)
    return Side(Vectors.from_array(values), chosen, compiled=compiled)


def prefix_filter(one: Side, blind_min: float, k: int = 15) -> PrefixFilter:
    basis = prefix.fit_basis(one.half(0, len(one)), min(k, one.dim), 0)
    return PrefixFilter(prefix.reduce_side(one, basis, None), blind_min)


def sketch_filter(
    one: Side,
    blind_min: float,
    kernel: Kernel,
    length: int = 16,
    fine_length: int = 128,
    *,
    sample: Half | None = None,
    largest_error: float | None = None,
) -> SketchFilter:
    """A filter fitted on the side or a sample; a smaller largest error leaves more rows out."""
    sample = one.half(0, len(one)) if sample is None else sample
    plans, _ = fit_plans(kernel, sample, blind_min, 0, (length,), fine_length)
    plan = plans[length]
    if largest_error is not None:
        plan = replace(plan, largest_error=min(largest_error, plan.largest_error))
    return SketchFilter(one, plan)


FILTERS: dict[str, Callable[[Side, float], Filter]] = {
    "none": lambda one, blind_min: NoFilter(),
    "prefix 1": lambda one, blind_min: prefix_filter(one, blind_min, 1),
    "prefix 31": lambda one, blind_min: prefix_filter(one, blind_min, 31),
    "product": lambda one, blind_min: ProductFilter(one, blind_min, "cpu"),
    **{kernel.name: partial(sketch_filter, kernel=kernel) for kernel in kernels.available()},
}
"""Every filter there is, prepared for a side."""

each_filter = pytest.mark.parametrize("name", FILTERS)


def cosines(values: Half) -> NDArray[np.float64]:
    """All dot products, float64 [n, n]."""
    wide = values.astype(np.float64)
    result: NDArray[np.float64] = wide @ wide.T
    return result


def oracle(
    blind: Half, reference: Half, blind_min: float, reference_max: float, rows: Iterable[int] | None = None
) -> Pairs:
    """All pairs that pass, by row, with both cosines."""
    a, b = cosines(blind), cosines(reference)
    passes = np.triu((a > blind_min) & (b < reference_max), 1)
    allowed = None if rows is None else set(rows)
    return {
        (i, j): (float(a[i, j]), float(b[i, j]))
        for i, j in zip(*(index.tolist() for index in np.nonzero(passes)), strict=True)
        if allowed is None or (i in allowed and j in allowed)
    }


def exact_cosine(x: Half, y: Half) -> float:
    """The exactly rounded dot product."""
    return math.fsum(float(p) * float(q) for p, q in zip(x, y, strict=True))


def read_pairs(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def as_pairs(rows: list[dict[str, Any]]) -> Pairs:
    return {(row["row_a"], row["row_b"]): (row["blind_cosine"], row["reference_cosine"]) for row in rows}


def nudged(x: Half, y: Half, target: float) -> Half:
    """Move y by single float16 steps until its dot product with x is as near to the target as that gets."""
    y = y.copy()
    wide = x.astype(np.float64)
    for _ in range(60):
        off = target - float(wide @ y.astype(np.float64))
        steps = [(np.nextafter(y, np.float16(end)) - y).astype(np.float64) * wide for end in (2, -2)]
        best = min(
            ((abs(off - step[k]), k, end) for end, step in enumerate(steps) for k in [int(np.abs(off - step).argmin())])
        )
        if best[0] >= abs(off):
            break
        y[best[1]] = np.nextafter(y[best[1]], np.float16((2, -2)[best[2]]))
    return y


class Planted(NamedTuple):
    blind: Half
    reference: Half
    blind_min: float
    reference_max: float


def planted(seed: int, rows: int, dim: int, blind_min: float, reference_max: float) -> Planted:
    """Rows of which many pairs lie within 1e-6 of both thresholds, and some exactly on them."""
    from tests.studies import spectrum_rows, unit_rows

    rng = np.random.default_rng(seed)
    blind = unit_rows(spectrum_rows(rng, rows, dim, classes=7))
    reference = unit_rows(spectrum_rows(rng, rows, dim, mean=0.2, classes=7))
    for matrix, threshold in ((blind, blind_min), (reference, reference_max)):
        for row in range(1, rows, 3):
            x = matrix[row - 1].astype(np.float64)
            z = rng.standard_normal(dim)
            z -= (z @ x) * x
            z /= np.linalg.norm(z)
            aimed = threshold + rng.choice([0, 1e-9, -1e-9, 1e-7, -1e-7, 9e-7, -9e-7])
            y = (aimed * x + math.sqrt(1 - aimed**2) * z).astype(np.float16)
            matrix[row] = nudged(matrix[row - 1], y, aimed)
    return Planted(blind, reference, blind_min, reference_max)


def records(pairs: Iterable[tuple[int, int, float, float, int]]) -> Records:
    return np.array(list(pairs), dtype=PAIR)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    from tests.mining.mine_study import data

    return studies.write_study(tmp_path / "study", *data(), shard_rows=100)
