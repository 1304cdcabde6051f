"""Pictures of awkward sizes, the same every time."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIZES = ((97, 61), (61, 97), (40, 211), (301, 43), (64, 64), (19, 17), (128, 127))


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """A smooth picture with noise on it, so that every filter and rounding rule shows."""
    random = np.random.default_rng((seed, width, height))
    y, x = np.mgrid[0:height, 0:width]
    waves = [
        np.sin(x / random.uniform(2, 20) + random.uniform(0, 6)) * np.cos(y / random.uniform(2, 20)) for _ in "rgb"
    ]
    values = 128 + 80 * np.stack(waves, axis=-1) + random.normal(0, 25, (height, width, 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8), "RGB")


PICTURES = [picture(width, height) for width, height in SIZES]
