"""What the torch providers share: from NumPy batches to unit rows, and the fingerprint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from snellen.encoders.base import FloatArray, Tokens, unit_rows
from snellen.encoders.fingerprint import of_tensors
from snellen.errors import EncoderError, Unsupported

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PROBE_SIZE = (96, 64)


class Recipe(Protocol):
    """A preprocessing that can be written down."""

    def __call__(self, image: Image.Image) -> FloatArray:
        """Return the picture as float32 [3, H, W]."""

    def recipe(self) -> dict[str, Any]:
        """Return all settings as JSON data."""


class TorchEncoder(ABC):
    """An image encoder around a torch module: evaluation mode, no gradients, no autocast.

    The module itself is cast to the compute dtype. Subclasses say how to pool and where the patch tokens are.
    """

    def __init__(
        self,
        *,
        name: str,
        model: torch.nn.Module,
        preprocess: Recipe,
        recipe: Mapping[str, Any],
        device: str,
        dtype: str,
    ) -> None:
        """Move the module to its device and dtype, and embed one grey picture to learn the dimension.

        Args:
            name: The model's name as the user gave it.
            model: The module with its weights.
            preprocess: Its preprocessing.
            recipe: Architecture and pooling as JSON data, for the fingerprint.
            device: A torch device.
            dtype: The compute dtype, `float32`, `float16` or `bfloat16`.

        Raises:
            EncoderError: the network does not take what its preprocessing gives.
        """
        import torch

        self.name = name
        self.preprocess = preprocess
        self._device = torch.device(device)
        self._dtype: torch.dtype = getattr(torch, dtype)
        self._model = model.to(device=self._device, dtype=self._dtype).eval().requires_grad_(False)
        self.fingerprint = of_tensors(
            {**recipe, "preprocess": preprocess.recipe(), "dtype": dtype}, self._model.state_dict()
        )
        try:
            self.dim = self._rows(preprocess(Image.new("RGB", PROBE_SIZE, "grey"))[None]).shape[1]
        except (RuntimeError, ValueError, AssertionError) as error:
            raise EncoderError(f"{name} cannot embed a picture that its own preprocessing prepared: {error}") from error

    def embed(self, batch: FloatArray) -> FloatArray:
        """Embed float32 [n, 3, H, W], made by `preprocess`, to unit rows float32 [n, dim].

        Raises:
            FloatingPointError: a vector is zero or not finite (float16 overflows in some networks).
        """
        return unit_rows(self._rows(batch))

    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        """Return the patch tokens of float32 [n, 3, H, W], without class and register tokens.

        Args:
            batch: Pixels, made by `preprocess`.
            layer: Transformer block, from 0, or from the end with negative numbers. The last one is given after the
                final norm, as the network's own head sees it; all others as they leave the block.

        Raises:
            Unsupported: the network has no patch tokens, or no such block.
        """
        import torch

        with torch.inference_mode():
            values, grid_height, grid_width = self._patches(self._pixels(batch), layer)
            return Tokens(self._array(values), grid_height, grid_width)

    @abstractmethod
    def _pool(self, pixels: Tensor) -> Tensor:
        """Return one vector per picture: [n, dim]."""

    @abstractmethod
    def _patches(self, pixels: Tensor, layer: int) -> tuple[Tensor, int, int]:
        """Return patch tokens [n, grid_height * grid_width, width], grid height and grid width."""

    def _pixels(self, batch: FloatArray) -> Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(batch, dtype=np.float32)).to(self._device, self._dtype)

    def _rows(self, batch: FloatArray) -> FloatArray:
        import torch

        with torch.inference_mode():
            return self._array(self._pool(self._pixels(batch)))

    @staticmethod
    def _array(values: Tensor) -> FloatArray:
        array: FloatArray = values.float().cpu().numpy()
        return array


def block_index(layer: int, blocks: int, name: str) -> int:
    """Return which block `layer` means, from 0.

    Raises:
        Unsupported: there is no such block.
    """
    if not -blocks <= layer < blocks:
        raise Unsupported(f"{name} has {blocks} blocks: layer must be from {-blocks} to {blocks - 1}, not {layer}")
    return layer % blocks


def set_threads(threads: int | None) -> None:
    """Set torch's CPU threads for the whole process; None leaves them."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
