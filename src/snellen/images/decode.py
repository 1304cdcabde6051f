"""The one place where images are decoded: any bytes in, an upright RGB picture or a status out.

"Right" means: the picture looks as a browser shows it, on a white page, but for colour profiles (ICC, gamma), which are
not applied: every pixel is what the file stores, turned to 8-bit RGB. The whole picture is decoded, never a draft.
What a decoder cannot notice we cannot either: bytes flipped inside a JPEG's scan decode to a wrong picture, status ok.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import Image

from snellen.images import exif, pixels, png
from snellen.images.formats import OPENERS, Opened, Reader, Unsupported, available
from snellen.images.quiet import quiet_pillow
from snellen.images.sniff import Kind, ends_early, sniff, webp_exif, webp_size
from snellen.records import FLAGS, Flag, Status


@dataclass(frozen=True)
class Limits:
    """What is not decoded, decided before any pixel is.

    `max_bytes` of the file; `max_pixels` of the picture, width times height (above 178,956,970 Pillow's own limits
    hold in some formats all the same); `min_side` in pixels, the shorter side.
    """

    max_bytes: int = 256 * 2**20
    max_pixels: int = 80_000_000
    min_side: int = 16


DEFAULT_LIMITS: Final = Limits()


class Decoded(NamedTuple):
    """What became of one image.

    `image` is an RGB picture where status is ok, else None. `width` and `height` are in pixels after rotation, and
    given whenever the header could be read. `flags` are in the order of `FLAGS`, and empty unless status is ok.
    """

    status: Status
    flags: tuple[Flag, ...] = ()
    width: int | None = None
    height: int | None = None
    image: Image.Image | None = None


# What Pillow raises on damaged files, gathered by years of fuzzing (its own and ours): nothing less will do.
_DAMAGE: Final = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    BufferError,
    RuntimeError,
    struct.error,
    zlib.error,
    png.Broken,
)
_NOT_FOR_US: Final = ("unsupported", "not supported", "not yet supported", "cannot handle", "unknown pixel mode")


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS, orientation: int | None = None) -> Decoded:
    """Decode an image file.

    JPEG (MPO too), PNG, WebP, GIF, BMP, TIFF, and AVIF where Pillow has it. EXIF orientation is applied; animations
    give their first frame, TIFFs their first page; transparency is laid on white.

    Safe in several threads at once, and leaves none of Pillow's settings changed.

    Args:
        data: the bytes of the file.
        limits: how large and how small is too much.
        orientation: EXIF orientation, 1 to 8, to apply where the file has none of its own.

    Returns:
        The picture, or the reason why there is none; never raises for any bytes, but for MemoryError.

        - `truncated`: the file ends before its picture does (a JPEG without its end mark, a PNG without its own).
        - `corrupt`: the format is known, the file is broken in some other way.
        - `not_an_image`: nothing, text, HTML, SVG, noise.
        - `unsupported`: an image that we do not decode: HEIC, JPEG 2000, 32-bit TIFF, 12-bit JPEG and the like.
        - `too_large`, `too_small`: beyond the limits.
    """
    if len(data) > limits.max_bytes:
        return Decoded("too_large")
    kind = sniff(data)
    if kind is None:
        return Decoded("not_an_image")
    if kind == "unsupported" or not available(kind):
        return Decoded("unsupported")
    with quiet_pillow():
        return _decode(kind, data, limits, orientation)


def _decode(kind: Kind, data: bytes, limits: Limits, orientation: int | None) -> Decoded:
    size = png.dimensions(data) if kind == "PNG" else webp_size(data) if kind == "WEBP" else None
    if kind == "WEBP" and size is not None and size[0] * size[1] > limits.max_pixels:
        # Here, because Pillow reserves the canvas while it opens the file.
        sideways = exif.turns_sides(exif.orientation_of(webp_exif(data)) or orientation)
        return Decoded("too_large", (), *(size[::-1] if sideways else size))
    reader = Reader(data, objects=kind in ("JPEG", "GIF", "BMP"))
    try:
        opened = OPENERS[kind](reader)
    except (Image.DecompressionBombError, Unsupported, png.EndsEarly, *_DAMAGE) as error:
        return Decoded(_why(error, kind, reader), (), *(size or (None, None)))
    own = opened.orientation if opened.orientation is not None else exif.valid(orientation)
    width, height = opened.width, opened.height
    if exif.turns_sides(own):
        width, height = height, width
    if width * height > limits.max_pixels:
        return Decoded("too_large", (), width, height)
    if min(width, height) < limits.min_side:
        return Decoded("too_small", (), width, height)
    reader.hit_end = False
    try:
        image, flags = _picture(kind, opened, own)
    except (Image.DecompressionBombError, Unsupported, pixels.UnsupportedPixels, png.EndsEarly, *_DAMAGE) as error:
        return Decoded(_why(error, kind, reader), (), width, height)
    return Decoded("ok", tuple(flag for flag in FLAGS if flag in flags), *image.size, image)


def _picture(kind: Kind, opened: Opened, orientation: int | None) -> tuple[Image.Image, set[Flag]]:
    """Decode, turn to RGB, complete the canvas, set upright."""
    image, flags = pixels.to_rgb(opened.picture(), opened.bits, opened.key, opened.white_is_zero)
    if not opened.stands and image.size != (opened.width, opened.height):
        canvas = Image.new("RGB", (opened.width, opened.height), pixels.WHITE)
        canvas.paste(image, opened.at)
        image = canvas
        flags.add("alpha")
    if kind == "GIF":  # Pillow shows one with an even grey palette as grey
        flags.add("palette")
    if opened.bits > 8:
        flags.add("sixteen_bit")
    if opened.animated:
        flags.add("animated")
    if orientation not in (None, 1):
        flags.add("exif_rotated")
    if not opened.stands or opened.orientation is None:
        image = exif.upright(image, orientation)
    return image, flags


def _why(error: Exception, kind: Kind, reader: Reader) -> Status:
    """Name the reason for a failure; the messages are Pillow's, and an unknown one means `corrupt`."""
    message = str(error).lower()
    if isinstance(error, Image.DecompressionBombError):
        return "too_large"
    if isinstance(error, (Unsupported, pixels.UnsupportedPixels)) or any(word in message for word in _NOT_FOR_US):
        return "unsupported"
    if isinstance(error, png.EndsEarly) or "truncated" in message or reader.hit_end:
        return "truncated"
    return "truncated" if ends_early(kind, reader.getvalue()) else "corrupt"
