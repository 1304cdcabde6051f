"""Two pictures in one, for models that are shown one image at a time."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

HEIGHT: Final = 512
"""Of each picture, in pixels; widths follow, up to twice as much."""

GAP, HEAD = 24, 40


def side_by_side(first: Image.Image, second: Image.Image) -> bytes:
    """Return a PNG file: both pictures scaled to one height on white, "image 1" and "image 2" above them."""
    pictures = [_scaled(picture) for picture in (first, second)]
    width = sum(picture.width for picture in pictures) + GAP
    page = Image.new("RGB", (width, HEAD + max(picture.height for picture in pictures)), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=24)
    left = 0
    for number, picture in enumerate(pictures, 1):
        pen.text((left + 4, 4), f"image {number}", fill="black", font=font)
        page.paste(picture, (left, HEAD))
        left += picture.width + GAP
    file = BytesIO()
    page.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _scaled(picture: Image.Image) -> Image.Image:
    by = min(HEIGHT / picture.height, 2 * HEIGHT / picture.width)
    size = max(1, round(picture.width * by)), max(1, round(picture.height * by))
    return picture.resize(size, Image.Resampling.LANCZOS)
