"""A pair's two pictures in one, for judges that are shown one image at a time."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image

from snellen.benchmarks import Benchmark
from snellen.errors import StudyError
from snellen.images.decode import Limits, decode
from snellen.records import Question

HEIGHT: Final = 512
"""Of each picture, in pixels; widths follow, up to twice as much."""

GAP: Final = 24


def both(benchmark: Benchmark, pair: tuple[Question, Question]) -> bytes:
    """Return a PNG file: a pair's pictures side by side on white, slot a at the left.

    Raises:
        StudyError: an image is gone, changed or cannot be decoded.
    """
    pictures = [_scaled(_picture(benchmark, question)) for question in pair]
    size = sum(picture.width for picture in pictures) + GAP, max(picture.height for picture in pictures)
    page = Image.new("RGB", size, "white")
    page.paste(pictures[0], (0, 0))
    page.paste(pictures[1], (pictures[0].width + GAP, 0))
    file = BytesIO()
    page.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _picture(benchmark: Benchmark, question: Question) -> Image.Image:
    decoded = decode(benchmark.image(question), Limits(min_side=1))
    if decoded.image is None:
        raise StudyError(
            f"{benchmark.folder / question.image} cannot be decoded ({decoded.status}): tag without --images."
        )
    return decoded.image


def _scaled(picture: Image.Image) -> Image.Image:
    by = min(HEIGHT / picture.height, 2 * HEIGHT / picture.width)
    size = max(1, round(picture.width * by)), max(1, round(picture.height * by))
    return picture.resize(size, Image.Resampling.LANCZOS)
