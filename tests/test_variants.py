"""Variants and blank images."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from snellen.errors import StudyError, UsageError
from snellen.variants import VARIANTS, blank, check, variant
from tests.pictures import picture


def jpeg_on_its_side() -> bytes:
    exif, file = Image.Exif(), BytesIO()
    exif[0x0112] = 8
    picture(1, 48, 32).save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_a_blank_image_has_the_upright_size() -> None:
    with Image.open(BytesIO(blank(jpeg_on_its_side(), "images/x.jpg"))) as grey:
        assert grey.format == "PNG"
        assert grey.size == (32, 48)
        assert grey.getcolors() == [(32 * 48, (127, 127, 127))]


@pytest.mark.parametrize("kind", VARIANTS)
def test_variants_are_upright_and_nearly_as_large(kind: str) -> None:
    for seed in range(20):
        with Image.open(BytesIO(variant(jpeg_on_its_side(), f"{kind}-{seed}", "a" * 64))) as changed:
            assert changed.format == "PNG"
            assert 0.89 <= changed.width / 32 <= 1.11 and 0.89 <= changed.height / 48 <= 1.11


@pytest.mark.parametrize("name", ["flip-0", "crop", "crop-", "crop--1", "crop-01", "crop-1e9", "../x-0", "CROP-0", ""])
def test_what_is_no_variant(name: str) -> None:
    with pytest.raises(UsageError, match="crop, pad, resize, jpeg"):
        check(name)


def test_what_cannot_be_decoded_is_said() -> None:
    with pytest.raises(StudyError, match=r"images/x\.jpg cannot be decoded"):
        blank(b"x", "images/x.jpg")
    with pytest.raises(StudyError, match=r"images/x\.jpg cannot be decoded"):
        variant(b"x", "crop-0", "images/x.jpg")
