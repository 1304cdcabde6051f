"""The join for those who have two arrays and no study."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen.defaults import BLIND_MIN, REFERENCE_MAX
from snellen.errors import UsageError
from snellen.mining.filters.choose import Backend, choose_filter
from snellen.mining.join.cells import CellCounts
from snellen.mining.join.exact import Float64Array, Side
from snellen.mining.join.pool import cores
from snellen.mining.join.tiles import Positions, Tiling, pairs_of, stripes
from snellen.mining.join.two_sided import Condition, Join
from snellen.vectors import Vectors


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs that pass, sorted by (a, b).

    a, b: int64 [m], rows, a < b; blind, reference: float64 [m], exact cosines; counts: pairs looked at, `pairs`, and
    those that passed each test, `above_blind_min` and `below_reference_max`; above: how all pairs above the blind
    minimum spread; filter: what ruled the others out; timings: wall seconds of `prepare` and `join`.
    """

    a: Positions
    b: Positions
    blind: Float64Array
    reference: Float64Array
    counts: dict[str, int]
    above: CellCounts
    filter: str
    timings: dict[str, float]


def find_pairs(
    blind: NDArray[Any],
    reference: NDArray[Any],
    *,
    blind_min: float = BLIND_MIN,
    reference_max: float = REFERENCE_MAX,
    threads: int | None = None,
    backend: Backend = "auto",
    seed: int = 0,
    tiling: Tiling | None = None,
) -> Pairs:
    """Find all pairs of rows with blind cosine above one threshold and reference cosine below another, exactly.

    A cosine is the float64 dot product of two rows as they are, not renormalised. All pairs found are held in memory:
    for more, use a study and `snellen.mining.mine`.

    Example:
        >>> blind = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float16)
        >>> reference = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float16)
        >>> found = find_pairs(blind, reference)
        >>> found.a.tolist(), found.b.tolist(), found.blind.tolist(), found.reference.tolist()
        ([0], [1], [1.0], [0.0])

    Args:
        blind: float16 [n, d1], unit rows up to 2 %; may be a memory-mapped array.
        reference: float16 [n, d2], the same images.
        blind_min: strictly above.
        reference_max: strictly below.
        threads: how many; None: as many as there are cores.
        backend: "auto", "compiled", "portable" or "torch": changes the time, never the pairs.
        seed: of the sample that the filter is fitted on: changes the time, never the pairs.
        tiling: sizes of the pieces; for tests.

    Raises:
        UsageError: the arrays have different numbers of rows, or another dtype; the backend cannot be had; a threshold
            or the number of threads cannot be meant.
        StudyError: a row is zero, not finite, or not of length 1.
    """
    if threads is not None and (threads < 1 or threads != int(threads)):
        raise UsageError(f"threads is {threads}: give a whole number from 1, or None for one on each core.")
    if seed < 0 or seed != int(seed):
        raise UsageError(f"seed is {seed}: give a whole number from 0.")
    blind_min, reference_max = _cosine("blind_min", blind_min), _cosine("reference_max", reference_max)
    if len(blind) != len(reference):
        raise UsageError(f"blind has {len(blind)} rows and reference {len(reference)}: give the same images in both.")
    sides = [_side(name, values, backend) for name, values in (("blind", blind), ("reference", reference))]
    threads = threads or cores()
    timings: dict[str, float] = {}
    with _timed(timings, "prepare"):
        chosen = choose_filter(sides[0], blind_min, seed, backend=backend, threads=threads)
    condition = Condition(blind_min, reference_max)
    join = Join(sides[0], sides[1], chosen.filter, condition, tiling or Tiling(), threads)
    with _timed(timings, "join"):
        found = [found for _, found in join.blocks(stripes(len(blind), join.tiling))]
    above = CellCounts.empty()
    for each in found:
        above = above.joined(each.cells)
    a, b, blind_cosine, reference_cosine = (
        np.concatenate([each[field] for each in found] or [np.empty(0)]) for field in range(4)
    )
    return Pairs(
        a.astype(np.int64),
        b.astype(np.int64),
        blind_cosine,
        reference_cosine,
        {
            "pairs": pairs_of(len(blind)),
            "above_blind_min": sum(each.above_blind_min for each in found),
            "below_reference_max": sum(each.below_reference_max for each in found),
        },
        above,
        chosen.text,
        timings,
    )


def _cosine(name: str, threshold: float | str) -> float:
    """Check a threshold; one that lies beyond all cosines means the same as any other that does."""
    if isinstance(threshold, str) or math.isnan(threshold):
        raise UsageError(f"{name} is {threshold!r}: give a cosine, from -1 to 1 (quantiles need a study).")
    return min(max(float(threshold), -2.0), 2.0)


def _side(name: str, values: NDArray[Any], backend: Backend) -> Side:
    if not isinstance(values, np.ndarray) or values.dtype != np.float16 or values.ndim != 2 or not values.shape[1]:
        what = f"{values.dtype} {list(values.shape)}" if isinstance(values, np.ndarray) else type(values).__name__
        raise UsageError(
            f"{name} is {what} where an array of float16 [rows, dim] is needed: use .astype(numpy.float16) and store "
            "that, since what is decided is what is stored."
        )
    side = Side(Vectors.from_array(values), np.arange(len(values)), compiled=backend != "portable")
    side.check()
    return side


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - began
