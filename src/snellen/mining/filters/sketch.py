"""Sketches of rows in small integers, and the thresholds with which their dot products lose no pair.

Let m be a mean, V [d, k] have orthonormal columns, z = x - m, p = V'z, r = |z - Vp|, and y = Q'[p, r] with Q
orthonormal. Then |y - y'| <= |x - x'|: projecting shortens, and so does taking lengths of the rest. A row becomes
q = round(S y), with integers of at most `levels`, and e, an upper bound of |y - q / S|; so |q - q'| / S is at most
|x - x'| + e + e'.

A pair passes where x.x' > T, which is |x - x'|^2 < a + a' with a = |x|^2 - T. With R^2 = 2 max(a), and
(e + e')^2 <= 2 e^2 + 2 e'^2, a pair that passes has

    |q - q'|^2 / S^2 <= A + A',   A = a + 2 R e + 2 e^2,   that is   q.q' >= t + t',   t = floor((|q|^2 - S^2 A) / 2),

one integer per row. The rotation Q spreads the variance evenly, so that few bits are enough.

Rigorous in floating point: products are float32, and by Higham (Accuracy and Stability, section 3.1) one of d terms
errs by at most gamma(d) times the product of the lengths, in any order; all of that is added to e, and to a.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.filters.directions import departure, leading_directions
from snellen.mining.join.exact import Float64Array, Side

Float32Array = NDArray[np.float32]

FIT_ROWS = 4096
"""How many images, drawn by the seed, directions and scales are fitted on."""

U = 2.0**-24
"""Unit roundoff of float32."""

CLIPPED_SHARE = 1e-4
"""The scale is such that about this share of the numbers is clipped."""

FAR_SHARE = 1e-5
"""Share of pairs that may lie so far apart that their sum of int16 wraps: they are kept, and ruled out later."""

FINE_LEVELS = 127


class Reduced(NamedTuple):
    """What sketches of some rows are made from.

    squared: float64 [n], |x|^2; coordinates: float32 [n, k + 1], [p, r]; error: float64 [n], bound of |[p, r] - exact|.
    """

    squared: Float64Array
    coordinates: Float32Array
    error: Float64Array

    def thinned(self, most: int) -> Reduced:
        """Return at most so many of the rows, evenly spread."""
        step = max(-(-len(self.error) // most), 1)
        return Reduced(self.squared[::step], self.coordinates[::step], self.error[::step])


@dataclass(frozen=True)
class Basis:
    """mean float32 [d]; directions float32 [d, k]; departure: how far they are from orthonormal."""

    mean: Float32Array
    directions: Float32Array
    departure: float

    @property
    def k(self) -> int:
        """How many directions there are."""
        return int(self.directions.shape[1])


@dataclass(frozen=True)
class Quantiser:
    """Turns the first coordinates of reduced rows into a sketch of `length` integers of at most `levels`.

    rotation: float32 [used, used], orthonormal up to `departure`; used - 1 directions and the length of the rest; what
    `length` has beyond `used` is zero. scale: S. reach: R.
    """

    length: int
    levels: int
    rotation: Float32Array
    departure: float
    scale: float
    reach: float


class Sketch(NamedTuple):
    """q: int8 [n, length]; bars: float64 [n], t before it is rounded down; error: float64 [n], e."""

    q: NDArray[np.int8]
    bars: Float64Array
    error: Float64Array


def gamma(terms: int) -> float:
    """Return Higham's bound on the relative error of a float32 sum of so many products."""
    return terms * U / (1 - terms * U)


def widened(half: NDArray[np.float16]) -> Float32Array:
    """Return float16 rows as float32."""
    kernel = kernels.best()
    if kernel is None:
        return half.astype(np.float32)
    half = np.ascontiguousarray(half)
    result = np.empty(half.shape, dtype=np.float32)
    kernels.functions().widen(kernel.number, half, result)
    return result


def sample_rows(side: Side, size: int, seed: list[int]) -> NDArray[np.float16]:
    """Return the vectors of images drawn without replacement, in row order: float16 [min(size, n), d]."""
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(len(side), size=min(size, len(side)), replace=False))
    return side.vectors.gather(side.rows[sample])


def fit_basis(sample: NDArray[np.float16], k: int, seed: int) -> Basis:
    """Return the mean and about the k leading directions of a sample, orthonormal whatever they are.

    Args:
        sample: float16 [rows, d].
        k: at least 1, at most d.
        seed: of the start.
    """
    values = widened(sample)
    mean = values.mean(axis=0, dtype=np.float64).astype(np.float32)
    values -= mean
    directions = leading_directions((values.T @ values).astype(np.float64), k, seed).astype(np.float32)
    return Basis(mean, directions, _departure(directions))


def _departure(columns: Float32Array) -> float:
    found = departure(columns.astype(np.float64))
    if not found < 1e-3:  # the bound rests on it
        raise ArithmeticError(f"directions are not orthonormal: departure {found}")
    return found


def reduce_rows(half: NDArray[np.float16], basis: Basis) -> Reduced:
    """Reduce float16 [n, d] rows, of length at most 1.02, to their coordinates and the length of the rest."""
    values = widened(half)
    dim, k = basis.directions.shape
    squared = np.vecdot(values, values).astype(np.float64)
    values -= basis.mean
    prefix = values @ basis.directions
    whole = np.vecdot(values, values).astype(np.float64)
    length = np.sqrt(whole) * (1 + gamma(dim))
    # Of p: the product's rounding, that of x - m, and directions that are not quite orthonormal.
    error = (np.sqrt(k) * gamma(dim) + 2 * U + basis.departure) * 1.01 * length
    held = np.vecdot(prefix, prefix).astype(np.float64)
    rest_squared = np.maximum(whole - held, 0)
    rest = np.sqrt(rest_squared)
    # Of r^2, then of r: |sqrt(s) - sqrt(t)| is at most sqrt(|s - t|), and |s - t| / sqrt(s).
    off = (gamma(dim) + gamma(k) + 4 * U) * length**2 + 2 * length * error + error**2
    rest_error = np.minimum(np.sqrt(off), off / np.maximum(rest, 1e-30))
    coordinates = np.concatenate([prefix, rest[:, None].astype(np.float32)], axis=1)
    return Reduced(squared * (1 + 2 * gamma(dim)), coordinates, error + rest_error + U * length)


def shortened(reduced: Reduced, used: int) -> Float32Array:
    """Return the first used - 1 coordinates and the length of all others: float32 [n, used]."""
    if used == reduced.coordinates.shape[1]:
        return reduced.coordinates
    result = reduced.coordinates[:, :used].copy()
    others = reduced.coordinates[:, used - 1 :]
    result[:, used - 1] = np.sqrt(np.vecdot(others, others))
    return result


def fit_quantiser(
    sample: Reduced, length: int, levels: int, blind_min: float, longest: float, seed: int, *, wraps: bool
) -> Quantiser:
    """Choose rotation and scale for sketches of a length.

    Args:
        sample: reduced rows to fit on.
        length: of the sketch; where fewer coordinates exist, the rest of it stays zero.
        levels: largest integer.
        blind_min: T.
        longest: an upper bound of |x|^2 over all rows.
        seed: of the rotation.
        wraps: whether the sum must fit into int16: then the scale is small enough for pairs that pass.
    """
    used = min(length, sample.coordinates.shape[1])
    rng = np.random.default_rng([seed, 5, used])
    rotation = np.linalg.qr(rng.standard_normal((used, used)))[0].astype(np.float32)
    rotated = shortened(sample, used) @ rotation
    biggest = float(np.quantile(np.abs(rotated), 1 - CLIPPED_SHARE))
    reach = float(np.sqrt(max(2 * (longest - blind_min), 0.0)))
    scale = levels / max(biggest, 1e-6)
    if wraps:
        half = len(rotated) // 2
        apart = rng.permutation(len(rotated))
        shifts = [np.roll(apart, shift) for shift in range(1, 9)]
        far = np.concatenate([((rotated[apart] - rotated[other]) ** 2).sum(axis=1) for other in shifts] or [[0.0]])
        if half:
            scale = min(scale, float(np.sqrt(2 * 32_000 / max(np.quantile(far, 1 - FAR_SHARE), 1e-12))))
        scale = min(scale, float(np.sqrt(16_000 / max(reach**2, 1e-12))))
    return Quantiser(length, levels, rotation, _departure(rotation), scale, reach)


def sketch_rows(reduced: Reduced, quantiser: Quantiser, blind_min: float) -> Sketch:
    """Quantise reduced rows, and compute their bars t (not yet rounded down) and errors e."""
    used = len(quantiser.rotation)
    short = shortened(reduced, used)
    lengths = np.sqrt(np.vecdot(short, short).astype(np.float64))
    rotated = short @ quantiser.rotation
    scale, levels = np.float32(quantiser.scale), quantiser.levels
    rounded = np.clip(np.rint(rotated * scale), -levels, levels)
    left = rotated - rounded / scale
    error = np.sqrt(np.vecdot(left, left).astype(np.float64)) * (1 + gamma(used + 4))
    # Of taking the length of the others, of rotating, and of scaling back (numbers of at most `lengths` in size).
    error += reduced.error + (gamma(used) * np.sqrt(used) + gamma(256) + quantiser.departure + 4 * U) * 1.01 * lengths
    q = np.zeros((len(rounded), quantiser.length), dtype=np.int8)
    q[:, :used] = rounded
    exact_scale = float(scale)
    within = reduced.squared - blind_min + 2 * quantiser.reach * error + 2 * error**2
    whole = np.vecdot(rounded, rounded).astype(np.float64)  # of integers below 2^24: exact
    return Sketch(q, (whole - exact_scale**2 * within) / 2, error)
