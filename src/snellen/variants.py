"""Variants of an image that leave every true answer as it is: does the model say the same when nothing changes?

A variant is named by what is done and a seed (`crop-0`), and is the same bytes everywhere with the same Pillow. Nothing
is mirrored or turned, no colour is changed and nothing is covered, since answers may hang on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from random import Random
from typing import Final

from PIL import Image

from snellen.errors import StudyError, UsageError
from snellen.images.decode import Limits, decode

NAME: Final = re.compile(r"([a-z]+)-(0|[1-9][0-9]{0,8})")


def _crop(picture: Image.Image, random: Random) -> Image.Image:
    """Take away up to 2 % at each side."""
    left, right = (round(picture.width * random.uniform(0, 0.02)) for _ in "lr")
    top, bottom = (round(picture.height * random.uniform(0, 0.02)) for _ in "tb")
    return picture.crop((left, top, picture.width - right, picture.height - bottom))


def _pad(picture: Image.Image, random: Random) -> Image.Image:
    """Put it on a slightly larger grey page."""
    wide, high = (round(side * random.uniform(1.02, 1.06)) for side in picture.size)
    page = Image.new("RGB", (wide, high), (127, 127, 127))
    page.paste(picture, (random.randint(0, wide - picture.width), random.randint(0, high - picture.height)))
    return page


def _resize(picture: Image.Image, random: Random) -> Image.Image:
    """Scale by 0.9 to 1.1, both sides alike."""
    by = random.uniform(0.9, 1.1)
    size = max(1, round(picture.width * by)), max(1, round(picture.height * by))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _jpeg(picture: Image.Image, random: Random) -> Image.Image:
    """Compress as JPEG of quality 75 to 95, without thinning out colours."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=random.randint(75, 95), subsampling=0)
    with Image.open(BytesIO(file.getvalue()), formats=["JPEG"]) as again:
        return again.convert("RGB")


VARIANTS: Final[dict[str, Callable[[Image.Image, Random], Image.Image]]] = {
    "crop": _crop,
    "pad": _pad,
    "resize": _resize,
    "jpeg": _jpeg,
}
"""What can be done to an image."""


def check(name: str) -> str:
    """Return the name of a variant.

    Raises:
        UsageError: there is no such variant.
    """
    found = NAME.fullmatch(name)
    if found is None or found[1] not in VARIANTS:
        raise UsageError(f"There is no variant {name!r}: give one of {', '.join(VARIANTS)} with a seed, as crop-0.")
    return name


def upright(data: bytes, what: str) -> Image.Image:
    """Decode an image.

    Raises:
        StudyError: it cannot be decoded.
    """
    decoded = decode(data, Limits(min_side=1))
    if decoded.image is None:
        raise StudyError(f"{what} cannot be decoded ({decoded.status}): take its pair out of the benchmark.")
    return decoded.image


def variant(data: bytes, name: str, image_id: str) -> bytes:
    """Make a variant of an image file: a PNG file. The seed and the image together decide what chance decides.

    Raises:
        StudyError: the image cannot be decoded.
        UsageError: there is no such variant.
    """
    kind = check(name).partition("-")[0]
    seed = int.from_bytes(sha256(f"{name}/{image_id}".encode()).digest()[:8], "big")
    return png(VARIANTS[kind](upright(data, image_id), Random(seed)))  # noqa: S311 - no secret hangs on it


def blank(data: bytes, image_id: str) -> bytes:
    """Return a mid-grey PNG file of the same size: the control `blank_image`.

    Raises:
        StudyError: the image cannot be decoded.
    """
    return png(Image.new("RGB", upright(data, image_id).size, (127, 127, 127)))


def png(picture: Image.Image) -> bytes:
    """Encode without loss."""
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()
