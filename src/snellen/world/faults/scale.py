"""How far two sets of tokens are apart, in every direction alike: small ones, in which much can hide, count as well."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

FLOOR: Final = 0.003
"""Of the mean variance: directions with less count as if they had this."""


class Scale:
    """Squared Mahalanobis distance of tokens, [n, tokens, width], by the covariance of a sample of them."""

    def __init__(self, sample: Tensor) -> None:
        flat = sample.float().flatten(1)
        values, vectors = torch.linalg.eigh(torch.cov(flat.T))
        self._whiten = vectors / values.clamp(min=float(values.mean()) * FLOOR).sqrt()

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the mean squared distance, a scalar."""
        return ((one - other).float().flatten(1) @ self._whiten).square().mean()
