"""EXIF orientation, read by hand: the one tag that changes what a person sees.

Pillow reads it too, but warns or raises on damaged blocks and also believes XMP, which browsers do not.
"""

from __future__ import annotations

import struct
from typing import Final

from PIL import Image

ORIENTATION: Final = 0x0112
_SHORT, _LONG = 3, 4

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(block: object) -> int | None:
    """Find the orientation in a raw EXIF block.

    Args:
        block: the bytes of the block, with or without the leading `Exif` and two zeros; anything else is no block.

    Returns:
        1 to 8, or None where the block has no valid orientation, however damaged it is.
    """
    if not isinstance(block, bytes):
        return None
    while block.startswith(b"Exif\0\0"):
        block = block[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, first)
        for position in range(first + 2, first + 2 + 12 * count, 12):
            tag, kind, _ = struct.unpack_from(order + "HHI", block, position)
            if tag == ORIENTATION:
                shape = {_SHORT: "H", _LONG: "I"}.get(kind)
                if shape is None:
                    return None
                return valid(struct.unpack_from(order + shape, block, position + 8)[0])
    except struct.error:  # the block ends before the tag: as good as none
        return None
    return None


def valid(orientation: object) -> int | None:
    """Return the orientation if it is one of 1 to 8, else None."""
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else None


def turns_sides(orientation: int | None) -> bool:
    """Tell whether width and height change places when the picture is set upright."""
    return orientation in (5, 6, 7, 8)


def upright(image: Image.Image, orientation: int | None) -> Image.Image:
    """Rotate and flip a picture so that it stands as the photographer saw it; 1 and None leave it alone."""
    method = _UPRIGHT.get(orientation or 1)
    return image if method is None else image.transpose(method)
