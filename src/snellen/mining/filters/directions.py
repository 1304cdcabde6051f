"""Orthonormal directions that hold most of some vectors' length."""

from __future__ import annotations

import numpy as np

from snellen.mining.join.exact import Float64Array

ROUNDS = 3


def leading_directions(moment: Float64Array, k: int, seed: int) -> Float64Array:
    """Return about the k leading eigenvectors of a symmetric matrix: float64 [d, k], orthonormal, the largest first.

    By subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4): a filter's bound needs them orthonormal, not
    exact, and this takes a tenth of the time.

    Args:
        moment: float64 [d, d], symmetric, no negative eigenvalues.
        k: at least 1, at most d.
        seed: of the start.
    """
    dim = len(moment)
    rng = np.random.default_rng([seed, 4])
    block = np.linalg.qr(rng.standard_normal((dim, min(k + 16, dim))))[0]
    rough = moment.astype(np.float32)
    for _ in range(ROUNDS):
        block = np.linalg.qr((rough @ block.astype(np.float32)).astype(np.float64))[0]
    _, inner = np.linalg.eigh(block.T @ moment @ block)
    directions: Float64Array = np.ascontiguousarray((block @ inner)[:, ::-1][:, :k])
    return directions


def departure(columns: Float64Array) -> float:
    """Return how far columns [d, k] are from orthonormal, in float64: an upper bound of |V'V - I| in the 2-norm."""
    return float(np.linalg.norm(columns.T @ columns - np.eye(columns.shape[1])))
