"""Tar shards in img2dataset's layout, written with `tarfile`."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from snellen.errors import SourceError, UsageError
from snellen.images.base import TooManyBytes
from snellen.images.decode import decode
from snellen.images.webdataset import WebDatasetSource, expand_braces, orientation_from
from snellen.records import ImageRef
from tests.images.picture_files import array, noise, quarters, save

LIMIT = 2**20
PHOTO = save(noise(), "PNG")


def write_tar(path: Path, members: list[tuple[str, bytes]], kind: int = tarfile.GNU_FORMAT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=kind) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def img2dataset(keys: list[str], **extra: Any) -> list[tuple[str, bytes]]:
    members = []
    for key in keys:
        meta = {"key": key, "url": f"http://x/{key}", "caption": f"photo {key}", "status": "success", **extra}
        members += [
            (f"{key}.jpg", PHOTO + key.encode()),
            (f"{key}.json", json.dumps(meta).encode()),
            (f"{key}.txt", f"photo {key}\n".encode()),
        ]
    return members


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_img2dataset_layout(tmp_path: Path, kind: int) -> None:
    path = write_tar(tmp_path / "00000.tar", img2dataset(["000000001", "000000003"]), kind)
    source = WebDatasetSource(path)
    first, second = source.refs()
    assert (first.uri, first.caption, first.label) == ("00000.tar#000000001.jpg", "photo 000000001", None)
    assert first.meta == {"key": "000000001", "url": "http://x/000000001", "status": "success"}
    assert second.uri == "00000.tar#000000003.jpg"
    assert not source.skipped.total()
    for ref in (first, second):
        assert ref.offset is not None and ref.length is not None
        key = ref.uri.partition("#")[2].partition(".")[0]
        assert path.read_bytes()[ref.offset : ref.offset + ref.length] == PHOTO + key.encode()
        assert source.read(ref, LIMIT) == PHOTO + key.encode()
    with pytest.raises(TooManyBytes):
        source.read(first, len(PHOTO))


def test_keys_are_joined_wherever_their_members_lie(tmp_path: Path) -> None:
    members = [
        ("x/1.txt", b"one"),
        ("2.png", b"2"),
        ("x/1.cls", b"7\n"),
        ("2.txt", b"two"),
        ("y/1.txt", b"other"),
        ("x/1.JPEG", b"1"),
        ("3.json", b'{"caption": "no image"}'),
        ("4.webp", b"4"),
        ("5.notes", b""),
        ("README", b""),
        ("._2.png", b""),
    ]
    source = WebDatasetSource(write_tar(tmp_path / "a.tar", members))
    assert [(ref.uri, ref.caption, ref.label) for ref in source.refs()] == [
        ("a.tar#x/1.JPEG", "one", "7"),
        ("a.tar#2.png", "two", None),
        ("a.tar#4.webp", None, None),
    ]
    assert dict(source.skipped) == {"other_files": 2, "hidden": 1, "extra_images": 0}


def test_names_are_percent_encoded_on_both_sides(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "my #1 照.tar", [("a b/<script>#.jpg", b"x"), ("two\nlines.jpg", b"y")])
    source = WebDatasetSource(path)
    assert [ref.uri for ref in source.refs()] == [
        "my%20%231%20%E7%85%A7.tar#a%20b/%3Cscript%3E%23.jpg",
        "my%20%231%20%E7%85%A7.tar#two%0Alines.jpg",
    ]
    assert [source.read(ref, LIMIT) for ref in source.refs()] == [b"x", b"y"]


def test_two_images_under_one_key(tmp_path: Path) -> None:
    for names in (("1.jpg", "1.png"), ("1.jpg", "1.jpg"), ("IMG.01.jpg", "IMG.02.jpg")):
        path = write_tar(tmp_path / "a.tar", [(name, b"") for name in names])
        with pytest.raises(SourceError, match=rf"more than one image under the key .*{names[1]}"):
            WebDatasetSource(path).refs()
    source = WebDatasetSource(
        write_tar(tmp_path / "b.tar", [("1.seg.png", b"s"), ("1.jpg", b"x"), ("my.photo.jpg", b"y")])
    )
    assert [ref.uri for ref in source.refs()] == ["b.tar#1.jpg", "b.tar#my.photo.jpg"]
    assert dict(source.skipped) == {"extra_images": 1}


def test_the_sidecar_is_joined_on_key_never_on_row(tmp_path: Path) -> None:
    keys = [f"{number:09d}" for number in range(5)]
    downloaded = [keys[1], keys[3], keys[4]]  # the others failed: in the Parquet, not in the tar
    write_tar(tmp_path / "00000.tar", [(f"{key}.jpg", key.encode()) for key in reversed(downloaded)])
    rows = {
        "key": keys,
        "caption": [f"caption {key}" for key in keys],
        "url": [f"http://x/{key}" for key in keys],
        "status": ["success" if key in downloaded else "failed_to_download" for key in keys],
        "width": [None, 10, None, 30, 40],
        "exif": [None, None, None, '{"Image Orientation": "Rotated 180"}', "{}"],
    }
    pq.write_table(pa.table(rows), tmp_path / "00000.parquet")
    refs = WebDatasetSource(tmp_path).refs()
    assert [(ref.caption, (ref.meta or {})["url"], (ref.meta or {})["width"], ref.orientation) for ref in refs] == [
        (f"caption {keys[4]}", f"http://x/{keys[4]}", 40, None),
        (f"caption {keys[3]}", f"http://x/{keys[3]}", 30, 3),
        (f"caption {keys[1]}", f"http://x/{keys[1]}", 10, None),
    ]


def test_the_tars_own_members_come_before_the_sidecar(tmp_path: Path) -> None:
    write_tar(tmp_path / "0.tar", [("1.jpg", b""), ("1.txt", b"from the tar")])
    pq.write_table(pa.table({"key": ["1"], "caption": ["from the table"], "url": ["u"]}), tmp_path / "0.parquet")
    (ref,) = WebDatasetSource(tmp_path / "0.tar").refs()
    assert (ref.caption, ref.meta) == ("from the tar", {"key": "1", "url": "u"})


def test_a_sidecar_without_keys_and_bad_json_are_counted(tmp_path: Path) -> None:
    write_tar(tmp_path / "0.tar", [("1.jpg", b""), ("1.json", b"{not json"), ("2.jpg", b""), ("2.json", b"[1]")])
    pq.write_table(pa.table({"url": ["u"]}), tmp_path / "0.parquet")
    source = WebDatasetSource(tmp_path / "0.tar")
    assert [ref.meta for ref in source.refs()] == [None, None]
    assert dict(source.skipped) == {"sidecars_without_key": 1, "bad_json": 2, "extra_images": 0}


def test_the_orientation_that_img2dataset_kept_sets_the_picture_upright(tmp_path: Path) -> None:
    turned = save(quarters().transpose(Image.Transpose.ROTATE_90), "PNG")  # as a camera turned to the right stores it
    exif = json.dumps({"Image Orientation": "Rotated 90 CW", "Image Make": "x"})
    path = write_tar(tmp_path / "0.tar", [("1.png", turned), ("1.json", json.dumps({"exif": exif}).encode())])
    source = WebDatasetSource(path)
    (ref,) = source.refs()
    assert ref.orientation == 6
    found = decode(source.read(ref, LIMIT), orientation=ref.orientation)
    assert found.flags == ("exif_rotated",)
    assert np.array_equal(array(found.image), array(quarters()))


@pytest.mark.parametrize(
    ("exif", "orientation"),
    [
        ('{"Image Orientation": "Horizontal (normal)"}', 1),
        ({"Image Orientation": "Mirrored horizontal"}, 2),
        ({"Image Orientation": "Mirrored vertical"}, 4),
        ({"Image Orientation": "Mirrored horizontal then rotated 90 CCW"}, 5),
        ({"Image Orientation": "Mirrored horizontal then rotated 90 CW"}, 7),
        ({"Image Orientation": "Rotated 90 CCW"}, 8),
        ({"Image Orientation": "6"}, 6),
        ({"Image Orientation": 6}, 6),
        ({"Image Orientation": "0"}, None),
        ({"Image Orientation": 99}, None),
        ({"Image Orientation": ["x"]}, None),
        ({"Image Make": "x"}, None),
        ("{broken", None),
        ("[]", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_orientation_names(exif: object, orientation: int | None) -> None:
    assert orientation_from(exif) == orientation


def test_folders_and_patterns(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        write_tar(tmp_path / "shards" / f"{number:05d}.tar", [("1.jpg", str(number).encode())])
    everything = WebDatasetSource(tmp_path)
    assert [ref.uri for ref in everything.refs()] == [f"shards/{number:05d}.tar#1.jpg" for number in range(3)]
    some = WebDatasetSource(f"{tmp_path}/shards/{{00001..00002}}.tar")
    assert [ref.uri for ref in some.refs()] == ["00001.tar#1.jpg", "00002.tar#1.jpg"]
    for source in (everything, some, pickle.loads(pickle.dumps(some))):
        assert [source.read(ref, LIMIT) for ref in source.refs()] == [
            ref.uri.partition(".")[0][-1].encode() for ref in source.refs()
        ]
    with pytest.raises(UsageError, match=r"00003\.tar' is missing and so are 1 more of the 4"):
        WebDatasetSource(f"{tmp_path}/shards/{{00001..00004}}.tar")
    with pytest.raises(UsageError, match=r"holds no .tar"):
        (tmp_path / "empty").mkdir()
        WebDatasetSource(tmp_path / "empty")


def test_braces() -> None:
    assert expand_braces("x/{8..10}.tar") == ["x/8.tar", "x/9.tar", "x/10.tar"]
    assert expand_braces("{a,b}/{00..01}.tar") == ["a/00.tar", "a/01.tar", "b/00.tar", "b/01.tar"]
    assert expand_braces("plain.tar") == ["plain.tar"]
    with pytest.raises(UsageError, match=r"backwards"):
        expand_braces("{3..1}.tar")
    with pytest.raises(UsageError, match=r"more than"):
        expand_braces("{0..99999999999}.tar")


def test_compressed_tars(tmp_path: Path) -> None:
    plain = write_tar(tmp_path / "0.tar", [("1.jpg", b"x")]).read_bytes()
    (tmp_path / "0.tar").write_bytes(gzip.compress(plain))
    with pytest.raises(SourceError, match=r"0\.tar is compressed \(gzip\).*unpack"):
        WebDatasetSource(tmp_path / "0.tar").refs()


def test_cut_off_tars(tmp_path: Path) -> None:
    """At every point that differs: in a header, in a member, at a boundary, in the end mark, at nothing at all."""
    whole = write_tar(tmp_path / "0.tar", [("1.jpg", b"x" * 700), ("2.jpg", b"y" * 300)]).read_bytes()
    for length in (0, 100, 512, 900, 1536, 1600, 2048, 2200, 2560):
        (tmp_path / "0.tar").write_bytes(whole[:length])
        with pytest.raises(SourceError, match=r"0\.tar is damaged or ends early"):
            WebDatasetSource(tmp_path / "0.tar").refs()
    (tmp_path / "0.tar").write_bytes(whole[: 2560 + 1024])
    assert len(WebDatasetSource(tmp_path / "0.tar").refs()) == 2


def test_damaged_and_joined_tars(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "0.tar", [("1.jpg", b"x" * 700), ("2.jpg", b"y")]).read_bytes()
    damaged = bytearray(whole)
    damaged[1536 + 20] ^= 1  # in the second header
    (tmp_path / "0.tar").write_bytes(damaged)
    with pytest.raises(SourceError, match=r"no valid header at byte 1,536"):
        WebDatasetSource(tmp_path / "0.tar").refs()
    (tmp_path / "0.tar").write_bytes(whole + whole)
    with pytest.raises(SourceError, match=r"goes on behind its end mark"):
        WebDatasetSource(tmp_path / "0.tar").refs()
    (tmp_path / "0.tar").write_bytes(b"this is no tar at all" * 100)
    with pytest.raises(SourceError, match=r"damaged"):
        WebDatasetSource(tmp_path / "0.tar").refs()


def test_links_and_folders_in_a_tar_are_not_images(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for name, kind in (("a", tarfile.DIRTYPE), ("a/1.jpg", tarfile.SYMTYPE), ("a/2.jpg", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    source = WebDatasetSource(tmp_path / "0.tar")
    assert (list(source.refs()), dict(source.skipped)) == ([], {"other_files": 2})


def test_nothing_but_the_shards_is_read(tmp_path: Path) -> None:
    write_tar(tmp_path / "0.tar", [("1.jpg", b"x")])
    (tmp_path / "secret").write_bytes(b"secret")
    source = WebDatasetSource(tmp_path / "0.tar")
    for ref in (ImageRef("secret#1.jpg", 0, 3), ImageRef("../0.tar#1.jpg", 0, 3), ImageRef("0.tar#1.jpg")):
        with pytest.raises(PermissionError):
            source.read(ref, LIMIT)
    with pytest.raises(OSError, match=r"ended after"):
        source.read(ImageRef("0.tar#1.jpg", 10, 10**5), LIMIT)


def test_failed_downloads_are_counted(tmp_path: Path) -> None:
    write_tar(tmp_path / "00000.tar", img2dataset(["000000001", "000000003"]))
    keys = ["000000001", "000000002", "000000003", "000000004"]
    pq.write_table(pa.table({"key": keys, "status": ["success", "failed_to_download"] * 2}), tmp_path / "00000.parquet")
    source = WebDatasetSource(tmp_path / "00000.tar")
    assert len(source.refs()) == 2
    assert source.skipped["keys_without_image"] == 2
