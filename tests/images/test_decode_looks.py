"""Pictures that decode come out as a browser shows them; the expected pixels are worked out by hand."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from snellen.images.decode import decode
from tests.images.picture_files import BLUE, GREEN, RED, array, chunk, noise, png, quarters, rgb_at, save

WHITE = (255, 255, 255)


@pytest.mark.parametrize(
    ("kind", "options", "off"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 6),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 6),
        ("WEBP", {"quality": 100}, 24),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 8),
    ],
)
def test_every_format_gives_the_picture(kind: str, options: dict[str, Any], off: int) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    picture = quarters()
    found = decode(save(picture, kind, **options))
    assert (found.status, found.flags, found.width, found.height) == ("ok", (), 48, 32)
    assert np.abs(array(found.image) - array(picture))[4:12, 4:20].max() <= off
    assert np.abs(array(found.image) - array(picture))[20:28, 28:44].max() <= off


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    levels = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    expected = np.rint(levels / 257).astype(np.int64)
    for data in (
        png(64, 64, 16, 0, [row.astype(">u2").tobytes() for row in levels]),
        save(Image.fromarray(levels), "TIFF"),
        save(Image.fromarray(levels), "TIFF", compression="tiff_lzw"),
    ):
        found = decode(data)
        assert (found.status, found.flags) == ("ok", ("sixteen_bit",))
        assert np.array_equal(array(found.image), np.repeat(expected[:, :, None], 3, axis=2))
    assert rgb_at(decode(png(16, 16, 16, 0, [b"\xff\xff" * 16] * 16)).image, 0, 0) == WHITE


def test_sixteen_bit_grey_with_white_as_zero() -> None:
    levels = np.full((16, 16), 65535, dtype=np.uint16)
    levels[:, 8:] = 0
    data = save(Image.fromarray(levels), "TIFF", tiffinfo={262: 0})
    found = decode(data)
    assert found.flags == ("sixteen_bit",)
    assert rgb_at(found.image, 0, 0) == (0, 0, 0)
    assert rgb_at(found.image, 15, 0) == WHITE


@pytest.mark.parametrize(
    ("colour", "pixel", "flags", "expected"),
    [
        (2, (65535, 32896, 257), ("sixteen_bit",), (255, 128, 1)),
        (6, (65535, 0, 0, 32896), ("alpha", "sixteen_bit"), (255, 127, 127)),
        (4, (0, 32896), ("alpha", "sixteen_bit"), (127, 127, 127)),
    ],
)
def test_sixteen_bit_colour(
    colour: int, pixel: tuple[int, ...], flags: tuple[str, ...], expected: tuple[int, int, int]
) -> None:
    row = struct.pack(f">{len(pixel)}H", *pixel) * 16
    found = decode(png(16, 16, 16, colour, [row] * 16))
    assert (found.status, found.flags) == ("ok", flags)
    assert rgb_at(found.image, 5, 5) == expected


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_on_white(kind: str) -> None:
    picture = Image.new("RGBA", (16, 16), (*RED, 0))
    picture.paste((*BLUE, 128), (0, 0, 8, 16))
    found = decode(save(picture, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))
    assert (found.status, found.flags) == ("ok", ("alpha",))
    assert rgb_at(found.image, 12, 3) == WHITE  # hidden red stays hidden
    # 255 * (1 - 128/255) = 127 in red and green, blue stays 255
    assert rgb_at(found.image, 3, 3) == (127, 127, 255)


def test_alpha_flag_even_where_all_is_opaque() -> None:
    assert decode(save(noise().convert("RGBA"), "PNG")).flags == ("alpha",)
    assert np.array_equal(array(decode(save(noise().convert("RGBA"), "PNG")).image), array(noise()))


def test_grey_with_alpha() -> None:
    picture = Image.new("LA", (16, 16), (0, 51))
    for kind in ("PNG", "TIFF"):
        found = decode(save(picture, kind))
        assert (found.flags, rgb_at(found.image, 0, 0)) == (("alpha",), (204, 204, 204))  # 255 * (1 - 51/255)


@pytest.mark.parametrize(
    ("bits", "colour", "key", "hidden", "shown", "looks"),
    [
        (8, 2, (9, 8, 7), bytes([9, 8, 7]), bytes([9, 8, 6]), (9, 8, 6)),
        (8, 0, (5,), bytes([5]), bytes([6]), (6, 6, 6)),
        (16, 0, (1000,), struct.pack(">H", 1000), struct.pack(">H", 1001), (4, 4, 4)),
        (16, 2, (1000, 2000, 3000), struct.pack(">3H", 1000, 2000, 3000), struct.pack(">3H", 0, 0, 0), (0, 0, 0)),
    ],
)
def test_one_transparent_colour(
    bits: int, colour: int, key: tuple[int, ...], hidden: bytes, shown: bytes, looks: tuple[int, int, int]
) -> None:
    transparent = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    found = decode(png(16, 16, bits, colour, [hidden * 8 + shown * 8] * 16, before=transparent))
    assert found.status == "ok"
    assert found.flags == (("alpha", "sixteen_bit") if bits == 16 else ("alpha",))
    assert rgb_at(found.image, 0, 0) == WHITE
    assert rgb_at(found.image, 15, 0) == looks


@pytest.mark.parametrize(("bits", "row"), [(1, b"\x00\xff"), (2, b"\x00\x00\xff\xff"), (4, b"\x00" * 4 + b"\xff" * 4)])
def test_one_transparent_grey_of_few_bits(bits: int, row: bytes) -> None:
    black_hidden = decode(png(16, 16, bits, 0, [row] * 16, before=chunk(b"tRNS", b"\0\0")))
    assert (black_hidden.flags, rgb_at(black_hidden.image, 0, 0)) == (("alpha",), WHITE)
    assert rgb_at(decode(png(16, 16, bits, 0, [row] * 16)).image, 0, 0) == (0, 0, 0)


def test_palette() -> None:
    palette = chunk(b"PLTE", bytes([*RED, *GREEN, *BLUE]))
    rows = [bytes([0] * 8 + [1] * 4 + [2] * 4)] * 16
    plain = decode(png(16, 16, 8, 3, rows, before=palette))
    assert (plain.status, plain.flags) == ("ok", ("palette",))
    assert [rgb_at(plain.image, x, 0) for x in (0, 8, 15)] == [RED, GREEN, BLUE]
    clear = decode(png(16, 16, 8, 3, rows, before=palette + chunk(b"tRNS", bytes([255, 0, 51]))))
    assert clear.flags == ("alpha", "palette")
    assert [rgb_at(clear.image, x, 0) for x in (0, 8, 15)] == [RED, WHITE, (204, 204, 255)]
    assert decode(png(16, 16, 8, 3, rows)).status == "corrupt"  # no palette at all


def test_black_and_white_and_interlaced() -> None:
    dots = Image.new("1", (16, 16), 0)
    dots.paste(1, (8, 0, 16, 16))
    for kind in ("PNG", "TIFF", "BMP"):
        found = decode(save(dots, kind))
        assert (found.status, found.flags) == ("ok", ())
        assert (rgb_at(found.image, 0, 0), rgb_at(found.image, 15, 15)) == ((0, 0, 0), WHITE)


def _jpeg_cmyk(cyan: int, magenta: int, yellow: int, black: int, adobe: bool) -> bytes:
    """Pillow writes CMYK the way Photoshop does, inverted and marked; the mark can be cut out."""
    data = save(Image.new("CMYK", (32, 32), (cyan, magenta, yellow, black)), "JPEG", quality=100)
    at = data.index(b"\xff\xee")
    assert data[at + 4 : at + 9] == b"Adobe"
    return data if adobe else data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


@pytest.mark.parametrize("adobe", [True, False])
@pytest.mark.parametrize(
    ("inks", "looks"),
    [
        ((0, 0, 0, 0), WHITE),
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 255, 255, 0), RED),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 255, 128), (127, 127, 0)),
    ],
)
def test_cmyk_jpeg(inks: tuple[int, int, int, int], looks: tuple[int, int, int], adobe: bool) -> None:
    found = decode(_jpeg_cmyk(*inks, adobe=adobe))
    assert (found.status, found.flags) == ("ok", ("cmyk",))
    assert max(abs(a - b) for a, b in zip(rgb_at(found.image, 16, 16), looks, strict=True)) <= 3


@pytest.mark.parametrize(
    ("samples", "looks"),
    [((0, 128, 128, 255), WHITE), ((179, 171, 0, 255), RED), ((0, 128, 128, 0), (0, 0, 0))],
)
def test_adobe_ycck_jpeg(samples: tuple[int, ...], looks: tuple[int, int, int]) -> None:
    """The samples of the file, by JPEG's formulas: C, M, Y as Photoshop stores them are 255 minus the RGB of YCbCr."""
    inks = tuple(255 - sample for sample in samples)  # Pillow's writer inverts
    data = bytearray(save(Image.new("CMYK", (32, 32), inks), "JPEG", quality=100))
    data[data.index(b"Adobe") + 11] = 2  # the transform: YCCK
    found = decode(bytes(data))
    assert (found.status, found.flags) == ("ok", ("cmyk",))
    assert max(abs(a - b) for a, b in zip(rgb_at(found.image, 16, 16), looks, strict=True)) <= 4


def test_cmyk_tiff() -> None:
    found = decode(save(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "TIFF"))
    assert (found.flags, rgb_at(found.image, 0, 0)) == (("cmyk",), RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animations_show_their_first_frame(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, GREEN, BLUE)]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "AVIF" else {}
    found = decode(save(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options))
    assert found.status == "ok"
    assert found.flags == (("animated", "palette") if kind == "GIF" else ("animated",))
    assert max(abs(a - b) for a, b in zip(rgb_at(found.image, 16, 16), RED, strict=True)) <= 3


def test_one_frame_is_no_animation() -> None:
    assert decode(save(quarters(), "GIF")).flags == ("palette",)
    assert decode(save(quarters(), "WEBP", save_all=True)).flags == ()


def test_apng_shows_its_first_frame_not_the_poster() -> None:
    """A poster that is no frame, and a first frame of 16 x 8 at (4, 2) on a canvas of 32 x 32."""
    import zlib

    def control(number: int, width: int, height: int, left: int, top: int) -> bytes:
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, left, top, 1, 10, 0, 0))

    def frame(number: int, width: int, height: int, colour: tuple[int, int, int]) -> bytes:
        rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
        return chunk(b"fdAT", struct.pack(">I", number) + zlib.compress(rows))

    data = png(
        32,
        32,
        8,
        2,
        [bytes(RED) * 32] * 32,
        before=chunk(b"acTL", struct.pack(">II", 2, 0)),
        after=control(0, 16, 8, 4, 2) + frame(1, 16, 8, GREEN) + control(2, 32, 32, 0, 0) + frame(3, 32, 32, BLUE),
    )
    found = decode(data)
    assert (found.status, found.flags, found.width, found.height) == ("ok", ("alpha", "animated"), 32, 32)
    expected = Image.new("RGB", (32, 32), WHITE)
    expected.paste(GREEN, (4, 2, 20, 10))
    assert np.array_equal(array(found.image), array(expected))


def test_gif_frame_smaller_than_its_canvas() -> None:
    data = bytearray(save(Image.new("RGB", (16, 16), RED), "GIF"))
    data[6:10] = struct.pack("<HH", 40, 24)  # the canvas; the frame stays 16 x 16
    found = decode(bytes(data))
    assert (found.status, found.width, found.height, found.flags) == ("ok", 40, 24, ("alpha", "palette"))
    assert (rgb_at(found.image, 5, 5), rgb_at(found.image, 30, 20)) == (RED, WHITE)


def test_transparent_gif() -> None:
    picture = Image.new("P", (16, 16), 0)
    picture.putpalette([*RED, *GREEN] + [0] * 750)
    picture.paste(1, (8, 0, 16, 16))
    found = decode(save(picture, "GIF", transparency=0))
    assert found.flags == ("alpha", "palette")
    assert (rgb_at(found.image, 0, 0), rgb_at(found.image, 15, 0)) == (WHITE, GREEN)


def test_phone_photographs_are_not_animations() -> None:
    file = io.BytesIO()
    quarters().save(file, "MPO", save_all=True, append_images=[noise()])
    found = decode(file.getvalue())
    assert (found.status, found.flags) == ("ok", ())
    assert max(abs(a - b) for a, b in zip(rgb_at(found.image, 10, 8), RED, strict=True)) <= 6


def test_tiff_shows_its_first_page() -> None:
    data = save(Image.new("RGB", (16, 16), RED), "TIFF", save_all=True, append_images=[noise(16, 16)])
    found = decode(data)
    assert (found.status, found.flags, rgb_at(found.image, 0, 0)) == ("ok", (), RED)


def test_bitmap_with_an_unset_alpha_channel_is_opaque() -> None:
    header = struct.pack("<IiiHHIIiiII", 108, 16, 16, 1, 32, 3, 1024, 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(52)
    for alpha, looks in ((0, (30, 20, 10)), (255, (30, 20, 10))):
        pixels = bytes([10, 20, 30, alpha]) * 256
        data = b"BM" + struct.pack("<IHHI", 122 + 1024, 0, 0, 122) + header + masks + pixels
        assert rgb_at(decode(data).image, 0, 0) == looks


@pytest.mark.parametrize("bits", [16, 32])
def test_odd_tiff_pixels_are_unsupported(bits: int) -> None:
    kind: Any = {16: np.int32, 32: np.float32}[bits]
    found = decode(save(Image.fromarray(np.ones((20, 24), dtype=kind)), "TIFF"))
    assert (found.status, found.width, found.height, found.image) == ("unsupported", 24, 20, None)
