"""Images as endpoints take them: the file as it is where every endpoint shows it upright, else a PNG that it does."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Final

from PIL import Image

from snellen.images.decode import Limits, decode
from snellen.images.sniff import sniff
from snellen.mllms.faults import Hopeless

MIME: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
"""What is sent as it is, unless EXIF turns it or it is animated: some endpoints heed EXIF, others do not."""

GREY: Final = (127, 127, 127)


def data_uri(data: bytes) -> str:
    """Return an image file as a data URI.

    Raises:
        Hopeless: it cannot be decoded.
    """
    decoded = decode(data, Limits(min_side=1))
    if decoded.image is None:
        raise Hopeless(f"its image cannot be decoded ({decoded.status})")
    mime = MIME.get(sniff(data) or "")
    if mime is None or {"exif_rotated", "animated"} & set(decoded.flags):
        mime, data = MIME["PNG"], _png(decoded.image)
    return f"data:{mime};base64,{b64encode(data).decode('ascii')}"


def blank_like(data: bytes) -> bytes:
    """Return a mid-grey PNG file of the same upright size.

    Raises:
        Hopeless: the image cannot be decoded.
    """
    decoded = decode(data, Limits(min_side=1))
    if decoded.image is None:
        raise Hopeless(f"the image cannot be decoded ({decoded.status})")
    return _png(Image.new("RGB", decoded.image.size, GREY))


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
