"""Painting in whole numbers: the same scene gives the same bytes on every machine, now and later.

Shapes are painted on a canvas twice as fine as the picture, in coordinates of the fine canvas, and averaged down. All
arithmetic is on integers, so no version of any library can change a pixel.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

SIZE: Final = 64
"""Width and height of a picture in pixels."""

FINE: Final = 2 * SIZE
"""Width and height of the canvas that is averaged down."""

Color = tuple[int, int, int]
Point = tuple[int, int]

_ROWS, _COLUMNS = np.ogrid[:FINE, :FINE]


class Canvas:
    """A canvas of FINE x FINE in RGB; every method paints over what is there."""

    def __init__(self) -> None:
        self.pixels: NDArray[np.int16] = np.zeros((FINE, FINE, 3), np.int16)

    def rectangle(self, left: int, top: int, right: int, bottom: int, color: Color) -> None:
        """Paint columns `left` to `right` - 1 and rows `top` to `bottom` - 1."""
        self.pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = color

    def ellipse(self, x: int, y: int, across: int, down: int, color: Color) -> None:
        """Paint an ellipse about (x, y) with the given half-axes."""
        rows, columns = _window(x - across, y - down, x + across + 1, y + down + 1)
        inside = (_COLUMNS[:, columns] - x) ** 2 * down**2 + (_ROWS[rows] - y) ** 2 * across**2 <= (across * down) ** 2
        self.pixels[rows, columns][inside] = color

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """Paint a convex polygon, corners in either direction of turn."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        rows, columns = _window(min(xs), min(ys), max(xs) + 1, max(ys) + 1)
        left = right = np.ones((1, 1), bool)
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
            side = (x1 - x0) * (_ROWS[rows] - y0) - (y1 - y0) * (_COLUMNS[:, columns] - x0)
            left, right = left & (side >= 0), right & (side <= 0)
        self.pixels[rows, columns][left | right] = color

    def picture(self, noise: NDArray[np.int16], brightness: int) -> NDArray[np.uint8]:
        """Average down to uint8 [SIZE, SIZE, 3], times `brightness` / 64, plus noise."""
        fine = self.pixels.reshape(SIZE, 2, SIZE, 2, 3)
        mean = (fine[:, 0, :, 0] + fine[:, 0, :, 1] + fine[:, 1, :, 0] + fine[:, 1, :, 1] + 2) // 4
        lit: NDArray[np.int16] = mean * np.int16(brightness) // 64 + noise
        return lit.clip(0, 255).astype(np.uint8)


def _window(left: int, top: int, right: int, bottom: int) -> tuple[slice, slice]:
    return slice(max(top, 0), min(bottom, FINE)), slice(max(left, 0), min(right, FINE))


def png(picture: NDArray[np.uint8]) -> bytes:
    """Encode uint8 [height, width, 3] as PNG, uncompressed.

    A compressor's output changes with its version, and with it the file's hash, by which Snellen names an image; one
    stored block does not.
    """
    height, width, _ = picture.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # the leading zero of a row: no filter
    rows[:, 1:] = picture.reshape(height, -1)
    data = rows.tobytes()
    assert len(data) <= 0xFFFF, "one stored block holds 65,535 bytes"
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data
    stored += struct.pack(">I", zlib.adler32(data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", stored) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
