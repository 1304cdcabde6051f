"""The tiny encoders of the miniature world, which come with the package: `world/clip` and `world/vision-only`.

They are transformers checkpoints like any other, and are loaded by the same code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import snellen
from snellen.encoders import transformers
from snellen.encoders.choices import closest
from snellen.errors import UsageError

if TYPE_CHECKING:
    from snellen.encoders.torch_encoder import TorchEncoder

MODELS = Path(snellen.__file__).parent / "world" / "models"
"""Where the shipped checkpoints lie; MODEL_CARD.md beside them says how they were made."""

NAMES = ("clip", "vision-only")


def load(name: str, model: str, weights: str | None, *, device: str, dtype: str, threads: int | None) -> TorchEncoder:
    """Load `world/clip` or `world/vision-only`.

    Raises:
        UsageError: there is no such encoder, or weights are named too.
    """
    if model not in NAMES or weights is not None:
        raise UsageError(f"unknown encoder {name!r}: the world has {closest(model, NAMES)}, and no other weights")
    return transformers.load(name, str(MODELS / model), None, device=device, dtype=dtype, threads=threads)
