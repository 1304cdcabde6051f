"""The folder source: every file gets a row or a count, and nothing outside is ever read."""

from __future__ import annotations

import os
import pickle
import socket
from pathlib import Path

import pytest

from snellen.errors import SourceError, UsageError
from snellen.images.base import TooManyBytes, iterate
from snellen.images.decode import Limits, decode
from snellen.images.folder import FolderSource
from snellen.records import ImageRef
from tests.images.picture_files import noise, save

LIMIT = Limits().max_bytes
PHOTO = save(noise(), "PNG")


def write(path: Path, data: bytes = PHOTO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_order_labels_and_counts(tmp_path: Path) -> None:
    for name in ("b.JPG", "a/z.Png", "a-b/x.tiff", "a/y/deep.webp", "Ä.gif", "B.jpeg", "x.HEIC", "notes.txt", "c.svg"):
        write(tmp_path / name)
    write(tmp_path / ".hidden" / "no.jpg")
    write(tmp_path / "a" / "._z.png")
    source = FolderSource(tmp_path)
    refs = source.refs()
    # By bytes: "-" comes before "/", capitals before small letters, and all of ASCII before Ä.
    assert [(ref.uri, ref.label) for ref in refs] == [
        ("B.jpeg", None),
        ("a-b/x.tiff", "a-b"),
        ("a/y/deep.webp", "y"),
        ("a/z.Png", "a"),
        ("b.JPG", None),
        ("x.HEIC", None),
        ("%C3%84.gif", None),
    ]
    assert dict(source.skipped) == {"other_files": 2, "hidden": 2}
    assert source.refs() is refs
    assert dict(source.skipped) == {"other_files": 2, "hidden": 2}
    assert source.kind == "folder"


@pytest.mark.parametrize(
    "name",
    [
        "照片.jpg".encode(),
        b"two\nlines\r.png",
        b"<script>alert(1)</script>".replace(b"/", b"_") + b".png",
        b"caf\xe9 \xff\xfe.png",
        b"100%25 #1?x=y&z.png",
        b"-rf ; rm *.png",
        b"'\"`$(x)\\.png",
        b"\xe2\x80\xaegnp.png",
    ],
)
def test_hostile_names_round_trip(tmp_path: Path, name: bytes) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(PHOTO + name)
    source = FolderSource(tmp_path)
    (ref,) = source.refs()
    assert ref.uri.isascii()
    assert not set(ref.uri) & set("\n\r<>\"' #?")
    assert source.read(ref, LIMIT) == PHOTO + name


def test_a_label_that_is_not_utf8_becomes_text(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    write(folder / "a.png")
    (ref,) = FolderSource(tmp_path).refs()
    assert (ref.label, ref.uri) == ("caf\\xe9", "caf%E9/a.png")


def test_links(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "secret.png", b"secret")
    root = tmp_path / "root"
    write(root / "real" / "a.png")
    (root / "in.png").symlink_to("real/a.png")
    (root / "out.png").symlink_to(outside)
    (root / "broken.png").symlink_to("nowhere.png")
    (root / "round.png").symlink_to("round.png")
    (root / "folder").symlink_to(outside.parent)
    (root / "loop").symlink_to(root)
    source = FolderSource(root)
    refs = {ref.uri: ref for ref in source.refs()}
    assert list(refs) == ["broken.png", "in.png", "out.png", "real/a.png", "round.png"]
    assert dict(source.skipped) == {"links_not_followed": 2}
    assert source.read(refs["in.png"], LIMIT) == PHOTO
    with pytest.raises(PermissionError, match="leads out of the folder"):
        source.read(refs["out.png"], LIMIT)
    for name in ("broken.png", "round.png"):
        with pytest.raises(OSError, match=r"."):
            source.read(refs[name], LIMIT)


def test_following_links(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "far.png", b"far")
    root = tmp_path / "root"
    write(root / "z" / "a.png")
    (root / "a").symlink_to("z")  # comes before z, which keeps its own name all the same
    (root / "loop").symlink_to(root)
    (root / "elsewhere").symlink_to(outside.parent)
    (root / "again").symlink_to(outside.parent)
    (root / "one.png").symlink_to(outside)
    source = FolderSource(root, follow_links=True)
    assert [ref.uri for ref in source.refs()] == ["again/far.png", "one.png", "z/a.png"]
    assert [source.read(ref, LIMIT) for ref in source.refs()] == [b"far", b"far", PHOTO]


@pytest.mark.parametrize(
    "uri", ["../secret.png", "a/../../secret.png", "%2e%2e/secret.png", "/etc/passwd", "%2Fetc/passwd"]
)
@pytest.mark.parametrize("follow", [True, False])
def test_no_uri_leads_out(tmp_path: Path, uri: str, follow: bool) -> None:
    write(tmp_path / "secret.png")
    write(tmp_path / "root" / "a" / "b.png")
    with pytest.raises(PermissionError, match="out of the folder"):
        FolderSource(tmp_path / "root", follow_links=follow).read(ImageRef(uri), LIMIT)


def test_a_folder_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    write(tmp_path / "root-2" / "a.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "b.png").symlink_to("../root-2/a.png")
    source = FolderSource(tmp_path / "root")
    with pytest.raises(PermissionError):
        source.read(source.refs()[0], LIMIT)


@pytest.mark.timeout(10)
def test_pipes_sockets_and_devices_are_never_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        (tmp_path / "device.jpg").symlink_to("/dev/zero")
        source = FolderSource(tmp_path, follow_links=True)
        refs = source.refs()
        assert [ref.uri for ref in refs] == ["device.jpg", "pipe.jpg", "socket.jpg"]
        for ref, kind in zip(refs, ("device", "pipe", "socket"), strict=True):
            with pytest.raises(OSError, match=f"is a {kind}, not a file"):
                source.read(ref, LIMIT)


def test_a_folder_named_like_an_image_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "album.jpg" / "a.png")
    source = FolderSource(tmp_path)
    assert [ref.uri for ref in source.refs()] == ["album.jpg/a.png"]
    with pytest.raises(OSError, match="is a folder, not a file"):
        source.read(ImageRef("album.jpg"), LIMIT)


def test_the_byte_limit(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    with (tmp_path / "sparse.png").open("wb") as file:
        file.truncate(2**40)
    source = FolderSource(tmp_path)
    photo, sparse = source.refs()
    assert source.read(photo, len(PHOTO)) == PHOTO
    with pytest.raises(TooManyBytes, match="limit"):
        source.read(photo, len(PHOTO) - 1)
    with pytest.raises(TooManyBytes, match="1,099,511,627,776 bytes"):
        source.read(sparse, LIMIT)


def test_empty_files_and_text_are_listed(tmp_path: Path) -> None:
    write(tmp_path / "empty.jpg", b"")
    write(tmp_path / "text.jpg", b"hello")
    source = FolderSource(tmp_path)
    assert [decode(source.read(ref, LIMIT)).status for ref in source.refs()] == ["not_an_image"] * 2


def test_iterate_and_pickle(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    source = FolderSource(tmp_path)
    source.refs()
    for one in (source, pickle.loads(pickle.dumps(source))):
        assert list(iterate(one, LIMIT)) == [("a.png", PHOTO, {})]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        FolderSource(tmp_path / "none")


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "closed" / "a.png")
    scan = os.scandir

    def refuse(path: bytes) -> object:
        if path.endswith(b"closed"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match=r"'closed' cannot be listed \(Permission denied\)"):
        FolderSource(tmp_path).refs()
