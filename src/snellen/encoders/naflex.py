"""SigLIP 2 NaFlex: native aspect ratio, packed into one array of fixed size.

A picture is resized to a grid of patches that keeps its proportions and holds at most `max_num_patches`. The network
takes patches, a mask and the grid's shape; the protocol has one float32 array a picture. So they are packed:

    packed[:, 0, 0], packed[:, 0, 1]   grid height and width (the rest of row 0 is zero)
    packed[c, 1 + k, i]                channel c of pixel i of patch k, row-major; zero beyond the grid

which is [3, 1 + max_num_patches, patch_size ** 2]. The mask follows from the grid. Pillow and NumPy only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from snellen.encoders.base import FloatArray
from snellen.encoders.pixels import Filter, Pixels

if TYPE_CHECKING:
    from torch import Tensor

NAFLEX_VERSION = 1
"""Goes into fingerprints; raise it when the same recipe starts to give other pixels."""


@dataclass(frozen=True)
class NaflexPixels:
    """The preprocessing of SigLIP 2 NaFlex (arXiv 2502.14786, section 2.4.2), packed as the module says."""

    patch_size: int
    max_num_patches: int
    filter: Filter
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rescale: float = 1 / 255

    def __call__(self, image: Image.Image) -> FloatArray:
        """Return the packed picture: float32 [3, 1 + max_num_patches, patch_size ** 2]."""
        side = self.patch_size
        height, width = self._grid_pixels(image.height, image.width)
        exact = Pixels(
            resize="exact",
            resize_to=(height, width),
            filter=self.filter,
            crop="none",
            size=(height, width),
            mean=self.mean,
            std=self.std,
            rescale=self.rescale,
        )
        rows, columns = height // side, width // side
        patches = exact(image).reshape(3, rows, side, columns, side).transpose(0, 1, 3, 2, 4)
        packed = np.zeros((3, 1 + self.max_num_patches, side * side), dtype=np.float32)
        packed[:, 0, 0], packed[:, 0, 1] = rows, columns
        packed[:, 1 : 1 + rows * columns] = patches.reshape(3, rows * columns, side * side)
        return packed

    def recipe(self) -> dict[str, Any]:
        """Return all settings as JSON data, for the fingerprint."""
        return {"naflex": NAFLEX_VERSION, **asdict(self)}

    def _grid_pixels(self, height: int, width: int) -> tuple[int, int]:
        """Find the largest scale that keeps within the patches: the bisection of big_vision and transformers."""
        low, high, tolerance = 1e-6, 100.0, 1e-5
        while high - low >= tolerance:
            scale = (low + high) / 2
            rows, columns = (self._scaled(side, scale) // self.patch_size for side in (height, width))
            low, high = (scale, high) if rows * columns <= self.max_num_patches else (low, scale)
        return self._scaled(height, low), self._scaled(width, low)

    def _scaled(self, side: int, scale: float) -> int:
        return max(self.patch_size, ceil(side * scale / self.patch_size) * self.patch_size)


def unpack(packed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Undo the packing of a batch: float32 [n, 3, 1 + p, s * s].

    Returns:
        What the network takes: patches [n, p, s * s * 3] with the channels last in each patch, the mask int64 [n, p]
        (1 in the grid, 0 in the padding) and the grids' heights and widths int64 [n, 2].
    """
    import torch

    grids = packed[:, 0, 0, :2].long()
    patches = packed[:, :, 1:].permute(0, 2, 3, 1).flatten(2)
    order = torch.arange(patches.shape[1], device=packed.device)
    return patches, (order < grids.prod(dim=1, keepdim=True)).long(), grids
