"""Parquet files with the images' bytes in a column: the layout of Hugging Face datasets."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snellen.errors import SourceError, UsageError
from snellen.images import tables
from snellen.images.base import TooManyBytes
from snellen.images.paths import to_uri
from snellen.records import ImageRef

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE: Final = "image"


class ParquetSource:
    """Images in a column of one Parquet file, or of all in a folder, in the order of file names, then rows.

    The column holds the files' bytes, or structs of `bytes` and `path`. Columns `label` (with the names of a Hugging
    Face ClassLabel, where it is one) and `caption` are what they say; other columns of single values become meta.
    Rows without bytes are listed, and `read` says why it cannot. Row groups are read one at a time, only the images'
    column, and the last one is kept: reading in order reads each once.

    Args:
        location: a `.parquet`, or a folder of them (searched through its sub-folders).
        column: the images' column; without it `image`, else the only one that can hold images.

    Raises:
        UsageError: there is no such file or column.
        SourceError: a file cannot be read as Parquet.
    """

    kind = "parquet"

    def __init__(self, location: Path | str, *, column: str | None = None) -> None:
        path = Path(location)
        if not path.exists():
            raise UsageError(f"there is no {str(location)!r}: give a .parquet file, or a folder of them")
        self._base = path.parent if path.is_file() else path
        names = [path.name] if path.is_file() else parquet_files(path)
        if not names:
            raise UsageError(f"the folder {str(path)!r} holds no .parquet: give the folder that holds the files")
        self._files = {to_uri(os.fsencode(name)): self._base / name for name in names}
        self._column = choose_column(self._base / names[0], column)
        self._refs: list[ImageRef] | None = None
        self._cache: tuple[str, int, int, Any] | None = None
        self.skipped: Counter[str] = Counter()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_refs": None, "_cache": None}

    def refs(self) -> Sequence[ImageRef]:
        """List the images: one a row.

        Raises:
            SourceError: a file is damaged, or lacks the images' column.
        """
        if self._refs is None:
            self._refs = [ref for uri, path in self._files.items() for ref in self._file_refs(uri, path)]
        return self._refs

    def read(self, ref: ImageRef, max_bytes: int) -> bytes:
        """Return the bytes of a row's image.

        Raises:
            OSError: the row has none, or is none of this source's.
            TooManyBytes: it has more than `max_bytes`.
        """
        uri, _, number = ref.uri.partition("#")
        if uri not in self._files or not number.isdecimal():
            raise PermissionError(f"{ref.uri!r} is not a row of this source")
        cell = self._cell(uri, int(number))
        path = None
        if cell.is_valid and hasattr(cell, "keys"):  # a struct
            path = cell["path"].as_py() if "path" in cell.keys() else None  # noqa: SIM118 (pyarrow's `in` means values)
            cell = cell["bytes"]
        if not cell.is_valid:
            hint = f", only the path {path!r}: list the files themselves in a text file" if path else ""
            raise OSError(f"{ref.uri!r} holds no bytes in its column {self._column!r}{hint}")
        size = cell.as_buffer().size
        if size > max_bytes:
            raise TooManyBytes(f"{ref.uri!r} has {size:,} bytes, the limit is {max_bytes:,}")
        return bytes(cell.as_py())

    def _cell(self, uri: str, row: int) -> pa.Scalar:
        """Find a row's cell, by way of the row group that was read last, if it is in there."""
        import pyarrow as pa

        kept = self._cache  # taken once: another thread may replace it at any time
        if kept is None or kept[0] != uri or not 0 <= row - kept[1] < kept[2]:
            try:
                file = tables.open_parquet(self._files[uri])
            except SourceError as error:  # it was good when the source was opened
                raise OSError(str(error)) from error
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            starts = [0, *accumulate(sizes)]
            if not 0 <= row < starts[-1]:
                raise OSError(f"{uri} has {starts[-1]:,} rows, and no row {row:,}")
            group = bisect_right(starts, row) - 1
            try:
                cells = file.read_row_group(group, columns=[self._column]).column(self._column)
            except (pa.ArrowException, KeyError) as error:
                raise OSError(f"row group {group} of {uri} is damaged: {error}") from error
            kept = self._cache = (uri, starts[group], sizes[group], cells)
        return kept[3][row - kept[1]]

    def _file_refs(self, uri: str, path: Path) -> Iterator[ImageRef]:
        file = tables.open_parquet(path)
        schema = file.schema_arrow
        if self._column not in schema.names or not tables.is_image(schema.field(self._column).type):
            raise SourceError(
                f"{path.name} has no column {self._column!r} of images, as the first file has: give the files apart"
            )
        columns = [field.name for field in schema if tables.is_scalar(field.type)]
        if not columns:
            yield from (ImageRef(f"{uri}#{row}") for row in range(file.metadata.num_rows))
            return
        names = tables.class_names(schema, tables.LABEL)
        row = 0
        for batch in tables.batches(file, columns, path.name):
            for cells in batch.to_pylist():
                label = tables.class_name(cells.pop(tables.LABEL, None), names)
                caption = tables.text(cells.pop(tables.CAPTION, None))
                yield ImageRef(f"{uri}#{row}", label=label, caption=caption, meta=tables.meta(cells))
                row += 1


def parquet_files(folder: Path) -> list[str]:
    """List a folder's Parquet files, relative to it, sorted by the bytes of their names; hidden ones are left out."""
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() == ".parquet"]
    names = [str(name) for name in found if not any(part.startswith(".") for part in name.parts)]
    return sorted(names, key=os.fsencode)


def choose_column(path: Path, column: str | None) -> str:
    """Find the images' column of a Parquet file.

    Raises:
        UsageError: there is none, it is of another type, or there are several to choose from.
    """
    schema = tables.open_parquet(path).schema_arrow
    fitting = [field.name for field in schema if tables.is_image(field.type)]
    if column in fitting:
        return str(column)
    listed = ", ".join(f"{field.name!r} ({field.type})" for field in schema) or "none"
    if column is not None:
        raise UsageError(
            f"{path.name} has no column {column!r} of image bytes: "
            + (f"choose one of {', '.join(map(repr, fitting))}" if fitting else f"its columns are {listed}")
        )
    if IMAGE in fitting:
        return IMAGE
    if len(fitting) == 1:
        return str(fitting[0])
    if fitting:
        raise UsageError(f"{path.name} has several columns of bytes: choose one of {', '.join(map(repr, fitting))}")
    raise UsageError(f"{path.name} has no column of image bytes: its columns are {listed}")
