"""From any pixel layout that Pillow decodes to the RGB picture that a browser shows."""

from __future__ import annotations

import numpy as np
from PIL import Image

from snellen.records import Flag

WHITE = (255, 255, 255)


class UnsupportedPixels(Exception):
    """A pixel layout with no agreed appearance: 32-bit integers, floats, CIELAB."""


def to_rgb(
    image: Image.Image, bits: int = 8, key: tuple[int, ...] | None = None, white_is_zero: bool = False
) -> tuple[Image.Image, set[Flag]]:
    """Turn a decoded picture into RGB, transparency on white.

    Sixteen bits become eight by the nearest of 256 even steps (65535 to 255), not by clipping, as Pillow's own
    conversion does. CMYK is turned by `255 * (1 - c) * (1 - k)` for each channel, without colour profiles.

    Args:
        image: the decoded picture, any mode.
        bits: bits of a sample in the file, 1 to 16.
        key: the one colour that stands for transparent in a grey (one number) or RGB (three) picture, each number in
            0 to 2^bits - 1. With 16-bit RGB, of which Pillow keeps the upper byte, the upper bytes are compared.
        white_is_zero: the samples of a 16-bit grey picture count from white to black.

    Returns:
        The RGB picture, and which of `alpha`, `cmyk`, `palette` applied.

    Raises:
        UnsupportedPixels: the mode has no agreed appearance.
    """
    flags: set[Flag] = set()
    opaque = None if key is None else _opaque(image, bits, key)
    if image.mode.startswith("I;16"):
        image = _eight_bit(image, bits, white_is_zero)
    if image.mode in ("I", "F", "LAB", "HSV"):
        raise UnsupportedPixels(f"pixels of mode {image.mode}")
    if image.mode in ("P", "PA"):
        flags.add("palette")
    if image.mode == "CMYK":
        flags.add("cmyk")
    if opaque is None and image.has_transparency_data:
        if image.mode == "La":  # Pillow has no direct way from premultiplied grey to RGBA
            image = image.convert("LA")
        image = image.convert("RGBA")
        opaque = image.getchannel("A")
    rgb = image.convert("RGB")
    if opaque is not None:
        flags.add("alpha")
        rgb = on_white(rgb, opaque)
    return rgb, flags


def on_white(rgb: Image.Image, opaque: Image.Image) -> Image.Image:
    """Lay a picture on white, with its opacity as a picture of mode L (255 is opaque)."""
    canvas = Image.new("RGB", rgb.size, WHITE)
    canvas.paste(rgb, mask=opaque)
    return canvas


def _eight_bit(image: Image.Image, bits: int, white_is_zero: bool) -> Image.Image:
    """Scale 9- to 16-bit grey to 8 bits, by table: arithmetic on the pixels would take an array four times as large."""
    top = 2 ** (bits if 8 < bits <= 16 else 16) - 1
    steps = np.minimum(np.arange(65536, dtype=np.uint32), top)
    table = ((steps * 255 + top // 2) // top).astype(np.uint8)
    return Image.fromarray((255 - table if white_is_zero else table)[np.asarray(image)])


def _opaque(image: Image.Image, bits: int, key: tuple[int, ...]) -> Image.Image:
    """Opacity as a picture of mode L: 0 where the picture has the key colour, else 255."""
    if image.mode == "1":
        image = image.convert("L")
    pixels = np.asarray(image)
    key = tuple(number & (2**bits - 1) for number in key)  # PNG, section 11.3.2.1: higher bits count for nothing
    if image.mode == "RGB":
        wanted = np.array(key) >> (8 if bits == 16 else 0)
        same = (pixels == wanted).all(axis=2)
    elif image.mode == "L":
        same = pixels == key[0] * 255 // (2**bits - 1)
    else:
        same = pixels == key[0]
    return Image.fromarray(np.where(same, np.uint8(0), np.uint8(255)))
