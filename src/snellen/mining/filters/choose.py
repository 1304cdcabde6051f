"""Which filter to use: decided by how many pairs of a sample each would leave, and what that costs.

The choice changes only the time a join takes, never what it finds.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from snellen.errors import UsageError
from snellen.mining import kernels
from snellen.mining.filters import prefix, scan
from snellen.mining.filters.plan import FINE_LENGTHS, LENGTHS, Plan, Survivors, fit_plans
from snellen.mining.filters.prefix import PrefixFilter
from snellen.mining.filters.product import ProductFilter
from snellen.mining.filters.scan import SketchFilter
from snellen.mining.filters.sketch import FIT_ROWS, sample_rows
from snellen.mining.join.exact import Side
from snellen.mining.join.pool import one_blas_thread
from snellen.mining.join.tiles import Filter, NoFilter, pairs_of
from snellen.mining.kernels import Kernel

Backend = Literal["auto", "compiled", "portable", "torch"]

PREFIXES = (15, 31, 63, 127, 255)
"""Numbers of coordinates to choose from; with the length of the rest, a row is a power of two wide."""

SAMPLE_ROWS = 1024

# Nanoseconds for one pair, measured on one core with NumPy's OpenBLAS. Only their ratios matter.
MULTIPLY = 0.0085
"""One number of a float32 product; float64 takes twice as long."""
COMPARE = 0.1
"""Comparing a bound, and looking for those above."""
GATHER = 1.2
"""One number of a gathered pair's float64 dot product, in NumPy."""
FETCH, DOT = 60.0, 0.1
"""The same, compiled: for the rows to come from memory, and for each number."""
HIT = 12.0
"""A pair of fine sketches."""
SCAN = {"AVX-512 VNNI": 0.0025, "AVX2": 0.0065, "portable C": 0.036}
"""One number of two coarse sketches."""

WORTH_CHOOSING = 0.5e9
"""Nanoseconds: a join that takes less without a filter is not worth a basis."""


class Chosen(NamedTuple):
    """A filter and a line that says what it is."""

    filter: Filter
    text: str


def usable_kernel(backend: Backend) -> Kernel | None:
    """Return the kernel of a backend; None where numpy does it.

    Raises:
        UsageError: the backend is unknown, or the compiled kernels are asked for and were not built.
    """
    if backend not in get_args(Backend):
        raise UsageError(f"--backend {backend} is unknown: choose one of {', '.join(get_args(Backend))}.")
    kernel = None if backend == "portable" else kernels.best()
    if kernel is None and backend == "compiled":
        raise UsageError(
            "--backend compiled needs the compiled kernels, which were not built: install a C compiler and Snellen "
            "again, or use --backend portable."
        )
    return kernel


def choose_filter(
    side: Side,
    blind_min: float,
    seed: int,
    scratch: Path | None = None,
    pairs: int | None = None,
    *,
    backend: Backend = "auto",
    threads: int = 1,
) -> Chosen:
    """Choose and prepare the filter for a join.

    Args:
        side: the blind encoder's vectors.
        blind_min: the threshold, resolved.
        seed: draws the samples.
        scratch: folder where reduced rows are kept if they are large.
        pairs: how many the filter is for; None: all.
        backend: "auto": the compiled kernels if there are any, else the portable filter.
        threads: for the preparation.

    Raises:
        UsageError: the backend is unknown, or cannot be had here.
    """
    kernel = usable_kernel(backend)
    if backend == "torch":
        return Chosen(ProductFilter(side, blind_min), "PyTorch, low-precision products")
    plain = 2 * MULTIPLY * side.dim + COMPARE
    pairs = pairs_of(len(side)) if pairs is None else pairs
    if pairs * plain < WORTH_CHOOSING or side.dim < LENGTHS[0]:
        return Chosen(NoFilter(), "every pair multiplied out")
    with one_blas_thread():
        sample = sample_rows(side, min(FIT_ROWS, max(len(side) // 8, SAMPLE_ROWS)), [seed, 1])
        if kernel is not None:
            chosen = _compiled(side, kernel, sample, blind_min, seed, plain, scratch, threads)
        else:
            chosen = _portable(side, sample, blind_min, seed, plain, scratch, threads)
    if chosen is None:
        return Chosen(NoFilter(), "every pair multiplied out")
    if kernel is None and backend == "auto":
        return chosen._replace(text=f"{chosen.text} (the compiled kernels were not built)")
    return chosen


def _compiled(
    side: Side,
    kernel: Kernel,
    sample: NDArray[np.float16],
    blind_min: float,
    seed: int,
    plain: float,
    scratch: Path | None,
    threads: int,
) -> Chosen | None:
    decided = FETCH + DOT * side.dim
    costs: dict[float, Plan] = {}
    for fine_length in FINE_LENGTHS:
        plans, reduced = fit_plans(kernel, sample, blind_min, seed, fine_length=fine_length)
        survivors = Survivors(reduced.thinned(SAMPLE_ROWS), plans[LENGTHS[0]])
        second, last = 0.0, math.inf
        for length, plan in plans.items():
            first, second = survivors.shares(plan)
            hits = first * HIT * fine_length / FINE_LENGTHS[0]
            cost = SCAN[kernel.name] * length + hits + (plain if second > scan.ROOM_SHARE else second * decided)
            costs.setdefault(cost, plan)
            if cost > last:
                break  # and so would longer ones
            last = cost
        if second * decided < max(0.3 * min(costs), WORTH_CHOOSING / pairs_of(len(side))):
            break  # longer fine sketches would save little
    if min(costs) >= plain:
        return None
    best = costs[min(costs)]
    return Chosen(
        SketchFilter(side, best, scratch, threads),
        f"{kernel.name}, sketches of {best.coarse.length} and {best.fine.length}",
    )


def _portable(
    side: Side,
    sample: NDArray[np.float16],
    blind_min: float,
    seed: int,
    plain: float,
    scratch: Path | None,
    threads: int,
) -> Chosen | None:
    widest = [k for k in PREFIXES if k < side.dim]
    basis = prefix.fit_basis(sample, widest[-1], seed)
    few = sample[:: -(-len(sample) // SAMPLE_ROWS)].astype(np.float64)
    rates = prefix.survivor_rates(few, basis, widest, blind_min)
    costs = {k: _prefix_cost(k, side.dim, rate) for k, rate in rates.items()}
    best = min(costs, key=lambda k: costs[k])
    if costs[best] >= plain:
        return None
    reduced = prefix.reduce_side(side, np.ascontiguousarray(basis[:, :best]), scratch, threads)
    return Chosen(PrefixFilter(reduced, blind_min), f"portable, {best} coordinates")


def _prefix_cost(k: int, dim: int, rate: float) -> float:
    """Estimate nanoseconds a pair for a prefix of k that leaves a share `rate` of the pairs."""
    decide = 2 * MULTIPLY * dim if rate > prefix.DENSE_SHARE else rate * GATHER * dim
    return MULTIPLY * (k + 1) + COMPARE + decide
