"""Choosing the source by what lies at a path."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snellen.errors import SourceError, UsageError
from snellen.images.base import ImageSource
from snellen.images.open import open_source
from tests.images.picture_files import noise, save

PHOTO = save(noise(), "PNG")


def put(path: Path, data: bytes = PHOTO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def put_tar(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("1.png")
        info.size = len(PHOTO)
        tar.addfile(info, io.BytesIO(PHOTO))
    return path


def put_parquet(file: Path, **columns: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns or {"image": pa.array([PHOTO], type=pa.binary())}), file)
    return file


def check(source: ImageSource, kind: str) -> None:
    (ref,) = source.refs()
    assert (source.kind, source.read(ref, 2**20)) == (kind, PHOTO)


def test_every_kind(tmp_path: Path) -> None:
    put(tmp_path / "photos" / "a.PNG")
    put(tmp_path / "photos" / "notes.txt", b"hello")
    check(open_source(tmp_path / "photos"), "folder")
    check(open_source(str(tmp_path / "photos")), "folder")
    check(open_source(put(tmp_path / "list.txt", b"photos/a.PNG")), "file_list")
    check(open_source(put(tmp_path / "list.csv", b"path\nphotos/a.PNG")), "file_list")
    check(open_source(put(tmp_path / "list.tsv", b"x\tf\n1\tphotos/a.PNG"), column="f"), "file_list")
    check(open_source(put_parquet(tmp_path / "list.parquet", path=["photos/a.PNG"])), "file_list")
    check(open_source(put_tar(tmp_path / "shards" / "00.tar")), "webdataset")
    check(open_source(tmp_path / "shards"), "webdataset")
    check(open_source(f"{tmp_path}/shards/{{00..00}}.tar"), "webdataset")
    check(open_source(put_parquet(tmp_path / "rows" / "a.parquet")), "parquet")
    check(open_source(tmp_path / "rows"), "parquet")


def test_a_parquet_with_both_kinds_of_column(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    both = put_parquet(tmp_path / "both.parquet", image=pa.array([PHOTO], type=pa.binary()), path=["a.png"])
    check(open_source(both), "parquet")
    check(open_source(both, column="image"), "parquet")
    check(open_source(both, column="path"), "file_list")
    with pytest.raises(UsageError, match="no column 'pth': choose one of 'image', 'path'"):
        open_source(both, column="pth")
    with pytest.raises(UsageError, match="no column of image bytes"):
        open_source(put_parquet(tmp_path / "c.parquet", name=["a.png"]))


def test_img2datasets_tables_do_not_make_a_mixture(tmp_path: Path) -> None:
    put_tar(tmp_path / "wds" / "00000.tar")
    put_parquet(tmp_path / "wds" / "00000.parquet", key=["1"], caption=["c"])
    put(tmp_path / "wds" / "00000_stats.json", b"{}")
    source = open_source(tmp_path / "wds")
    check(source, "webdataset")
    assert source.refs()[0].caption == "c"
    put(tmp_path / "files" / "00000" / "1.png")
    put_parquet(tmp_path / "files" / "00000.parquet", key=["1"])
    check(open_source(tmp_path / "files"), "folder")


def test_mixtures_name_what_they_mix(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    put_tar(tmp_path / "x" / "b.tar")
    with pytest.raises(UsageError, match=r"mixes 1 .tar shards and 1 images: give a sub-folder"):
        open_source(tmp_path)
    put_parquet(tmp_path / "metadata.parquet")
    with pytest.raises(UsageError, match=r"1 .parquet files and 1 .tar shards and 1 images"):
        open_source(tmp_path)


def test_missing_empty_and_strange_paths(tmp_path: Path) -> None:
    put(tmp_path / "clothing" / "a.png")
    with pytest.raises(UsageError, match=r"there is no .*clothign.*did you mean .*clothing"):
        open_source(tmp_path / "clothign")
    with pytest.raises(UsageError, match=r"did you mean .*clothing"):
        open_source(tmp_path / "clothin" / "deeper" / "still")
    with pytest.raises(UsageError, match="give a folder of images"):
        open_source(tmp_path / "zzzzzz")
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    put(tmp_path / "empty" / ".hidden" / "a.png")
    with pytest.raises(UsageError, match="holds no images"):
        open_source(tmp_path / "empty")
    with pytest.raises(UsageError, match="is one image: give the folder it lies in"):
        open_source(tmp_path / "clothing" / "a.png")
    with pytest.raises(UsageError, match="no source of images that is known by its extension"):
        open_source(put(tmp_path / "a.docx"))
    for strange in ("", "s3://bucket/x", "https://example.org/a.tar"):
        with pytest.raises(UsageError, match="is not a path on this machine"):
            open_source(strange)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        open_source(tmp_path / "pipe")


def test_a_column_where_there_are_none(tmp_path: Path) -> None:
    put(tmp_path / "a" / "a.png")
    tar = put_tar(tmp_path / "b" / "0.tar")
    for location in (tmp_path / "a", tmp_path / "b", tar, f"{tmp_path}/b/{{0..0}}.tar"):
        with pytest.raises(UsageError, match="has no columns: leave out 'x'"):
            open_source(location, column="x")


def test_compressed_tars_are_known_by_name_too(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is compressed"):
        open_source(put(tmp_path / "a.tar.gz", b"\x1f\x8b\x08" + bytes(50))).refs()


def test_links_are_followed_on_request(tmp_path: Path) -> None:
    put(tmp_path / "outside" / "a.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to("../outside")
    (tmp_path / "root" / "loop").symlink_to(".")
    with pytest.raises(UsageError, match="holds no images"):
        open_source(tmp_path / "root")
    check(open_source(tmp_path / "root", follow_links=True), "folder")


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = "import sys, snellen.images; print({'pyarrow', 'torch'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
