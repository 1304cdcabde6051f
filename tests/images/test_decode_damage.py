"""Files that are no pictures, broken ones, and ones built to hurt: a status each, and never an exception."""

from __future__ import annotations

import io
import struct
import threading
import time
import warnings
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin, features

from snellen.images.decode import Limits, decode
from snellen.records import FLAGS, STATUSES
from tests.images.picture_files import chunk, noise, png, quarters, save

KINDS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"] + (["AVIF"] if features.check("avif") else [])
FILES = {kind: save(noise(), kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9, 0.99])
def test_cut_off_files_are_truncated(kind: str, share: float) -> None:
    data = FILES[kind]
    assert decode(data[: max(int(len(data) * share), 40)]).status == "truncated"


@pytest.mark.parametrize("missing", [1, 2, 40])
def test_a_jpeg_without_its_last_bytes_is_truncated(missing: int) -> None:
    for options in ({}, {"progressive": True}):
        found = decode(save(noise(), "JPEG", **options)[:-missing])
        assert (found.status, found.width, found.height, found.image) == ("truncated", 48, 32, None)


def test_a_compressed_tiff_without_its_last_byte_is_truncated() -> None:
    for compression in ("tiff_lzw", "jpeg", "packbits", "tiff_adobe_deflate"):
        assert decode(save(noise(), "TIFF", compression=compression)[:-1]).status == "truncated"


def test_truncated_however_pillow_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training scripts set this, and Pillow then completes pictures with grey."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
        assert decode(FILES[kind][: len(FILES[kind]) * 3 // 4]).status == "truncated"


def test_trailing_rubbish_does_no_harm() -> None:
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"):
        assert decode(FILES[kind] + b"rubbish" * 100).status == "ok"


def test_a_gif_without_its_end_mark_is_whole() -> None:
    assert decode(FILES["GIF"][:-1]).status == "ok"


@pytest.mark.parametrize("at", [0.3, 0.5, 0.7])
def test_damaged_png_pixels_are_corrupt(at: float) -> None:
    """Pillow alone takes no notice of a wrong sum, and shows whatever comes out."""
    data = bytearray(FILES["PNG"])
    data[int(len(data) * at)] ^= 0x40
    found = decode(bytes(data))
    assert (found.status, found.width, found.height) == ("corrupt", 48, 32)


def test_broken_files_are_corrupt() -> None:
    assert decode(FILES["JPEG"][:2] + b"\xff\xe0\x00\x04ab" + b"\xff\x01\x02\x03" * 40 + b"\xff\xd9").status in (
        "corrupt",
        "truncated",
    )
    assert decode(png(16, 16, 8, 2, [], pixels=b"not zlib at all" * 9)).status == "corrupt"
    assert decode(png(16, 16, 9, 2, [b"\0" * 48] * 16)).status == "corrupt"
    assert decode(FILES["WEBP"][:16] + b"\xff" * (len(FILES["WEBP"]) - 16)).status == "corrupt"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"not a photograph\n",
        b"BMW makes cars, and this is text that begins like a bitmap",
        b"<!DOCTYPE html><html><body>404</body></html>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
        b"%PDF-1.7\n",
        b"P is the sixteenth letter",
        b"\0\0\0\x18ftypisom\0\0\2\0isomiso2mp41" + bytes(100),
        bytes(1000),
        b"\xff" * 1000,
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"\x1f\x8b" + bytes(100),
    ],
)
def test_what_is_not_an_image(data: bytes) -> None:
    assert decode(data) == ("not_an_image", (), None, None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(100),
        save(noise(), "JPEG2000"),
        save(noise(), "JPEG2000", no_jp2=True),
        save(noise(), "ICO"),
        save(noise(), "PPM"),
        save(noise().convert("L"), "PPM"),
        b"8BPS\0\x01" + bytes(100),
        b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100),
        b"II*\0\x10\0\0\0CR\x02\0" + bytes(100),
        b"qoif" + bytes(100),
    ],
)
def test_what_is_unsupported(data: bytes) -> None:
    assert decode(data).status == "unsupported"


def test_twelve_bit_jpeg_is_unsupported() -> None:
    data = bytearray(FILES["JPEG"])
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    assert decode(bytes(data)).status == "unsupported"


def test_bombs_are_found_in_the_header() -> None:
    def header_of(width: int, height: int) -> bytes:
        rows = zlib.compress(bytes(2**16))
        return png(width, height, 1, 0, [], pixels=rows)

    whole = save(Image.new("1", (20000, 20000)), "PNG")
    bombs = [whole, header_of(20000, 20000), header_of(2**31 - 1, 2**31 - 1)]
    start = time.perf_counter()
    found = [decode(bomb) for bomb in bombs]
    assert time.perf_counter() - start < 0.1
    assert [row.status for row in found] == ["too_large"] * 3
    assert (found[0].width, found[0].height) == (20000, 20000)


def test_bombs_in_other_formats() -> None:
    gif, bmp, jpeg, tiff = (bytearray(FILES[kind]) for kind in ("GIF", "BMP", "JPEG", "TIFF"))
    gif[6:10] = struct.pack("<HH", 65000, 65000)
    bmp[18:26] = struct.pack("<ii", 65000, 65000)
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65000, 65000)
    webp = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0" * 2
    (directory,) = struct.unpack_from("<I", tiff, 4)
    for entry in range(directory + 2, directory + 2 + 12 * tiff[directory], 12):
        if struct.unpack_from("<H", tiff, entry)[0] in (256, 257):
            tiff[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 65000)
    for bomb in (gif, bmp, jpeg, webp, tiff):
        found = decode(bytes(bomb))
        assert found.status == "too_large"
        assert (found.width, found.height) in ((65000, 65000), (16384, 16384))


def test_the_pixel_limit_is_exact() -> None:
    data = save(noise(40, 20), "PNG")
    assert decode(data, Limits(max_pixels=800)).status == "ok"
    assert decode(data, Limits(max_pixels=799))[:4] == ("too_large", (), 40, 20)


def test_the_byte_limit_is_exact() -> None:
    data = FILES["PNG"]
    assert decode(data, Limits(max_bytes=len(data))).status == "ok"
    assert decode(data, Limits(max_bytes=len(data) - 1)) == ("too_large", (), None, None, None)


def test_the_side_limit_is_exact() -> None:
    for size in ((1, 1), (10000, 3), (15, 40), (40, 15)):
        assert decode(save(Image.new("RGB", size), "PNG"))[:4] == ("too_small", (), *size)
    assert decode(save(Image.new("RGB", (16, 16)), "PNG")).status == "ok"


def test_text_bombs_and_bad_extras_in_a_png_leave_the_picture_whole() -> None:
    rows = [bytes(48)] * 16
    bomb = chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(100 * 2**20)))
    profile = chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(50 * 2**20)))
    wrong_sum = chunk(b"tEXt", b"note\0text")[:-1] + b"\xff"
    odd = chunk(b"acTL", b"\0") + chunk(b"fcTL", b"") + chunk(b"pHYs", b"") + chunk(b"tRNS", b"")
    for extras in (bomb, profile, profile + bomb, wrong_sum, odd, chunk(b"eXIf", bytes(2**21))):
        for data in (png(16, 16, 8, 2, rows, before=extras), png(16, 16, 8, 2, rows, after=extras)):
            assert decode(data).status == "ok"


def test_a_huge_profile_and_note_in_a_jpeg_leave_the_picture_whole() -> None:
    data = save(quarters(), "JPEG", icc_profile=bytes(3 * 2**20), comment=b"x" * 60000)
    assert decode(data).status == "ok"


def test_no_setting_of_pillow_is_changed() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)
    filters = list(warnings.filters)
    for data in (*FILES.values(), save(Image.new("1", (20000, 20000)), "PNG"), b""):
        decode(data)
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)
    assert warnings.filters == filters


def test_our_pixel_limit_holds_whatever_pillows_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert [decode(FILES[kind]).status for kind in ("JPEG", "PNG", "GIF", "BMP")] == ["ok"] * 4


def test_threads_leave_the_warnings_as_they_were() -> None:
    """Warnings are errors here, and this TIFF makes Pillow warn: eight threads at once, thirty times."""
    data = bytearray(save(noise(), "TIFF", tiffinfo={305: "x" * 40}))
    at = data.index(struct.pack("<HHI", 305, 2, 41)) + 8
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    with pytest.warns(UserWarning), Image.open(io.BytesIO(bytes(data))):
        pass
    filters, found = list(warnings.filters), list[str]()

    def work() -> None:
        found.extend(decode(bytes(data)).status for _ in range(30))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["ok"] * 240
    assert warnings.filters == filters


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    found = decode(data)
    assert found.status in STATUSES
    assert found.image is None


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    st.booleans(),
    st.floats(0, 1),
)
def test_any_damage(kind: str, changes: list[tuple[float, int]], in_header: bool, keep: float) -> None:
    data = bytearray(FILES[kind])
    reach = min(len(data), 120) if in_header else len(data)
    for place, value in changes:
        data[min(int(place * reach), reach - 1)] = value
    if keep < 0.3:
        data = data[: int(len(data) * keep / 0.3)]
    found = decode(bytes(data))
    assert found.status in STATUSES
    assert set(found.flags) <= set(FLAGS)
    assert (found.image is not None) == (found.status == "ok")
    if found.image is not None:
        assert (found.image.mode, found.image.size) == ("RGB", (found.width, found.height))


@pytest.mark.parametrize(("form", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("GIF", {}), ("PNG", {})])
def test_a_file_cut_anywhere_is_truncated(form: str, options: dict[str, bool]) -> None:
    whole = save(noise(40, 24), form, **options)
    assert decode(whole).status == "ok"
    end = len(whole) - (2 if form == "GIF" else 0)  # a GIF without its trailer holds all of its picture
    assert {decode(whole[:length]).status for length in range(16, end)} == {"truncated"}
