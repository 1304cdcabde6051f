"""Opening each of the formats that we decode, up to but not including the first pixel.

Pillow's readers are called by name, not through `Image.open`: nothing but these seven formats can be reached whatever
plug-ins another package has registered, an error says why (`Image.open` swallows it), and no limit of Pillow's comes
before ours.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from snellen.images import png
from snellen.images.exif import ORIENTATION, orientation_of, turns_sides, valid
from snellen.images.sniff import Kind, gif_is_animated

_BITS_PER_SAMPLE, _PHOTOMETRIC, _DNG_VERSION = 258, 262, 50706
_EXIF_ITEM: Final = re.compile(rb"(infe\x02.{7}|infe\x03.{9})Exif", re.DOTALL)

# Without a handler of its own, Pillow's log of what is wrong with a TIFF would land on the user's terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class Unsupported(Exception):
    """A real image, in a variant that we do not decode."""


@dataclass(frozen=True)
class Opened:
    """A file whose header was read.

    `width` and `height` are those of the canvas as it lies in the file, in pixels; `at` is the top left corner of the
    picture on it. `orientation` is the file's own, None where it has none; `stands` tells that `picture` comes out
    upright already. `bits`, `key` and `white_is_zero` are as in `to_rgb`.
    """

    width: int
    height: int
    picture: Callable[[], Image.Image]
    orientation: int | None = None
    stands: bool = False
    animated: bool = False
    bits: int = 8
    key: tuple[int, ...] | None = None
    white_is_zero: bool = False
    at: tuple[int, int] = (0, 0)


class Reader(io.BytesIO):
    """A file in memory that remembers, and can object, when it is read at its end.

    Pillow completes cut-off pictures with grey where someone set `ImageFile.LOAD_TRUNCATED_IMAGES`, as training scripts
    do; an objection raised from here is heard all the same.
    """

    def __init__(self, data: bytes, objects: bool = False) -> None:
        super().__init__(data)
        self.hit_end = False
        self._objects = objects

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as any file does."""
        found = super().read(size)
        if not found and size != 0:
            self.hit_end = True
            if self._objects:
                raise EOFError("the file ends early")
        return found


def _open_jpeg(reader: Reader) -> Opened:
    """JPEG; the first picture of an MPO, which phones write for depth and gain maps, is one too."""
    image = JpegImagePlugin.JpegImageFile(reader)
    return Opened(*image.size, _loader(image), orientation_of(image.info.get("exif")))


def _open_png(reader: Reader) -> Opened:
    data = reader.getvalue()
    found = png.read_chunks(data)

    def picture() -> Image.Image:
        image = PngImagePlugin.PngImageFile(io.BytesIO(png.still_picture(data, found)))
        image.load()
        return image

    return Opened(
        found.width,
        found.height,
        picture,
        orientation_of(found.exif),
        animated=found.animated,
        bits=found.bits,
        key=found.key,
        at=found.at,
    )


def _open_webp(reader: Reader) -> Opened:
    image = WebPImagePlugin.WebPImageFile(reader)
    return Opened(*image.size, _loader(image), orientation_of(image.info.get("exif")), animated=image.is_animated)


def _open_gif(reader: Reader) -> Opened:
    """GIF: the first frame may cover a part of the canvas; Pillow fills the rest, browsers leave it transparent."""
    image = GifImagePlugin.GifImageFile(reader)
    box: tuple[int, int, int, int] = image.dispose_extent or (0, 0, *image.size)

    def picture() -> Image.Image:
        image.load()
        return image if box == (0, 0, *image.size) else image.crop(box)

    return Opened(*image.size, picture, animated=gif_is_animated(reader.getvalue()), at=(box[0], box[1]))


def _open_bmp(reader: Reader) -> Opened:
    image = BmpImagePlugin.BmpImageFile(reader)

    def picture() -> Image.Image:
        image.load()
        # An alpha channel of zeros throughout is one that the writer left unset; browsers show such pictures opaque.
        return image.convert("RGB") if image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0) else image

    return Opened(*image.size, picture)


def _open_tiff(reader: Reader) -> Opened:
    """TIFF: the first page. Pillow sets it upright itself while loading."""
    image = TiffImagePlugin.TiffImageFile(reader)
    tags = image.tag_v2
    if _DNG_VERSION in tags:
        raise Unsupported("camera raw, of which only a thumbnail could be shown")
    orientation = valid(image.getexif().get(ORIENTATION))
    bits = tags.get(_BITS_PER_SAMPLE, (1,))
    # The reader has given a size that stands upright by the tag alone; the canvas is as it lies in the file.
    width, height = image.size
    if turns_sides(valid(tags.get(ORIENTATION))):
        width, height = height, width

    return Opened(
        width,
        height,
        _loader(image),
        orientation,
        stands=True,
        bits=max(bits) if isinstance(bits, tuple) else int(bits),
        white_is_zero=tags.get(_PHOTOMETRIC) == 0,
    )


def _open_avif(reader: Reader) -> Opened:
    """AVIF: its own rotation and mirror boxes count, and EXIF does not, as the format demands.

    Pillow gives the boxes as an EXIF orientation, but parses EXIF first and fails where that is damaged: EXIF items
    are renamed, so that it finds none.
    """
    data = reader.getvalue()
    start = data.find(b"meta", 8, 4096)
    size = int.from_bytes(data[start - 4 : start], "big") if start > 0 else 0
    items = _EXIF_ITEM.sub(rb"\1skip", data[start : start + size])
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data[:start] + items + data[start + size :]) if size else reader)
    return Opened(*image.size, _loader(image), orientation_of(image.info.get("exif")), animated=image.is_animated)


def _loader(image: Image.Image) -> Callable[[], Image.Image]:
    def picture() -> Image.Image:
        image.load()
        return image

    return picture


def available(kind: Kind) -> bool:
    """Tell whether this Pillow was built with the decoder."""
    return kind not in ("WEBP", "AVIF") or bool(features.check(kind.lower()))


OPENERS: Final[Mapping[Kind, Callable[[Reader], Opened]]] = {
    "JPEG": _open_jpeg,
    "PNG": _open_png,
    "WEBP": _open_webp,
    "GIF": _open_gif,
    "BMP": _open_bmp,
    "TIFF": _open_tiff,
    "AVIF": _open_avif,
}
