from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from snellen.mllms.faults import Hopeless
from snellen.mllms.pictures import data_uri
from tests.pictures import picture


def encoded(form: str, image: Image.Image | None = None, **options: object) -> bytes:
    file = BytesIO()
    (image or picture(1, 48, 32)).save(file, form, **options)
    return file.getvalue()


def unpacked(uri: str) -> tuple[str, bytes]:
    head, _, data = uri.partition(";base64,")
    return head, base64.b64decode(data, validate=True)


@pytest.mark.parametrize(("form", "mime"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif")])
def test_common_formats_go_as_they_are(form: str, mime: str) -> None:
    data = encoded(form)
    assert unpacked(data_uri(data)) == (f"data:image/{mime}", data)


@pytest.mark.parametrize("form", ["BMP", "TIFF"])
def test_others_go_as_png_with_the_same_pixels(form: str) -> None:
    head, data = unpacked(data_uri(encoded(form)))
    assert head == "data:image/png"
    assert np.array_equal(np.asarray(Image.open(BytesIO(data))), np.asarray(picture(1, 48, 32)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_what_exif_turns_goes_upright(form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"lossless": True} if form == "WEBP" else {"quality": 100, "subsampling": 0} if form == "JPEG" else {}
    head, data = unpacked(data_uri(encoded(form, exif=exif, **options)))
    shown = Image.open(BytesIO(data))
    assert (head, shown.size) == ("data:image/png", (32, 48))
    assert shown.getexif().get(0x0112) is None
    truth = np.asarray(picture(1, 48, 32).rotate(-90, expand=True)).astype(int)
    assert np.abs(np.asarray(shown).astype(int) - truth).max() <= (8 if form == "JPEG" else 0)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_animations_the_first_frame_goes(form: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(form, frames[0], save_all=True, append_images=frames[1:], duration=100, **options)
    head, sent = unpacked(data_uri(data))
    assert head == "data:image/png"
    shown = Image.open(BytesIO(sent))
    assert getattr(shown, "n_frames", 1) == 1
    assert shown.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("data", [b"", b"<svg/>", encoded("PNG")[:-40]])
def test_what_cannot_be_decoded_is_not_sent(data: bytes) -> None:
    with pytest.raises(Hopeless, match="cannot be decoded"):
        data_uri(data)
