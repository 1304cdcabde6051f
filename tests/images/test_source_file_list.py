"""Lists of files: text, CSV, TSV, Parquet."""

from __future__ import annotations

import datetime
import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snellen.errors import SourceError, UsageError
from snellen.images.file_list import FileListSource
from snellen.records import ImageRef
from tests.images.picture_files import noise, save

LIMIT = 2**20
PHOTO = save(noise(), "PNG")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """lists/ with photographs in it, and one beside it."""
    (tmp_path / "lists" / "sub dir").mkdir(parents=True)
    for name in ("lists/a.png", "lists/sub dir/照.png", "beside.png"):
        (tmp_path / name).write_bytes(PHOTO + name.encode())
    return tmp_path / "lists"


def test_text(photos: Path) -> None:
    lines = [
        b"\xef\xbb\xbfsub dir/\xe7\x85\xa7.png",
        b"",
        b"./a.png\r",
        b"   ",
        bytes(photos / "a.png"),
        b"../beside.png",
    ]
    lines += [b"caf\xe9.png", b"a.png"]
    (photos / "list.txt").write_bytes(b"\n".join(lines))
    source = FileListSource(photos / "list.txt")
    refs = source.refs()
    assert [ref.uri for ref in refs] == [
        "sub%20dir/%E7%85%A7.png",
        "a.png",
        "a.png",
        "../beside.png",
        "caf%E9.png",
        "a.png",
    ]
    assert dict(source.skipped) == {"blank_lines": 2}
    assert source.read(refs[0], LIMIT) == PHOTO + "lists/sub dir/照.png".encode()
    assert source.read(refs[3], LIMIT) == PHOTO + b"beside.png"
    with pytest.raises(FileNotFoundError):
        source.read(refs[4], LIMIT)


def test_absolute_paths_elsewhere_stay_absolute(photos: Path) -> None:
    (photos / "list.txt").write_bytes(bytes(photos.parent / "beside.png"))
    (ref,) = FileListSource(photos / "list.txt").refs()
    assert ref.uri == str(photos.parent / "beside.png")
    assert FileListSource(photos / "list.txt").read(ref, LIMIT) == PHOTO + b"beside.png"


def test_nothing_is_read_that_the_list_does_not_name(photos: Path) -> None:
    (photos / "list.txt").write_text("a.png\n")
    source = pickle.loads(pickle.dumps(FileListSource(photos / "list.txt")))
    for uri in ("../beside.png", "/etc/passwd", "list.txt"):
        with pytest.raises(PermissionError, match=r"is not in the list"):
            source.read(ImageRef(uri), LIMIT)
    assert source.read(ImageRef("a.png"), LIMIT) == PHOTO + b"lists/a.png"


@pytest.mark.timeout(10)
def test_a_pipe_in_a_list_is_not_waited_for(photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    (photos / "list.txt").write_text("pipe.png\nzero\0byte.png\n")
    source = FileListSource(photos / "list.txt")
    for ref in source.refs():
        with pytest.raises(OSError, match=r"pipe, not a file|zero byte"):
            source.read(ref, LIMIT)


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv", "\t"), (".CSV", ",")])
def test_tables(photos: Path, suffix: str, separator: str) -> None:
    rows = [
        ["file", "label", "caption", "width", "note"],
        ["a.png", "cat", "a cat on a mat", "48", ""],
        ["sub dir/照.png", "", "", "7", "x"],
    ]
    (photos / f"list{suffix}").write_text("\ufeff" + "\n".join(separator.join(row) for row in rows) + "\n\n")
    first, second = FileListSource(photos / f"list{suffix}", column="file").refs()
    assert first == ImageRef("a.png", label="cat", caption="a cat on a mat", meta={"width": "48", "note": ""})
    assert second == ImageRef("sub%20dir/%E7%85%A7.png", meta={"width": "7", "note": "x"})


def test_quoted_cells_with_newlines(photos: Path) -> None:
    (photos / "list.csv").write_text('path,caption\r\na.png,"two\nlines, and a comma"\r\n')
    (ref,) = FileListSource(photos / "list.csv").refs()
    assert (ref.caption, ref.meta) == ("two\nlines, and a comma", None)


def test_a_missing_column_lists_the_columns(photos: Path) -> None:
    (photos / "list.csv").write_text("file,label\na.png,x\n")
    with pytest.raises(UsageError, match=r"no column 'path': choose one of 'file', 'label'"):
        FileListSource(photos / "list.csv")
    with pytest.raises(UsageError, match=r"has no columns"):
        (photos / "list.txt").write_text("a.png")
        FileListSource(photos / "list.txt", column="file")
    (photos / "empty.csv").write_text("")
    with pytest.raises(UsageError, match=r"choose one of none"):
        FileListSource(photos / "empty.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\na.png\n", "line 2 of list.csv has more or fewer cells"),
        ("path,label\na.png,x,y\n", "line 2 of list.csv has more or fewer cells"),
        ("path,label\n,x\n", "line 2 of list.csv has no path"),
        ('path,label\na.png,"never closed\n', "cannot be read as CSV"),
        ("path,label\na.png," + "x" * 200_000 + "\n", "cannot be read as CSV"),
    ],
)
def test_a_damaged_table_names_the_line(photos: Path, text: str, message: str) -> None:
    (photos / "list.csv").write_text(text)
    with pytest.raises(SourceError, match=message):
        FileListSource(photos / "list.csv").refs()


def test_parquet(photos: Path) -> None:
    table = pa.table(
        {
            "path": ["a.png", "sub dir/照.png"],
            "label": [3, None],
            "caption": ["one", None],
            "score": [0.5, float("nan")],
            "day": [datetime.date(2024, 2, 29), None],
            "vector": [[1.0], [2.0]],
        }
    )
    pq.write_table(table, photos / "list.parquet")
    first, second = FileListSource(photos / "list.parquet").refs()
    assert first == ImageRef("a.png", label="3", caption="one", meta={"score": 0.5, "day": "2024-02-29"})
    assert second == ImageRef("sub%20dir/%E7%85%A7.png", meta={"score": None, "day": None})
    with pytest.raises(UsageError, match=r"no column of strings 'score': choose one of 'path', 'caption'"):
        FileListSource(photos / "list.parquet", column="score")


def test_a_null_path_and_a_damaged_parquet(photos: Path) -> None:
    pq.write_table(pa.table({"path": ["a.png", None]}), photos / "list.parquet")
    with pytest.raises(SourceError, match=r"row 1 of list.parquet has no path"):
        FileListSource(photos / "list.parquet").refs()
    (photos / "bad.parquet").write_bytes(b"PAR1 rubbish PAR1")
    with pytest.raises(SourceError, match=r"bad.parquet cannot be read as Parquet"):
        FileListSource(photos / "bad.parquet")


def test_a_missing_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file"):
        FileListSource(tmp_path / "none.txt")
