"""A list of image files: one path a line, or a column of a CSV, TSV or Parquet file."""

from __future__ import annotations

import csv
import os
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from snellen.errors import SourceError, UsageError
from snellen.images import tables
from snellen.images.paths import from_uri, read_file, to_uri
from snellen.records import ImageRef

PATH: Final = "path"
_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}


class _Row(NamedTuple):
    place: str
    path: str
    cells: Mapping[str, Any]


class FileListSource:
    """Images named by a list, in the list's order; a path that comes twice gets two rows.

    - text: one path a line, UTF-8 (other bytes are kept as they are); blank lines are counted in `skipped`;
    - `.csv`, `.tsv`: with a header;
    - `.parquet`: a column of strings.

    Paths are absolute or relative to the list's own folder, which may lie anywhere: what a list names is meant, so
    links are followed and `..` is allowed, but `read` reads nothing that the list does not name. Columns `label` and
    `caption` are what they say; all others become meta. A uri is relative to the list's folder wherever the file lies
    below it or the list says `..`; otherwise it is absolute.

    Args:
        path: the list.
        column: the column of paths in a table.

    Raises:
        UsageError: there is no such file, or no such column.
    """

    kind = "file_list"

    def __init__(self, path: Path | str, *, column: str | None = None) -> None:
        self._path = Path(path)
        self._folder = os.fsencode(self._path.resolve().parent)
        self._table = self._path.suffix.lower() if self._path.suffix.lower() in (".csv", ".tsv", ".parquet") else ""
        self._column = column or PATH
        self._refs: list[ImageRef] | None = None
        self._known: frozenset[str] | None = None
        self.skipped: Counter[str] = Counter()
        if not self._path.is_file():
            raise UsageError(f"there is no file {str(path)!r}: give a list of paths (text, .csv, .tsv or .parquet)")
        if column is not None and not self._table:
            raise UsageError(f"{self._path.name} is a plain list of paths and has no columns: leave out {column!r}")
        if self._table:
            self._check_column(self._columns())

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_refs": None, "_known": None}

    def refs(self) -> Sequence[ImageRef]:
        """List the images.

        Raises:
            SourceError: the list is damaged, or a row has no path.
        """
        if self._refs is None:
            self.skipped.clear()
            rows = {"": self._lines, ".parquet": self._parquet_rows}.get(self._table, self._csv_rows)()
            self._refs = [self._ref(row) for row in rows]
            self._known = frozenset(ref.uri for ref in self._refs)
        return self._refs

    def read(self, ref: ImageRef, max_bytes: int) -> bytes:
        """Return the file's bytes.

        Raises:
            OSError: it cannot be read, is not a regular file, or is not in the list.
            TooManyBytes: it has more than `max_bytes`.
        """
        self.refs()
        if self._known is None or ref.uri not in self._known:
            raise PermissionError(f"{ref.uri!r} is not in the list {self._path.name}")
        return read_file(posixpath.join(self._folder, from_uri(ref.uri)), max_bytes)

    def _ref(self, row: _Row) -> ImageRef:
        if not row.path:
            raise SourceError(f"{row.place} of {self._path.name} has no {self._column}: fill it in, or delete the row")
        path = posixpath.normpath(os.fsencode(row.path))
        if posixpath.isabs(path) and path.startswith(self._folder.rstrip(b"/") + b"/"):
            path = posixpath.relpath(path, self._folder)
        cells = dict(row.cells)
        label, caption = tables.text(cells.pop(tables.LABEL, None)), tables.text(cells.pop(tables.CAPTION, None))
        return ImageRef(to_uri(path), label=label, caption=caption, meta=tables.meta(cells))

    def _lines(self) -> Iterator[_Row]:
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                line = line.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf" if number == 1 else b"")
                if line.strip():
                    yield _Row(f"line {number}", os.fsdecode(line), {})
                else:
                    self.skipped["blank_lines"] += 1

    def _csv_rows(self) -> Iterator[_Row]:
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file, delimiter=_SEPARATORS[self._table], strict=True)
            try:
                for cells in reader:
                    place = f"line {reader.line_num}"
                    if None in cells or None in cells.values():
                        raise SourceError(
                            f"{place} of {self._path.name} has more or fewer cells than the header: correct it"
                        )
                    clean = {name: _printable(cell) for name, cell in cells.items() if name != self._column}
                    yield _Row(place, cells[self._column], clean)
            except csv.Error as error:
                raise SourceError(
                    f"line {reader.line_num} of {self._path.name} cannot be read as {self._table[1:].upper()}: {error}"
                ) from error

    def _parquet_rows(self) -> Iterator[_Row]:
        number = 0
        file = tables.open_parquet(self._path)
        schema = file.schema_arrow
        names = [field.name for field in schema if tables.is_scalar(field.type)]
        labels = tables.class_names(schema, tables.LABEL)
        for batch in tables.batches(file, names, self._path.name):
            for cells in batch.to_pylist():
                if tables.LABEL in cells:
                    cells[tables.LABEL] = tables.class_name(cells[tables.LABEL], labels)
                yield _Row(f"row {number}", cells.pop(self._column) or "", cells)
                number += 1

    def _columns(self) -> list[str]:
        if self._table == ".parquet":
            return [
                field.name for field in tables.open_parquet(self._path).schema_arrow if tables.is_string(field.type)
            ]
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            try:
                return list(csv.DictReader(file, delimiter=_SEPARATORS[self._table]).fieldnames or ())
            except csv.Error as error:
                raise SourceError(f"the header of {self._path.name} cannot be read: {error}") from error

    def _check_column(self, columns: list[str]) -> None:
        if self._column not in columns:
            kind = "column of strings" if self._table == ".parquet" else "column"
            choices = ", ".join(map(repr, columns)) or "none"
            raise UsageError(f"{self._path.name} has no {kind} {self._column!r}: choose one of {choices}")


def _printable(cell: str) -> str:
    """Replace the bytes that were not UTF-8: only paths need them as they are."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
