"""One thread for all that runs tiny networks here: they gain nothing from more, and lose where cores are busy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def parts() -> tuple[Any, Any, Any]:
    """CLIP, vision-only encoder and language model, random but lively: what they say depends on what they see."""
    import torch

    from snellen.world.nets import build
    from tests.encoders.checkpoints import randomise

    torch.manual_seed(1)
    built = (build.image_text_encoder(), build.vision_only_encoder(), build.language_model())
    strengths = (0.2, 0.2, 0.1)
    return tuple(randomise(model, strength=strength).eval() for model, strength in zip(built, strengths, strict=True))
