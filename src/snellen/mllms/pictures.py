"""Images as endpoints take them: the file as it is where every endpoint shows it upright, else a PNG that it does."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Final

from PIL import Image

from snellen.images.decode import Limits, decode
from snellen.images.sniff import ends_early, gif_is_animated, sniff
from snellen.mllms.faults import Hopeless

MIME: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
"""What is sent as it is, unless EXIF turns it or it is animated: some endpoints heed EXIF, others do not."""

_SUSPECT: Final = (b"exif", b"actl", b"anim")
"""In lower case, what a file with EXIF or with an animation has somewhere within."""


def data_uri(data: bytes) -> str:
    """Return an image file as a data URI.

    Raises:
        Hopeless: it cannot be decoded.
    """
    kind = sniff(data)
    mime = MIME.get(kind or "")
    if mime is None or not _plain(kind, data):
        decoded = decode(data, Limits(min_side=1))
        if decoded.image is None:
            raise Hopeless(f"its image cannot be decoded ({decoded.status})")
        if mime is None or {"exif_rotated", "animated"} & set(decoded.flags):
            mime, data = MIME["PNG"], _png(decoded.image)
    return f"data:{mime};base64,{b64encode(data).decode('ascii')}"


def _plain(kind: object, data: bytes) -> bool:
    """Tell, without decoding it, whether a file of one of the four kinds is surely whole, upright and still.

    Decoding takes longer than all else that is done for a question, and few files need it.
    """
    if kind == "GIF":
        return not gif_is_animated(data) and not ends_early(kind, data)
    if kind == "PNG" and b"IEND" not in data[-16:]:
        return False
    small = data.lower()
    return not any(mark in small for mark in _SUSPECT) and not (kind in ("JPEG", "WEBP") and ends_early(kind, data))


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
