"""EXIF orientation: eight ways to hold a camera, compared with the upright picture."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from snellen.images.decode import decode
from snellen.images.exif import orientation_of
from tests.images.picture_files import array, chunk, exif_block, png, quarters, save

PICTURE = array(quarters())

# What a camera stores when the upright picture is P: the inverse of what a viewer does, spelled in numpy.
STORED = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


def stored(orientation: int) -> Image.Image:
    pixels: NDArray[np.int64] = STORED[orientation](PICTURE)
    return Image.fromarray(np.ascontiguousarray(pixels).astype(np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF-lzw", "AVIF"])
def test_every_orientation_comes_out_upright(kind: str, orientation: int) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    if kind.startswith("TIFF"):
        compression = "tiff_lzw" if kind == "TIFF-lzw" else "raw"
        data = save(stored(orientation), "TIFF", tiffinfo={274: orientation}, compression=compression)
    else:
        options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {} if kind == "PNG" else {"quality": 95}
        data = save(stored(orientation), kind, exif=b"Exif\0\0" + exif_block(orientation), **options)
    found = decode(data)
    assert (found.status, found.width, found.height) == ("ok", 48, 32)
    assert found.flags == (() if orientation == 1 else ("exif_rotated",))
    middles = np.ix_([8, 24], [12, 36])
    assert np.abs(array(found.image)[middles] - PICTURE[middles]).max() <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_the_sources_orientation_counts_where_the_file_has_none(kind: str, orientation: int) -> None:
    found = decode(save(stored(orientation), kind), orientation=orientation)
    assert np.array_equal(array(found.image), PICTURE)
    assert found.flags == (() if orientation == 1 else ("exif_rotated",))


def test_the_files_own_orientation_comes_first() -> None:
    data = save(stored(6), "PNG", exif=exif_block(6))
    assert np.array_equal(array(decode(data, orientation=3).image), PICTURE)
    upright = save(quarters(), "PNG", exif=exif_block(1))
    assert np.array_equal(array(decode(upright, orientation=6).image), PICTURE)
    assert decode(upright, orientation=6).flags == ()


@pytest.mark.parametrize("nonsense", [0, 9, -1, 255])
def test_an_orientation_that_does_not_exist_is_none(nonsense: int) -> None:
    assert np.array_equal(array(decode(save(quarters(), "PNG"), orientation=nonsense).image), PICTURE)
    if nonsense >= 0:
        assert decode(save(quarters(), "JPEG", exif=b"Exif\0\0" + exif_block(nonsense))).flags == ()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"garbage" * 100,
        exif_block(6)[:-8],
        b"II*\0" + struct.pack("<IHHHII", 8, 500, 0x9000, 7, 2**31, 2**31),
        b"II*\0" + struct.pack("<IHHHI", 8, 1, 0x0112, 12, 1) + b"\xff" * 8,
    ],
)
def test_damaged_exif_does_not_lose_the_picture(kind: str, block: bytes) -> None:
    """The blocks are put into finished files: Pillow's writers refuse the worst of them."""
    if kind == "JPEG":
        plain = save(quarters(), "JPEG")
        data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block + plain[2:]
    elif kind == "PNG":
        data = png(
            48, 32, 8, 2, [bytes(row.astype(np.uint8).tobytes()) for row in PICTURE], before=chunk(b"eXIf", block)
        )
    elif kind == "WEBP":
        good = exif_block(1) + bytes(1000)
        data = save(quarters(), "WEBP", exif=good).replace(good, block.ljust(len(good), b"\0"))
    else:
        if not features.check("avif"):
            pytest.skip("this Pillow has no AVIF")
        note = Image.Exif()
        note[0x010E] = "Z" * 80  # a description; Pillow moves the orientation itself into the format's own boxes
        made = bytearray(save(quarters(), "AVIF", exif=note))
        start, end = made.rindex(b"MM\0*", 0, made.index(b"ZZZZ")), made.index(b"ZZZZ") + 80
        made[start:end] = block[: end - start].ljust(end - start, b"\0")
        data = bytes(made)
    found = decode(data)
    assert (found.status, found.flags, found.width, found.height) == ("ok", (), 48, 32)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
def test_reading_the_block(order: str, kind: int) -> None:
    assert [orientation_of(exif_block(number, order, kind)) for number in range(10)] == [None, *range(1, 9), None]
    assert orientation_of(b"Exif\0\0Exif\0\0" + exif_block(6, order, kind)) == 6


def test_limits_hold_for_the_upright_picture() -> None:
    data = save(Image.new("RGB", (20, 40)), "JPEG", exif=b"Exif\0\0" + exif_block(6))
    found = decode(data)
    assert (found.width, found.height) == (40, 20)


def test_xmp_is_not_believed() -> None:
    """Pillow would turn this one; browsers do not."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert decode(save(quarters(), "WEBP", xmp=xmp, lossless=True)).flags == ()


def test_real_photographs(shared_data: Path) -> None:
    for path in sorted((shared_data / "photos" / "imagenet").glob("*.JPEG"))[:3]:
        with Image.open(path) as plain:
            expected = np.asarray(plain.convert("RGB")).astype(np.int64)
        found = decode(path.read_bytes())
        assert found.status == "ok"
        assert np.array_equal(array(found.image), expected), path.name
