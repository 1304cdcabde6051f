"""An encoder ready for both towers' work, and what is known of how it computes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from snellen.encoders.base import ImageTextEncoder
from snellen.errors import Unsupported
from snellen.providers import load_encoder, resolve_device

CPU_BATCH = 2
"""As in `snellen.embedding`: what a batch of 2 leaves behind fits the cache of a core."""

DEVICE_BATCH = 64


@dataclass(frozen=True)
class Loaded:
    """An encoder, and how many batches may go through it at a time; `device` and `dtype` are None for one's own."""

    encoder: ImageTextEncoder
    device: str | None
    dtype: str | None
    streams: int

    @property
    def batch_size(self) -> int:
        """Images at a time where the user does not say."""
        return CPU_BATCH if self.device in (None, "cpu") else DEVICE_BATCH


@contextmanager
def loaded(encoder: str | ImageTextEncoder, device: str, dtype: str) -> Iterator[Loaded]:
    """Load an encoder by name, for the block; one of the user's own is taken as it is.

    On a CPU every batch is computed by one thread, and as many batches at a time as there are cores: rows do not depend
    on the number of cores. Torch's threads, which are the whole process's, are afterwards as before.

    Raises:
        UsageError: unknown name, device or dtype.
        EncoderError: the model cannot be loaded.
        Unsupported: it has no text tower.
    """
    if not isinstance(encoder, str):
        yield Loaded(_dual(encoder, encoder.name), None, None, 1)
        return
    place = resolve_device(device)
    before = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else os.cpu_count() or 1
    try:
        found = load_encoder(encoder, device=place, dtype=dtype, threads=1 if place == "cpu" else None)
        streams = (os.cpu_count() or 1) if place == "cpu" else 1
        yield Loaded(_dual(found, encoder), place.partition(":")[0], dtype, streams)
    finally:
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(before)


def _dual(encoder: object, name: str) -> ImageTextEncoder:
    if not isinstance(encoder, ImageTextEncoder):
        raise Unsupported(
            f"{name} has no text tower, so it cannot tell which name fits a picture: use an image-text encoder, "
            "such as open_clip/ViT-L-14-quickgelu@openai or world/clip."
        )
    return encoder
