"""PNG, taken apart by hand before Pillow sees it.

Pillow hides the bit depth, shows the poster instead of the first frame of some APNGs, does not check the sums of the
pixel chunks (a few damaged bytes become garbage that looks like a picture), and refuses good pictures for damaged or
oversized text. So the chunks are walked here, and Pillow is handed a PNG of only what makes the picture.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE = 0, 2, 3
_MAX_METADATA: Final = 2**20


class EndsEarly(Exception):
    """The file ends before its own end mark."""


class Broken(Exception):
    """The file is damaged, other than by ending early."""


class Chunk(NamedTuple):
    """One chunk: its kind, and where its data lies in the file."""

    kind: bytes
    start: int
    end: int


class Png(NamedTuple):
    """What a PNG's chunks say, before any pixel is decoded.

    `at` is the top left corner of the first picture in the canvas of `width` x `height`, `size` that picture's own
    width and height. `key` is the colour that stands for transparent, in the file's own range (0 to 2^bits - 1).
    """

    width: int
    height: int
    bits: int
    animated: bool
    exif: bytes | None
    key: tuple[int, ...] | None
    size: tuple[int, int]
    at: tuple[int, int]
    header: bytes
    extras: tuple[Chunk, ...]
    pixels: tuple[Chunk, ...]
    ended: bool


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, where the header is all there."""
    return struct.unpack_from(">II", data, 16) if len(data) >= 24 and data[12:16] == b"IHDR" else None


def read_chunks(data: bytes) -> Png:
    """Walk the chunks; reads no pixel and checks no sum.

    Raises:
        EndsEarly: the file ends inside its header, or before any pixel chunk.
        Broken: the header is wrong.
    """
    chunks, ended = _walk(data)
    if not chunks or chunks[0].kind != b"IHDR":
        raise EndsEarly("no header") if not ended and not chunks else Broken("the header does not come first")
    header = data[chunks[0].start : chunks[0].end]
    if len(header) != 13:
        raise Broken("the header has the wrong length")
    width, height, bits, colour = struct.unpack_from(">IIBB", header)
    frames, size, at, pixels = _first_picture(data, chunks, (width, height))
    if not pixels:
        raise Broken("no pixels") if ended else EndsEarly("no pixels")
    palette = tuple(chunk for chunk in chunks if chunk.kind == b"PLTE" and colour == PALETTE)
    keys = [chunk for chunk in chunks if chunk.kind == b"tRNS" and _sum_is_right(data, chunk)]
    exif = [chunk for chunk in chunks if chunk.kind == b"eXIf" and chunk.end - chunk.start <= _MAX_METADATA]
    return Png(
        width=width,
        height=height,
        bits=bits,
        animated=frames > 1,
        exif=data[exif[0].start : exif[0].end] if exif else None,
        key=_key(data, keys[0], colour) if keys else None,
        size=size,
        at=at,
        header=struct.pack(">II", *size) + header[8:],
        extras=palette + tuple(keys[:1] if colour == PALETTE else ()),
        pixels=pixels,
        ended=ended,
    )


def still_picture(data: bytes, png: Png) -> bytes:
    """Build a plain PNG of the first picture, after checking the sums of everything that goes into it.

    Raises:
        EndsEarly: the file has no end mark.
        Broken: a sum is wrong.
    """
    if not png.ended:
        raise EndsEarly("no end mark")
    first = Chunk(b"IHDR", 16, 29)
    for chunk in (first, *png.extras, *png.pixels):
        if not _sum_is_right(data, chunk):
            raise Broken(f"wrong sum in {chunk.kind!r}")
    parts = [SIGNATURE, _chunk(b"IHDR", png.header)]
    parts += [_chunk(chunk.kind, data[chunk.start : chunk.end]) for chunk in png.extras]
    for chunk in png.pixels:  # the frames of an animation carry a sequence number of four bytes before their pixels
        parts.append(_chunk(b"IDAT", data[chunk.start + 4 * (chunk.kind == b"fdAT") : chunk.end]))
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _walk(data: bytes) -> tuple[list[Chunk], bool]:
    """List the chunks up to the end mark, and say whether it was reached."""
    chunks: list[Chunk] = []
    for chunk in _each_chunk(data):
        if chunk.kind == b"IEND":
            return chunks, True
        if not chunk.kind.isalpha():
            raise Broken(f"no such chunk as {chunk.kind!r}")
        chunks.append(chunk)
    return chunks, False


def _each_chunk(data: bytes) -> Iterator[Chunk]:
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            return
        yield Chunk(data[at + 4 : at + 8], at + 8, at + 8 + length)
        at += 12 + length


def _first_picture(
    data: bytes, chunks: list[Chunk], canvas: tuple[int, int]
) -> tuple[int, tuple[int, int], tuple[int, int], tuple[Chunk, ...]]:
    """Choose what a browser shows first: frames, size, top left corner, pixel chunks.

    In an animation whose first frame control comes after the default picture, that picture is only for software that
    knows no animations, and the first frame, which may be smaller than the canvas, is what people see.
    """
    kinds = [chunk.kind for chunk in chunks]
    default = tuple(chunk for chunk in chunks if chunk.kind == b"IDAT")
    poster = kinds.index(b"IDAT") if default else len(kinds)
    if b"acTL" not in kinds[:poster]:
        return 1, canvas, (0, 0), default
    control = chunks[kinds.index(b"acTL")]
    frames = struct.unpack_from(">I", data, control.start)[0] if control.end - control.start >= 8 else 1
    if b"fcTL" in kinds[:poster] or b"fcTL" not in kinds or frames == 0:
        return frames, canvas, (0, 0), default
    start = kinds.index(b"fcTL")
    frame = chunks[start]
    rest = kinds[start + 1 :]
    stop = start + 1 + rest.index(b"fcTL") if b"fcTL" in rest else len(kinds)
    pixels = tuple(chunk for chunk in chunks[start:stop] if chunk.kind == b"fdAT" and chunk.end - chunk.start >= 4)
    if frame.end - frame.start < 20 or not pixels:
        return frames, canvas, (0, 0), default
    width, height, left, top = struct.unpack_from(">IIII", data, frame.start + 4)
    if left + width > canvas[0] or top + height > canvas[1]:
        return 1, canvas, (0, 0), default
    return frames, (width, height), (left, top), pixels


def _key(data: bytes, chunk: Chunk, colour: int) -> tuple[int, ...] | None:
    """The transparent colour of a grey or RGB picture: one or three numbers of two bytes."""
    count = {GREY: 1, RGB: 3}.get(colour)
    if count is None or chunk.end - chunk.start < 2 * count:
        return None
    return struct.unpack_from(f">{count}H", data, chunk.start)


def _sum_is_right(data: bytes, chunk: Chunk) -> bool:
    found = zlib.crc32(memoryview(data)[chunk.start - 4 : chunk.end])
    return data[chunk.end : chunk.end + 4] == found.to_bytes(4, "big")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + zlib.crc32(content, zlib.crc32(kind)).to_bytes(4, "big")
