"""`Questions.csv`: a table that others wrote and others have edited since, read without guessing.

Why not the `csv` module: copies of MMVP's table in circulation hold `"Can you see the key "Z" in the image?"`, quotes
in quotes that are not doubled. The module's lax mode reads that as another text, and its strict mode refuses it. Here a
quote that no comma and no end of line follows is a character like any other; whatever is not plain even so is refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from snellen.jsonl import Bad, quoted

MAX_BYTES: Final = 16 * 2**20
"""Of the longest table that is read; MMVP's own has about 30,000 bytes."""

_QUOTED: Final = re.compile(r'"((?:[^"]++|"")*+)"(?=[,\r\n]|\Z)')
_STRAY: Final = re.compile(r'"((?:[^"\r\n]++|""|"(?![",\r\n]|\Z))*+)"(?=[,\r\n]|\Z)')
_PLAIN: Final = re.compile(r'[^",\r\n][^,\r\n]*|(?=[,\r\n]|\Z)')
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_NUMBER: Final = re.compile(r"([0-9]{1,6})(?:\.0+)?")
_FILE: Final = re.compile(r"(?:[^/\\]+/)*([0-9]{1,6})\.[A-Za-z0-9]+")

UNNAMED: Final = ("", "unnamed0")
"""What the first column is called where a table's index was written without a name, and after that was read again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its line, from 1, and its values, without white space around them, by our columns."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows by their number, and the names of the columns that were not read."""

    rows: Mapping[int, Row]
    unread: tuple[str, ...]


def read(data: bytes, columns: Mapping[str, tuple[str, ...]], by_row: bool = False) -> Table:
    """Read a table whose rows say themselves which number they have.

    Args:
        data: the file.
        columns: for each column that is read, what it may be called: lower case, letters and digits only, the published
            name first. "number" and "image" may be missing, the others not.
        by_row: where nothing numbers the rows, take them for 1, 2, 3 and on.

    Raises:
        Bad: it is no such table; the end of a sentence.
    """
    lines = [(line, fields) for line, fields in _lines(_text(data)) if any(map(str.strip, fields))]
    if not lines:
        raise Bad("is empty")
    (_, header), *body = lines
    if not body:
        raise Bad("holds no row below its header")
    where, unread = _columns(header, columns, body)
    rows = []
    for line, fields in body:
        if len(fields) != len(header):
            raise Bad(f"has {len(fields)} fields in line {line}, and {len(header)} in its header")
        rows.append(Row(line, {name: fields[at].strip() for name, at in where.items()}))
    return Table(_numbered(rows, by_row), unread)


def _text(data: bytes) -> str:
    """Decode: UTF-8, or UTF-16 where its mark stands first."""
    sixteen = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if sixteen else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Bad(f"is not {'UTF-16' if sixteen else 'UTF-8'} (byte {error.start}): save it as UTF-8") from None
    if "\0" in text:
        raise Bad("holds zero bytes, so it is no table in UTF-8: save it as CSV in UTF-8")
    return text


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Cut at commas and ends of lines; yield the number of the line that a row begins in, and its fields."""
    at, line = 0, 1
    fields: list[str] = []
    begun = line
    while True:
        if text.startswith('"', at):
            found = _QUOTED.match(text, at) or _STRAY.match(text, at)
            if found is None:
                raise Bad(f"has quotes in line {line} that do not match: double the quotes inside a quoted field")
            fields.append(found[1].replace('""', '"'))
        else:
            found = _PLAIN.match(text, at)
            assert found is not None  # it matches the empty field
            fields.append(found[0])
        line += len(_NEWLINE.findall(found[0]))
        at = found.end()
        if text.startswith(",", at):
            at += 1
            continue
        yield begun, fields
        newline = _NEWLINE.match(text, at)
        if newline is None or newline.end() == len(text):
            return
        at, line = newline.end(), line + 1
        fields, begun = [], line


def _columns(
    header: list[str], columns: Mapping[str, tuple[str, ...]], body: list[tuple[int, list[str]]]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Find each column's place; a first column without a name is called "unnamed"."""
    where: dict[str, int] = {}
    unread = []
    for at, name in enumerate(header):
        key = "".join(char for char in name.casefold() if char.isalnum())
        ours = next((ours for ours, names in columns.items() if key in names), None)
        if ours is None and at == 0 and key in UNNAMED:
            ours = "unnamed"
        if ours in where:
            raise Bad(f"has two columns {quoted(header[where[ours]])} and {quoted(name)}, which mean the same")
        if ours is not None:
            where[ours] = at
        elif any(len(fields) > at and fields[at].strip() for _, fields in body):
            unread.append(name.strip())
    for ours, names in columns.items():
        if ours not in ("number", "image") and ours not in where:
            found = ", ".join(quoted(name) for name in header[:20])
            raise Bad(f"has no column {quoted(names[0])}; its columns, by its first line, are {found}")
    return where, tuple(unread)


def _numbered(rows: list[Row], by_row: bool) -> dict[int, Row]:
    """Give each row the number that it says it has: its place in the file says nothing, unless the user says so."""
    names = rows[0].values
    if "number" not in names and "image" not in names:
        if by_row and "unnamed" not in names:
            return dict(enumerate(rows, 1))
        plain = [row.values.get("unnamed", "") for row in rows]
        if sorted(plain) != sorted(str(number) for number in range(1, len(rows) + 1)):
            raise Bad(
                "does not say which row is about which image: it has no column of numbers, and the order of rows is "
                "not taken for one; add a first column Index with the number of each row's image, 1 and on, or give "
                "--by-row if its rows are 1, 2, 3 and on"
            )
        return {int(row.values["unnamed"]): row for row in rows}
    found: dict[int, Row] = {}
    for row in rows:
        said = {_number(row, name) for name in ("number", "image") if name in names}
        if len(said) > 1:
            raise Bad(
                f"says in line {row.line} that number {row.values['number']} is about {quoted(row.values['image'])}: "
                "these are two numbers"
            )
        number = said.pop()
        if number in found:
            raise Bad(f"has the number {number} twice, in lines {found[number].line} and {row.line}")
        found[number] = row
    return found


def _number(row: Row, column: str) -> int:
    value = row.values[column]
    match = (_NUMBER if column == "number" else _FILE).fullmatch(value)
    if match is None or ".." in value.split("/"):
        what = "a number" if column == "number" else "an image's name such as 37.jpg"
        raise Bad(f"has {quoted(value)} in line {row.line}, where {what} should be")
    return int(match[1])
