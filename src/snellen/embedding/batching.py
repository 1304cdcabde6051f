"""How many images go through the network at a time, when the user does not say."""

from __future__ import annotations

import numpy as np

from snellen.encoders.base import ImageEncoder

CPU_BATCH = 2
"""On a CPU, with one thread a batch, a ViT is as quick with 2 as with 16, and a convolutional network a
quarter quicker: what a
batch of 2 leaves behind fits the cache. Small batches also end together when few images are left."""

LARGEST_BATCH = 256
"""Beyond this a GPU gains nothing for the networks in use."""


def auto_batch_size(encoder: ImageEncoder, device: str) -> int:
    """Return a batch size that fits: 2 on a CPU, elsewhere the largest power of two up to 256 that memory holds.

    Raises:
        torch.OutOfMemoryError: not even one image fits.
    """
    if device == "cpu":
        return CPU_BATCH
    import torch
    from PIL import Image

    one = encoder.preprocess(Image.new("RGB", (256, 256), "gray"))
    size = LARGEST_BATCH
    while size > 1:
        try:
            encoder.embed(np.repeat(one[None], size, axis=0))
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            size //= 2
        else:
            return size
    return size
