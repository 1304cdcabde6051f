"""How far two sets of tokens are apart, measured by what mere nuisance does to them."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

FLOOR: Final = 0.01
"""Of the mean variance: directions with less count as if they had this."""


class Scale:
    """Squared Mahalanobis distance of tokens, [n, tokens, width], by the covariance of differences that are noise.

    A factor hides in directions in which little else varies; here they count as much as it can be read in them.
    """

    def __init__(self, noise: Tensor) -> None:
        flat = noise.float().flatten(1)
        values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
        self._whiten = vectors / values.clamp(min=float(values.mean()) * FLOOR).sqrt()

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the mean squared distance, a scalar."""
        apart: Tensor = (one - other).float().flatten(1) @ self._whiten
        return apart.square().mean()
