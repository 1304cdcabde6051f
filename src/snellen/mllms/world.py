"""The tiny multimodal LLMs of the miniature world, which come with the package: `world/mllm-clip` and so on.

They are transformers checkpoints like any other, and are loaded by the same code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import snellen
from snellen.encoders.choices import closest
from snellen.errors import UsageError
from snellen.mllms import transformers
from snellen.mllms.base import Compute, Decoding, Traffic

if TYPE_CHECKING:
    from snellen.mllms.transformers import TransformersModel

MODELS: Final = Path(snellen.__file__).parent / "world" / "models"
"""Where the shipped checkpoints lie; MODEL_CARD.md beside them says how they were made."""

NAMES: Final = ("mllm-clip", "mllm-vision-only", "mllm-additive-0.5", "mllm-interleaved")


def load(
    name: str, model: str, weights: str | None, *, decoding: Decoding, compute: Compute, traffic: Traffic
) -> TransformersModel:
    """Load one of the tiny multimodal LLMs.

    Raises:
        UsageError: there is no such model, or weights are named too.
        ModelError: its files are damaged.
    """
    if model not in NAMES or weights is not None:
        raise UsageError(f"unknown model {name!r}: the world has {closest(model, NAMES)}, and no other weights")
    return transformers.load(name, str(MODELS / model), None, decoding=decoding, compute=compute, traffic=traffic)
