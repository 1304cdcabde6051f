"""What an encoder is: two small protocols that every provider fulfils.

The encoder owns its preprocessing and tells its dimensions. Arrays are NumPy on the outside; what a provider uses
inside (torch, ONNX) is its own affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


class Preprocess(Protocol):
    """Turns a decoded RGB picture into what the network takes.

    A separate, picklable object, because it runs in the decode workers, which never hold the network.
    """

    def __call__(self, image: Image) -> FloatArray:
        """Return the picture as float32 [3, H, W], normalised as the network expects."""


class Tokens(NamedTuple):
    """Patch tokens of a batch: `values` float32 [n, grid_height * grid_width, width], row-major over the grid."""

    values: FloatArray
    grid_height: int
    grid_width: int


@runtime_checkable
class ImageEncoder(Protocol):
    """Image to unit vector, and to patch tokens where the architecture has them."""

    @property
    def name(self) -> str:
        """The model's name as the user gave it, `provider/model[@weights]`."""

    @property
    def dim(self) -> int:
        """Length of the embedding."""

    @property
    def fingerprint(self) -> str:
        """64 hex digits over weights, architecture, pooling, preprocessing and compute dtype."""

    @property
    def preprocess(self) -> Preprocess:
        """The encoder's own preprocessing."""

    def embed(self, batch: FloatArray) -> FloatArray:
        """Embed float32 [n, 3, H, W], made by `preprocess`, to unit rows float32 [n, dim]."""

    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        """Return the patch tokens after transformer block `layer` (-1: as the network's own head sees them).

        Raises:
            Unsupported: the network has no patch tokens.
        """


@runtime_checkable
class ImageTextEncoder(ImageEncoder, Protocol):
    """A CLIP-like dual encoder: images and texts in one space."""

    def embed_text(self, texts: list[str]) -> FloatArray:
        """Embed texts to unit rows float32 [n, dim]; longer texts are cut as the model's own tokenizer does."""


@runtime_checkable
class ShowsTokens(Protocol):
    """An image-text encoder that shows what its tokenizer makes of texts. All of ours do; your own need not."""

    def token_ids(self, texts: list[str]) -> IntArray:
        """Return what `embed_text` gives to the network: int64 [n, length], cut and padded to one length."""


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Scale every row of float [n, dim] to length 1, computing in float64.

    Raises:
        FloatingPointError: a row is zero or not finite, which no cosine can be taken of.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        bad = int(np.flatnonzero(~np.isfinite(lengths) | (lengths <= 0))[0])
        raise FloatingPointError(f"row {bad} of the batch has no direction: its length is {lengths[bad]}")
    unit: FloatArray = (rows / lengths[:, None]).astype(np.float32)
    return unit
