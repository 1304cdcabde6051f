"""An encoder whose every answer can be worked out by hand, and pictures for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from snellen.encoders.base import FloatArray, Tokens, unit_rows

SHADES = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200), "grey": (90, 90, 90)}


class MeanColour:
    """Preprocessing: the picture, one pixel large."""

    def __call__(self, image: Image.Image) -> FloatArray:
        pixel = np.asarray(image.resize((1, 1), Image.Resampling.BOX), dtype=np.float32)
        return np.moveaxis(pixel, -1, 0)


class Colours:
    """Image vectors are mean colours; a sentence's vector is the axis of the first colour word in it, else grey."""

    def __init__(self, name: str = "own/colours", broken: str | None = None) -> None:
        self.name = name
        self.dim = 3
        self.fingerprint = "c0" * 32
        self.preprocess = MeanColour()
        self.broken = broken
        self.images = 0
        self.sentences: list[str] = []

    def embed(self, batch: FloatArray) -> FloatArray:
        self.images += len(batch)
        return unit_rows(batch[:, :, 0, 0] * (self.broken != "images"))

    def embed_text(self, texts: list[str]) -> FloatArray:
        self.sentences += texts
        axes = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}
        rows = [
            next((axes[word] for word in text.replace(".", "").split() if word in axes), (1, 1, 1)) for text in texts
        ]
        return unit_rows(np.array(rows, dtype=np.float32) * (self.broken != "texts"))

    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        raise NotImplementedError


class RedForBlue(Colours):
    """The same, but for pictures that are blue, which it takes for red ones."""

    def __init__(self) -> None:
        super().__init__("own/red-for-blue")
        self.fingerprint = "d0" * 32

    def embed(self, batch: FloatArray) -> FloatArray:
        found = super().embed(batch)
        blue = found.argmax(axis=1) == 2
        found[blue] = found[blue][:, ::-1]
        return found


def painted(folder: Path, shades: Sequence[tuple[str, str]]) -> Path:
    """Write a picture for each (label, shade), `<label>/000.png` and on; all differ by a pixel."""
    for number, (label, shade) in enumerate(shades):
        (folder / label).mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (40, 32), SHADES[shade])
        image.putpixel((number % 40, number // 40), (number % 7, 0, 0))
        image.save(folder / label / f"{number:03d}.png")
    return folder
