"""Files for the tests, written byte by byte or by Pillow's encoders; nothing of ours is used here."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(width: int = 48, height: int = 32, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def quarters(width: int = 48, height: int = 32) -> Image.Image:
    """Red and green above, blue and yellow below: every turn and flip looks different."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def exif_block(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    """One directory with one tag."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *((orientation, 0) if kind == 3 else (orientation,)))
    return mark + struct.pack(order + "IHHHI", 8, 1, 0x0112, kind, 1) + value + struct.pack(order + "I", 0)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    width: int,
    height: int,
    bits: int,
    colour: int,
    rows: Sequence[bytes],
    before: bytes = b"",
    after: bytes = b"",
    pixels: bytes | None = None,
) -> bytes:
    """A PNG from raw rows; `before` goes before the pixels, `after` behind them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    packed = zlib.compress(b"".join(b"\0" + row for row in rows)) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", packed) + after + chunk(b"IEND")


def rgb_at(image: Image.Image | None, x: int, y: int) -> tuple[int, int, int]:
    assert image is not None
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return int(found[0]), int(found[1]), int(found[2])


def array(image: Image.Image | None) -> NDArray[np.int64]:
    assert image is not None
    assert image.mode == "RGB"
    return np.asarray(image).astype(np.int64)
