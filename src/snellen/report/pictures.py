"""Thumbnails for the page, decoded as the encoders saw the images and packed into the page itself."""

from __future__ import annotations

import re
from base64 import b64encode
from io import BytesIO
from typing import NamedTuple
from urllib.parse import unquote

from snellen.images.decode import Limits, decode
from snellen.records import Image
from snellen.study_images import Gone, StudyImages

SIDE = 360
"""Longest side of a thumbnail in pixels."""

QUALITY = 82

INVISIBLE = re.compile(
    # controls, and the marks that would turn the reading direction of the rest of the page
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class Picture(NamedTuple):
    """One image on the page: `source` is a data URI, None where the picture cannot be shown and `missing` says why."""

    name: str
    label: str | None
    width: int | None
    height: int | None
    source: str | None
    missing: str | None


class Pictures:
    """Makes each image's thumbnail once."""

    def __init__(self, images: StudyImages) -> None:
        self._images = images
        self._made: dict[int, Picture] = {}

    def of(self, image: Image) -> Picture:
        """Return the image's thumbnail, or why there is none: it is gone, or is another image by now."""
        if image.row not in self._made:
            self._made[image.row] = self._make(image)
        return self._made[image.row]

    @property
    def missing(self) -> int:
        """How many images could not be shown."""
        return sum(picture.source is None for picture in self._made.values())

    def _make(self, image: Image) -> Picture:
        def picture(source: str | None, missing: str | None) -> Picture:
            return Picture(readable(image.uri), image.label, image.width, image.height, source, missing)

        try:
            ref, data = self._images.read(image)
        except Gone as gone:
            return picture(None, str(gone))
        decoded = decode(data, Limits(min_side=1), ref.orientation)
        if decoded.image is None:
            return picture(None, f"cannot be decoded any more ({decoded.status})")
        decoded.image.thumbnail((SIDE, SIDE))
        buffer = BytesIO()
        decoded.image.save(buffer, "JPEG", quality=QUALITY)
        return picture("data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode("ascii"), None)


def readable(uri: str) -> str:
    """Turn a percent-encoded URI into text for people, with everything invisible left percent-encoded.

    Example: `%E7%8C%AB%0A.jpg` becomes `猫%0A.jpg`.
    """
    text = unquote(uri, errors="surrogateescape")
    return INVISIBLE.sub(lambda match: "".join(f"%{byte:02X}" for byte in _bytes(match[0])), text)


def _bytes(character: str) -> bytes:
    return character.encode("utf-8", errors="surrogateescape")
