"""Parquet files with image bytes."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snellen.errors import SourceError, UsageError
from snellen.images.base import TooManyBytes
from snellen.images.parquet import ParquetSource
from snellen.records import ImageRef

LIMIT = 2**20
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def cells(*contents: bytes | None) -> Any:
    return pa.array([{"bytes": content, "path": f"{n}.jpg"} for n, content in enumerate(contents)], type=IMAGE)


def write(path: Path, columns: dict[str, Any], features: dict[str, Any] | None = None, rows: int = 2) -> Path:
    table = pa.table(columns)
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows)
    return path


def test_hugging_face_layout(tmp_path: Path) -> None:
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    columns = {
        "image": cells(b"a", b"bb", b"ccc"),
        "label": [1, 0, -1],
        "caption": ["x", None, "z"],
        "id": [10, 11, 12],
        "boxes": [[1], [2], [3]],
    }
    source = ParquetSource(write(tmp_path / "my a.parquet", columns, features))
    refs = source.refs()
    assert refs[0] == ImageRef("my%20a.parquet#0", label="dog", caption="x", meta={"id": 10})
    assert refs[1] == ImageRef("my%20a.parquet#1", label="cat", meta={"id": 11})
    assert refs[2] == ImageRef("my%20a.parquet#2", caption="z", meta={"id": 12})
    assert [source.read(ref, LIMIT) for ref in refs] == [b"a", b"bb", b"ccc"]
    with pytest.raises(TooManyBytes, match=r"has 3 bytes, the limit is 2"):
        source.read(refs[2], 2)


def test_a_plain_column_and_labels_without_names(tmp_path: Path) -> None:
    for kind in (pa.binary(), pa.large_binary()):
        path = write(tmp_path / "a.parquet", {"jpg": pa.array([b"x", b"y", b"z"], type=kind), "label": [5, 6, None]})
        source = ParquetSource(path)
        assert [(source.read(ref, LIMIT), ref.label, ref.meta) for ref in source.refs()] == [
            (b"x", "5", None),
            (b"y", "6", None),
            (b"z", None, None),
        ]


def test_a_folder_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("b/1", "a-2", "a/1", "B"):
        write(tmp_path / f"{name}.parquet", {"image": cells(name.encode(), b"-")})
    source = ParquetSource(tmp_path)
    assert [ref.uri for ref in source.refs()] == [
        f"{name}.parquet#{row}" for name in ("B", "a-2", "a/1", "b/1") for row in (0, 1)
    ]
    for one in (source, pickle.loads(pickle.dumps(source))):
        assert one.read(ImageRef("a/1.parquet#0"), LIMIT) == b"a/1"


def test_rows_in_any_order_across_row_groups(tmp_path: Path) -> None:
    contents = [bytes([number]) * number for number in range(1, 12)]
    source = ParquetSource(write(tmp_path / "a.parquet", {"image": cells(*contents)}, rows=3))
    refs = source.refs()
    for number in (0, 10, 3, 2, 9, 5, 8, 1, 0):
        assert source.read(refs[number], LIMIT) == contents[number]


def test_each_row_group_is_read_once_in_order_and_only_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ParquetSource(write(tmp_path / "a.parquet", {"image": cells(*[b"x"] * 6), "big": ["y"] * 6}))
    read, calls = pq.ParquetFile.read_row_group, list[tuple[int, list[str]]]()

    def spy(self: Any, group: int, columns: list[str]) -> Any:
        calls.append((group, columns))
        return read(self, group, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    for ref in source.refs():
        source.read(ref, LIMIT)
    assert calls == [(0, ["image"]), (1, ["image"]), (2, ["image"])]


def test_rows_without_bytes(tmp_path: Path) -> None:
    image = pa.array([{"bytes": None, "path": "far/a.jpg"}, {"bytes": None, "path": None}, None], type=IMAGE)
    source = ParquetSource(write(tmp_path / "a.parquet", {"image": image}))
    first, second, third = source.refs()
    with pytest.raises(OSError, match=r"holds no bytes in its column 'image', only the path 'far/a.jpg'"):
        source.read(first, LIMIT)
    for ref in (second, third):
        with pytest.raises(OSError, match=r"holds no bytes in its column 'image'$"):
            source.read(ref, LIMIT)


def test_choosing_the_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"left": cells(b"l"), "right": cells(b"r"), "name": ["n"]})
    with pytest.raises(UsageError, match=r"several columns of bytes: choose one of 'left', 'right'"):
        ParquetSource(path)
    source = ParquetSource(path, column="right")
    assert source.read(source.refs()[0], LIMIT) == b"r"
    with pytest.raises(UsageError, match=r"no column 'name' of image bytes: choose one of 'left', 'right'"):
        ParquetSource(path, column="name")
    path = write(tmp_path / "b.parquet", {"name": ["n"], "size": [1]})
    with pytest.raises(
        UsageError, match=r"no column of image bytes: its columns are 'name' \(string\), 'size' \(int64\)"
    ):
        ParquetSource(path)


def test_damage(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"rubbish")
    with pytest.raises(SourceError, match=r"bad.parquet cannot be read as Parquet"):
        ParquetSource(tmp_path / "bad.parquet")
    write(tmp_path / "mixed" / "a.parquet", {"image": cells(b"x")})
    write(tmp_path / "mixed" / "b.parquet", {"photo": cells(b"x")})
    with pytest.raises(SourceError, match=r"b.parquet has no column 'image'"):
        ParquetSource(tmp_path / "mixed").refs()
    path = write(tmp_path / "flipped.parquet", {"image": pa.array([b"z" * 5000] * 4)})
    source = ParquetSource(path)
    refs = source.refs()
    data = bytearray(path.read_bytes())
    data[4:60] = b"\xff" * 56
    path.write_bytes(data)
    with pytest.raises(OSError, match=r"."):
        source.read(refs[0], LIMIT)
    path.unlink()
    with pytest.raises(OSError, match=r"cannot be read"):
        source.read(refs[3], LIMIT)


def test_nothing_but_its_rows_is_read(tmp_path: Path) -> None:
    source = ParquetSource(write(tmp_path / "a.parquet", {"image": cells(b"x")}))
    for uri in ("b.parquet#0", "../a.parquet#0", "a.parquet#-1", "a.parquet#x", "a.parquet"):
        with pytest.raises(PermissionError):
            source.read(ImageRef(uri), LIMIT)
    with pytest.raises(OSError, match=r"has 1 rows, and no row 1"):
        source.read(ImageRef("a.parquet#1"), LIMIT)


@pytest.mark.parametrize("metadata", [b"not json", b"[]", b'{"info": {"features": {"label": 3}}}', b'{"info": null}'])
def test_odd_metadata_is_ignored(tmp_path: Path, metadata: bytes) -> None:
    table = pa.table({"image": cells(b"x"), "label": [0]}).replace_schema_metadata({b"huggingface": metadata})
    pq.write_table(table, tmp_path / "a.parquet")
    assert [ref.label for ref in ParquetSource(tmp_path / "a.parquet").refs()] == ["0"]
