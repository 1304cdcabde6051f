"""An upper bound on cosines from a few numbers a row: the prefix of a rotated basis, and the length of the rest.

Let V [d, K] have orthonormal columns, p = V'x, and r = |x - Vp|. Then x.y = p.q + (x - Vp).(y - Vq) <= p.q + r s, by
Cauchy and Schwarz. With [p, r] and [q, s] as rows this is one matrix product. V is chosen so that a few columns hold
most of the length (principal directions of the second moment, not centred: the bound is on the dot product).

The bound is rigorous in floating point. p and r come from float64; the departure of V from orthonormal, and all
float64 rounding, is below BASIS_SLACK. Rounding [p, r] to float32 and multiplying in float32, in any order, errs by
at most (K + 4) 2^-24 |[p, r]| |[q, s]| (Higham, Accuracy and Stability, section 3.1), and the lengths of the stored
rows are at most 1.02. The threshold is lowered by the sum of both.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snellen import storage
from snellen.mining.filters.directions import departure, leading_directions
from snellen.mining.join.exact import Float64Array, Side
from snellen.mining.join.pool import in_order
from snellen.mining.join.tiles import DENSE_COLUMNS, NOBODY, STRIPE_ROWS, Positions, Tile
from snellen.vectors import UNIT_TOLERANCE

Float32Array = NDArray[np.float32]

BASIS_SLACK = 1e-9

DENSE_SHARE = 0.01
"""A tile with more candidates is multiplied out: gathering one pair costs as much as multiplying about 100."""

IN_MEMORY_BYTES = 256 << 20
"""Reduced rows beyond this are kept in a file, and mapped."""


def fit_basis(sample: NDArray[np.float16], k: int, seed: int) -> Float64Array:
    """Return about the k leading directions of a sample's second moment: float64 [dim, k], orthonormal columns.

    Args:
        sample: float16 [rows, dim].
        k: at least 1, at most dim.
        seed: of the search for them.
    """
    values = sample.astype(np.float32)
    basis = leading_directions((values.T @ values).astype(np.float64), k, seed)
    found = departure(basis)
    if not 4 * found < BASIS_SLACK:  # the bound rests on it
        raise ArithmeticError(f"the basis is not orthonormal: departure {found}")
    return basis


def survivor_rates(
    values: Float64Array, basis: Float64Array, prefixes: list[int], blind_min: float
) -> dict[int, float]:
    """Estimate, for each number of coordinates, the share of pairs whose bound exceeds the blind minimum.

    Args:
        values: float64 [rows, dim] of a sample of images, all of whose pairs are looked at.
        basis: float64 [dim, max(prefixes)], orthonormal columns, leading first.
        prefixes: numbers of coordinates.
        blind_min: the threshold.
    """
    upper = np.triu_indices(len(values), 1)
    rates = {}
    for k in prefixes:
        reduced = reduce_rows(values, basis[:, :k])
        bounds = (reduced @ reduced.T)[upper]
        rates[k] = float(np.mean(bounds > blind_min - rounding_slack(k + 1)))
    return rates


def reduce_rows(values: Float64Array, basis: Float64Array) -> Float32Array:
    """Reduce vectors to what the bound needs.

    Args:
        values: float64 [n, dim], of length at most 1 + UNIT_TOLERANCE.
        basis: float64 [dim, k], orthonormal columns.

    Returns:
        float32 [n, k + 1]: the coordinates, and the length of the rest, rounded up.
    """
    k = basis.shape[1]
    result = np.empty((len(values), k + 1), dtype=np.float32)
    prefix = values @ basis
    result[:, :k] = prefix
    squared = np.vecdot(values, values) - np.vecdot(prefix, prefix)
    rest = np.sqrt(np.maximum(squared, 0) + BASIS_SLACK)
    result[:, k] = np.nextafter(rest.astype(np.float32), np.float32(2))
    return result


def reduce_side(side: Side, basis: Float64Array, scratch: Path | None, threads: int = 1) -> Float32Array:
    """Reduce all vectors of one side: float32 [n, k + 1], in memory where it is small, else mapped from `scratch`.

    Raises:
        StorageError: the disk is full or not writable.
    """
    n, width = len(side), basis.shape[1] + 1
    starts = range(0, n, 4096)

    def reduced(start: int) -> Float32Array:
        return reduce_rows(side.block(start, min(start + 4096, n)), basis)

    if scratch is None or n * width * 4 <= IN_MEMORY_BYTES:
        result = np.empty((n, width), dtype=np.float32)
        for start, rows in in_order(starts, reduced, threads):
            result[start : start + 4096] = rows
        return result
    path = scratch / "prefix.f32"
    with storage.writing(path) as file:
        for _, rows in in_order(starts, reduced, threads):
            file.write(rows.tobytes())
    return np.memmap(path, dtype=np.float32, mode="r", shape=(n, width))


def rounding_slack(width: int) -> float:
    """Return how far the float32 product of two reduced rows may lie below the true bound.

    Args:
        width: numbers a reduced row, k + 1.
    """
    # The lengths: |[p, r]|^2 = |x|^2 + BASIS_SLACK; 1.05 covers their product, and the (1 + u) of rounding twice.
    return (width + 4) * 2.0**-24 * 1.05 * (1 + UNIT_TOLERANCE) ** 2 + 8 * BASIS_SLACK


class PrefixFilter:
    """Names the pairs whose upper bound exceeds the blind minimum.

    Args:
        reduced: float32 [n, k + 1], from `reduce_side`.
        blind_min: pairs with a blind cosine above it are never missed.
    """

    rows = STRIPE_ROWS
    columns = DENSE_COLUMNS
    left_out = NOBODY

    def __init__(self, reduced: Float32Array, blind_min: float) -> None:
        self._reduced = reduced
        lowered = np.float32(blind_min - rounding_slack(reduced.shape[1]))
        self._limit = np.nextafter(lowered, np.float32(-2))
        self._buffers = threading.local()

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        """Return the pairs of the tile that may pass, or None where they are more than DENSE_SHARE of it."""
        shape = (tile.row_stop - tile.row_start, tile.column_stop - tile.column_start)
        size = shape[0] * shape[1]
        bounds, above = self._space(size)
        rows = self._reduced[tile.row_start : tile.row_stop]
        columns = self._reduced[tile.column_start : tile.column_stop]
        np.matmul(rows, columns.T, out=bounds.reshape(shape))
        np.greater(bounds, self._limit, out=above)
        # On the diagonal every row is its own candidate; they are not pairs.
        allowed = DENSE_SHARE * size + (shape[0] if tile.on_diagonal else 0)
        if np.count_nonzero(above) > allowed:
            return None
        return tile.locate(np.flatnonzero(above))

    def _space(self, size: int) -> tuple[Float32Array, NDArray[np.bool_]]:
        """Return this thread's arrays for one tile; new ones each time would cost as much as the product."""
        held = getattr(self._buffers, "held", None)
        if held is None or len(held[0]) < size:
            held = self._buffers.held = (np.empty(size, dtype=np.float32), np.empty(size, dtype=np.bool_))
        return held[0][:size], held[1][:size]
