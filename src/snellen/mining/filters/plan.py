"""Fitting sketches on a sample: basis, rotations, scales, and how many pairs would be left."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snellen.mining.filters import sketch
from snellen.mining.filters.sketch import Basis, Quantiser, Reduced, Sketch
from snellen.mining.kernels import Kernel

LENGTHS = (16, 24, 32, 48, 64, 96, 128)
"""Lengths of coarse sketches to choose from: multiples of 8, as the kernels need."""

FINE_LENGTHS = (128, 256)
"""Lengths of fine sketches: multiples of 64."""

LARGEST_SUM = 32_000
"""Sums of int16 stay below this for every pair that passes."""

LONGER = 0.002
"""Rows whose squared length exceeds that of all sampled rows by more are left out."""


@dataclass(frozen=True)
class Plan:
    """All that makes sketches: fitted on a sample, the same for all rows."""

    kernel: Kernel
    basis: Basis
    coarse: Quantiser
    fine: Quantiser
    blind_min: float
    longest: float
    largest_error: float

    def assert_range(self) -> None:
        """Check that no pair that passes can wrap an int16 sum.

        Its value is at most S^2 (A + A') / 2 + 2, with A at the largest |x|^2 and e that are not left out.

        Raises:
            ArithmeticError: it could.
        """
        if not self.kernel.wraps:
            return
        within = self.longest - self.blind_min + 2 * self.coarse.reach * self.largest_error + 2 * self.largest_error**2
        most = self.coarse.scale**2 * within + 2
        if not most < 2**15:
            raise ArithmeticError(f"a sum of int16 could reach {most:.0f}")


def fit_plans(
    kernel: Kernel,
    sample: NDArray[np.float16],
    blind_min: float,
    seed: int,
    lengths: tuple[int, ...] = LENGTHS,
    fine_length: int = FINE_LENGTHS[0],
) -> tuple[dict[int, Plan], Reduced]:
    """Fit a plan for each length of the coarse sketch that the vectors are long enough for.

    Args:
        kernel: which one will scan.
        sample: float16 [rows, d].
        blind_min: T.
        seed: of the rotations.
        lengths: of coarse sketches, to choose from.
        fine_length: of fine sketches.

    Returns:
        Plans by length, and the sample, reduced.
    """
    basis = sketch.fit_basis(sample, min(fine_length - 1, sample.shape[1]), seed)
    reduced = sketch.reduce_rows(sample, basis)
    longest = float(reduced.squared.max()) + LONGER
    fine = sketch.fit_quantiser(reduced, fine_length, sketch.FINE_LEVELS, blind_min, longest, seed, wraps=False)
    plans = {}
    for length in lengths:
        if length > lengths[0] and length >= basis.k + 1 + 16:
            break  # more integers than coordinates
        coarse = sketch.fit_quantiser(reduced, length, kernel.levels, blind_min, longest, seed, wraps=kernel.wraps)
        largest = _largest_error(coarse, longest - blind_min) if kernel.wraps else math.inf
        plans[length] = Plan(kernel, basis, coarse, fine, blind_min, longest, largest)
    return plans, reduced


def _largest_error(coarse: Quantiser, within: float) -> float:
    """Return the largest e with S^2 (within + 2 R e + 2 e^2) <= LARGEST_SUM; negative where there is none."""
    left = LARGEST_SUM / coarse.scale**2 - within
    if left < 0:
        return -1.0
    return (-coarse.reach + float(np.sqrt(coarse.reach**2 + 2 * left))) / 2


class Survivors:
    """Counts which share of the pairs of some rows the sketches of a plan keep.

    Args:
        reduced: at least two rows; a thousand are enough to tell costs apart.
        plan: any with the fine sketch in question.
    """

    def __init__(self, reduced: Reduced, plan: Plan) -> None:
        self._reduced = reduced
        self._fine = _passing(sketch.sketch_rows(reduced, plan.fine, plan.blind_min))

    def shares(self, plan: Plan) -> tuple[float, float]:
        """Return the share that the coarse sketch keeps, and the share that the fine one keeps of all."""
        coarse = sketch.sketch_rows(self._reduced, plan.coarse, plan.blind_min)
        first = _passing(coarse)
        out = (coarse.error > plan.largest_error) | (self._reduced.squared > plan.longest)
        first[out] = False
        first[:, out] = False
        np.fill_diagonal(first, False)
        n = len(first)
        kept = np.count_nonzero(first)
        first &= self._fine
        return kept / (n * (n - 1)), np.count_nonzero(first) / (n * (n - 1))


def _passing(made: Sketch) -> NDArray[np.bool_]:
    wide = made.q.astype(np.float32)  # sums of integers below 2^24: exact
    bars = np.floor(made.bars).astype(np.float32)
    passing: NDArray[np.bool_] = wide @ wide.T >= bars[:, None] + bars[None, :]
    return passing
