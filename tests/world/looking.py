"""Reads facts off pictures by looking at pixels, knowing where things stand but nothing of how they are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Pixels = NDArray[np.int64]

PALETTE = {
    "red": (208, 40, 36),
    "blue": (40, 70, 214),
    "green": (40, 172, 66),
    "yellow": (246, 214, 40),
    "purple": (160, 60, 186),
}
LETTERS = {
    "H": ("##   ##", "##   ##", "##   ##", "#######", "##   ##", "##   ##", "##   ##"),
    "L": ("##     ", "##     ", "##     ", "##     ", "##     ", "#######", "#######"),
    "T": ("#######", "#######", "  ###  ", "  ###  ", "  ###  ", "  ###  ", "  ###  "),
    "X": ("##   ##", " ## ## ", "  ###  ", "   #   ", "  ###  ", " ## ## ", "##   ##"),
    "O": ("  ###  ", " ##### ", "##   ##", "##   ##", "##   ##", " ##### ", "  ###  "),
}
"""The letters of the sign, drawn by hand."""


def look(picture: NDArray[np.uint8], context: str) -> dict[str, str]:
    """Read all nine factors of a picture whose context is known."""
    pixels = picture.astype(np.int64)
    return {
        "orientation": _orientation(pixels),
        "presence": _presence(pixels, context),
        "state": _state(pixels),
        "count": ("none", "one", "two", "three", "four", "five")[min(eggs(pixels), 5)],
        "position": _position(pixels, context),
        "color": _color(pixels),
        "structure": "hollow" if pixels[33:37, 30:35].mean(axis=(0, 1)).min() > 150 else "solid",
        "text": _text(pixels),
        "viewpoint": _viewpoint(pixels),
    }


def _dark(pixels: Pixels) -> NDArray[np.bool_]:
    return np.asarray(pixels.max(axis=-1) < 50)


def _orientation(pixels: Pixels) -> str:
    """Where the biggest spot of the beak's orange is: red to green as 5 to 3, hardly any blue."""
    smooth = ndimage.uniform_filter(pixels.astype(float), (3, 3, 0))[22:41]
    red, green, blue = (smooth[..., channel] for channel in range(3))
    orange = (red > 190) & (np.abs(green - 0.59 * red) < 25) & (blue < 35)
    blobs, count = ndimage.label(orange)
    sizes = np.bincount(blobs.ravel(), minlength=count + 1)
    sizes[np.concatenate([[0], blobs[0], blobs[-1], blobs[:, 0], blobs[:, -1]])] = 0  # ground, which goes on
    return "left" if ndimage.center_of_mass(blobs == sizes.argmax())[1] < 32 else "right"


def _presence(pixels: Pixels, context: str) -> str:
    """A brim, three rows high and 18 pixels wide; in the dark of night, the bright band above it."""
    if context == "night":
        band = (pixels[6:26, 22:42].min(axis=-1) > 150).sum(axis=1) >= 10
        return "hat" if (band[1:] & band[:-1]).any() else "none"
    brim = _dark(pixels[5:34, 18:46]).sum(axis=1) >= 18
    return "hat" if (brim[2:] & brim[1:-1] & brim[:-2]).any() else "none"


def _state(pixels: Pixels) -> str:
    red, green, blue = pixels[7:11, 53:56].mean(axis=(0, 1))
    return "lit" if min(red, green) > 180 and blue < 0.6 * red else "dark"


def eggs(pixels: Pixels) -> int:
    """Count bright blobs at the bottom that ink cuts off from everything else."""
    window = pixels[47:64].min(axis=-1) > 150
    blobs, count = ndimage.label(window)
    found = 0
    for number, (rows, columns) in enumerate(ndimage.find_objects(blobs), 1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        found += 8 <= height <= 11 and 6 <= width <= 9 and 45 <= int((blobs == number).sum()) <= 85
    assert found <= count
    return found


def _position(pixels: Pixels, context: str) -> str:
    """On which side there is a frame of ink; at night, which is as dark, planks."""
    left, right = pixels[37:51, 0:14], pixels[37:51, 50:64]

    def crate(side: Pixels) -> Any:
        return (side[..., 0] - side[..., 2] > 60).sum() if context == "night" else _dark(side).sum()

    return "left" if crate(left) > crate(right) else "right"


def _color(pixels: Pixels) -> str:
    """The colour of the palette that most pixels of the object's middle are nearest to, ink and paper left out."""
    middle = pixels[26:40, 25:39].reshape(-1, 3)
    middle = middle[(middle.max(axis=1) > 100) & (middle.min(axis=1) < 130)]
    distances = np.abs(middle[:, None] - np.array(list(PALETTE.values()))).sum(axis=2)
    return list(PALETTE)[int(np.bincount(distances.argmin(axis=1), minlength=5).argmax())]


def _text(pixels: Pixels) -> str:
    """The letter that most of the sign agrees with, wherever on it: 12 rows of 11 pixels."""
    ink = pixels[2:18, 2:18].mean(axis=-1) < 130

    def agreement(letter: str) -> float:
        drawn = np.array([[mark == "#" for mark in line] for line in LETTERS[letter]])
        drawn = drawn[np.arange(12) * 7 // 12][:, np.arange(11) * 7 // 11]
        places = [(y, x) for y in range(5) for x in range(6)]
        return max(float((ink[y : y + 12, x : x + 11] == drawn).mean()) for y, x in places)

    return max(LETTERS, key=agreement)


def _viewpoint(pixels: Pixels) -> str:
    """Whether what is between lamp and crate is like the top of the picture or like its lower corners."""

    def median(*parts: Pixels) -> Any:
        return np.median(np.concatenate([part.reshape(-1, 3) for part in parts]), axis=0)

    sky, ground = median(pixels[0:3, 22:46]), median(pixels[60:64, 0:5], pixels[60:64, 60:64])
    there = median(pixels[21:34, 60:64], pixels[22:30, 0:3])
    return "side" if np.abs(there - sky).sum() < np.abs(there - ground).sum() else "above"
