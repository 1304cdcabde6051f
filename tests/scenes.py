"""Simple scenes in threes: the same shapes in other places, so that colours are equal and layouts are not."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

from PIL import Image, ImageDraw

SIZE: Final = 128
"""Width and height of a scene in pixels."""

LAYOUTS: Final = 3
"""Scenes drawn of each set of shapes."""

_GROUNDS = ["#f4efe6", "#dfe8ec", "#e9e2f0", "#e4eadb", "#2f3640", "#f7dcd0"]
_COLOURS = ["#c0392b", "#2471a3", "#1e8449", "#d68910", "#7d3c98", "#17202a", "#e84393", "#16a085"]
_KINDS = ["disc", "square", "triangle", "bar"]
_CELLS = [(x, y) for x in (8, 48, 88) for y in (8, 48, 88)]
_SHAPE = 32


def draw_scenes(folder: Path, count: int = 300, seed: int = 0) -> list[Path]:
    """Draw `count` scenes as PNG files `scene-000.png` and on; equal seeds give equal pictures.

    Scenes 3k, 3k + 1 and 3k + 2 show the same shapes in different places.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = Random(seed)
    paths = []
    for start in range(0, count, LAYOUTS):
        ground = random.choice(_GROUNDS)
        shapes = [(random.choice(_KINDS), colour) for colour in random.sample(_COLOURS, random.randint(2, 4))]
        for index in range(start, min(start + LAYOUTS, count)):
            scene = Image.new("RGB", (SIZE, SIZE), ground)
            pen = ImageDraw.Draw(scene)
            for (kind, colour), (x, y) in zip(shapes, random.sample(_CELLS, len(shapes)), strict=True):
                _draw(pen, kind, colour, x, y)
            paths.append(folder / f"scene-{index:03d}.png")
            scene.save(paths[-1])
    return paths


def _draw(pen: ImageDraw.ImageDraw, kind: str, colour: str, x: int, y: int) -> None:
    box = (x, y, x + _SHAPE, y + _SHAPE)
    if kind == "disc":
        pen.ellipse(box, fill=colour)
    elif kind == "square":
        pen.rectangle(box, fill=colour)
    elif kind == "triangle":
        pen.polygon([(x, y + _SHAPE), (x + _SHAPE, y + _SHAPE), (x + _SHAPE // 2, y)], fill=colour)
    else:
        pen.rectangle((x, y + _SHAPE // 3, x + _SHAPE, y + 2 * _SHAPE // 3), fill=colour)
