"""VLMEvalKit's sheets: `<model>_MMVP.xlsx`, or the same as TSV or CSV.

Columns that are read: index, question, A, B, answer, prediction. Of `index` it is not known whether it counts from 0 or
from 1: both are tried, and questions, options and answers must tell. An empty cell is no answer, since a sheet cannot
tell an empty text from none. Pickles are not read: opening one runs whatever it holds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from snellen.errors import StudyError, UsageError
from snellen.exam.imports.archives import MAX_BYTES, archive_errors, members
from snellen.exam.imports.foreign import Foreign, letter, number
from snellen.exam.imports.lines import text_of
from snellen.jsonl import Bad

NEEDED: Final = ("index", "question", "A", "B", "prediction")

DELIMITERS: Final = {".tsv": "\t", ".csv": ","}


def read(path: Path) -> list[Foreign]:
    """Read every row.

    Raises:
        UsageError: the package that reads xlsx is missing, or the file is of another kind.
        StudyError: the sheet is damaged, lacks a column, or a row has no index.
    """
    rows = _text_rows(path) if path.suffix.lower() in DELIMITERS else _sheet_rows(path)
    found: list[Foreign] = []
    for at, row in enumerate(rows, 2):
        if all(value in (None, "") for value in row.values()):
            continue
        try:
            found.append(_answer(row, f"row {at}"))
        except Bad as bad:
            raise StudyError(f"{path}, row {at}, {bad}: nothing was imported; mend the sheet.") from None
    if not found:
        raise StudyError(f"{path} holds no answer: nothing was imported.")
    return found


def _answer(row: dict[str, Any], where: str) -> Foreign:
    found = number(row["index"])
    if found is None:
        raise Bad("has no index")
    question, first, second = (text_of(_text(row[name]), name) for name in ("question", "A", "B"))
    said = row["prediction"]
    empty = said is None or said == ""
    return Foreign(
        where=where,
        text=None if empty else text_of(_text(said), "prediction"),
        error="the sheet has no answer in this row" if empty else None,
        finish="error" if empty else "stop",
        number=found,
        counted_from=(0, 1),
        question=question,
        options=(first, second),
        answer=letter(row.get("answer")),
    )


def _text(value: object) -> object:
    """Undo what tables make of texts that look like numbers or truths."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, bool | int | float) else value


def _text_rows(path: Path) -> Iterator[dict[str, Any]]:
    before = csv.field_size_limit(MAX_BYTES)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=DELIMITERS[path.suffix.lower()], strict=True)
            yield from _named(path, reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is damaged ({error}): nothing was imported.") from error
    finally:
        csv.field_size_limit(before)


def _sheet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise UsageError(f"{path} is read by openpyxl, which is not installed: pip install 'snellen[peers]'") from None
    from openpyxl.utils.exceptions import InvalidFileException

    if sum(members(path).values()) > MAX_BYTES:
        raise StudyError(f"{path} unpacks to more than {MAX_BYTES:,} bytes: nothing was imported.")
    try:
        with archive_errors(path):
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                yield from _named(path, book.worksheets[0].iter_rows(values_only=True))
            finally:
                book.close()
    except (InvalidFileException, ArithmeticError, AttributeError, SyntaxError, TypeError) as error:
        # what openpyxl raises where the files within are not the tables that they should be
        raise StudyError(f"{path} is not a whole sheet ({error}): nothing was imported.") from error


def _named(path: Path, rows: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - rows of a csv reader or a sheet
    rows = iter(rows)
    names = [str(name) for name in next(rows, ())]
    missing = [name for name in NEEDED if names.count(name) != 1]
    if missing:
        raise StudyError(
            f"{path} has not one column {missing[0]!r}: a sheet with answers has the columns {', '.join(NEEDED)}."
        )
    for row in rows:
        values = [*row, *[None] * (len(names) - len(row))]
        yield dict(zip(names, values, strict=False))
