"""What kind of file some bytes are, by their first bytes alone; names and extensions are never believed."""

from __future__ import annotations

import struct
from typing import Final, Literal

Kind = Literal["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]
"""The formats that we decode."""

_DIB_HEADER_SIZES: Final = (12, 16, 40, 52, 56, 64, 108, 124)
_TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TIFF_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_STRIP_TAGS: Final = (273, 279, 324, 325)  # offsets and lengths in bytes of strips and of tiles
_PHOTOGRAPH_BRANDS: Final = frozenset(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1", b"miaf", b"crx ")
)
_UNSUPPORTED: Final = (
    b"\0\0\0\x0cjP  \r\n\x87\n",  # JPEG 2000
    b"\xff\x4f\xff\x51",  # JPEG 2000 codestream
    b"\0\0\0\x0cJXL \r\n\x87\n",  # JPEG XL
    b"\xff\x0a",  # JPEG XL codestream
    b"II\xbc\x01",  # JPEG XR
    b"8BPS\0",  # Photoshop
    b"qoif",
    b"DDS ",
    b"v/1\x01",  # OpenEXR
    b"#?RADIANCE",
    b"icns",
    b"gimp xcf",
    b"SIMPLE  =",  # FITS
    b"\x8aMNG\r\n\x1a\n",
    b"\x8bJNG\r\n\x1a\n",
    b"AT&TFORM",  # DjVu
    b"BPG\xfb",
    b"FLIF",
)


def sniff(data: bytes) -> Kind | Literal["unsupported"] | None:
    """Recognise a file by its magic bytes.

    Returns:
        The format, where we decode it; "unsupported" for a real image format that we do not (HEIC, JPEG 2000, JPEG XL,
        Photoshop, icons, portable pixmaps, camera raw); None for anything else, SVG among it.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _DIB_HEADER_SIZES:
        return "BMP"
    if data.startswith(_TIFF):
        return "unsupported" if data[8:10] == b"CR" else "TIFF"  # CR: Canon raw, of which we would see a thumbnail
    if data[4:8] == b"ftyp":
        return _sniff_boxes(data)
    return "unsupported" if data.startswith(_UNSUPPORTED) or _is_icon(data) or _is_pixmap(data) else None


def _sniff_boxes(data: bytes) -> Kind | Literal["unsupported"] | None:
    """Tell AVIF from HEIC, and both from video: all begin with a `ftyp` box that lists brands."""
    end = min(int.from_bytes(data[:4], "big"), len(data), 4096)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "unsupported" if brands & _PHOTOGRAPH_BRANDS else None


def _is_icon(data: bytes) -> bool:
    """ICO and CUR: four common bytes, so the first entry must make sense as well."""
    if len(data) < 22 or data[:4] not in (b"\0\0\1\0", b"\0\0\2\0"):
        return False
    count, length, offset = struct.unpack_from("<H12xII", data, 4)
    return bool(0 < count < 1000 and length > 0 and offset >= 6 + 16 * count)


def _is_pixmap(data: bytes) -> bool:
    """PBM, PGM, PPM, PAM, PFM: `P`, a digit or f, white space, then a number, a comment or a keyword."""
    return (
        len(data) > 3
        and data[:1] == b"P"
        and data[1:2] in b"1234567fF"
        and data[2:3] in b"\n\r\t "
        and (data[3:4].isdigit() or data[3:4] == b"#" or data[3:9] == b"WIDTH ")
    )


def ends_early(kind: Kind, data: bytes) -> bool:
    """Tell whether a file's own structure says that it is longer than it is (PNG and BMP: False, they say so)."""
    if kind == "WEBP":
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    if kind == "AVIF":
        return _boxes_end_beyond(data)
    if kind == "JPEG":
        return _segments_end_early(data)
    if kind == "GIF":
        return _blocks_end_early(data)
    return kind == "TIFF" and _tags_point_beyond(data)


def _segments_end_early(data: bytes) -> bool:
    """Walk a JPEG's segments: does the file end before its scan begins, or the scan before its end mark?"""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        if data[at + 1] == 0xFF:  # padding
            at += 1
            continue
        if data[at + 1] == 0xDA:
            return data.find(b"\xff\xd9", at) < 0
        at += 2 + max(int.from_bytes(data[at + 2 : at + 4], "big"), 2)
    return True


def _blocks_end_early(data: bytes) -> bool:
    """Walk a GIF's blocks: does the file end before its first picture does?"""

    def colours(flags: int) -> int:
        return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0

    at = 13 + (colours(data[10]) if len(data) > 10 else 0)
    while at < len(data):
        kind = data[at]
        if kind == 0x21:
            at += 2
        elif kind == 0x2C and at + 10 <= len(data):
            at += 11 + colours(data[at + 9])
        else:
            return kind == 0x2C
        while at < len(data) and data[at]:
            at += 1 + data[at]
        if at >= len(data):
            return True
        if kind == 0x2C:
            return False
        at += 1
    return True


def _boxes_end_beyond(data: bytes) -> bool:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:  # the last box, up to the end of the file
            return False
        at += max(size, 8)
    return at != len(data)


def _tags_point_beyond(data: bytes) -> bool:
    """Follow the first directory of a TIFF (not of a BigTIFF) to values and strips that lie behind the end."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return False
    values: dict[int, tuple[int, ...]] = {}
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, first)
        for at in range(first + 2, first + 2 + 12 * count, 12):
            tag, kind, length = struct.unpack_from(order + "HHI", data, at)
            size = _TIFF_SIZES.get(kind, 0) * length
            where = at + 8 if size <= 4 else struct.unpack_from(order + "I", data, at + 8)[0]
            if where + size > len(data):
                return True
            if tag in _STRIP_TAGS and kind in (3, 4):
                values[tag] = struct.unpack_from(f"{order}{length}{'HI'[kind - 3]}", data, where)
    except struct.error:
        return True
    for offsets, counts in ((273, 279), (324, 325)):
        pairs = zip(values.get(offsets, ()), values.get(counts, ()), strict=False)
        if any(offset + count > len(data) for offset, count in pairs):
            return True
    return False


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Read a WebP's width and height in pixels from its header: Pillow allocates the canvas while opening."""
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if chunk == b"VP8L" and len(data) >= 25 and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(data) >= 30 and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def webp_exif(data: bytes) -> bytes:
    """The EXIF block of a WebP, which comes behind its pixels; empty where there is none."""
    at = data.rfind(b"EXIF")
    return data[at + 8 : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")] if at >= 0 else b""


def gif_is_animated(data: bytes) -> bool:
    """Tell whether a GIF has a second frame, without decoding the first."""
    frames = 0
    try:
        at = 13 + _colour_table(data[10])
        while frames < 2:
            block = data[at]
            if block == 0x2C:  # an image: its header, its colour table, the code size
                frames += 1
                at += 11 + _colour_table(data[at + 9])
            elif block == 0x21:  # an extension: its label
                at += 2
            else:
                break
            while data[at]:  # sub-blocks, each led by its length
                at += data[at] + 1
            at += 1
    except IndexError:  # the file ends here; how many frames it shows is known all the same
        return frames > 1
    return frames > 1


def _colour_table(flags: int) -> int:
    """Length in bytes of the colour table that a GIF's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
