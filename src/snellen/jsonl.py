"""JSON lines that others wrote, read strictly: one object a line, known fields only, each of its own type.

What is wrong with a line is said as the end of a sentence (`Bad`), which the caller begins with the file and the line.
A table of checks is a dict that can be read aloud: a field's name, and the function that returns its value or raises.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_LINE: Final = 1 << 20
"""Bytes of the longest line that is read."""

Check = Callable[[Any], Any]
Made = TypeVar("Made")


class Bad(Exception):
    """What is wrong with a line or a field, as the end of a sentence."""


def quoted(value: object, width: int = 60) -> str:
    """Show a value that others wrote: cut short, with everything that a terminal would act on escaped."""
    try:
        text = repr(value)
    except RecursionError:
        return "something nested deeply"
    return text if len(text) <= width else text[:width] + "…"


# -- lines ----------------------------------------------------------------------------------------------------------


def read(file: IO[bytes], make: Callable[[dict[str, Any]], Made]) -> Iterator[tuple[int, Made | Bad]]:
    """Yield every line's number, from 1, and what `make` makes of its object, or what is wrong with it."""
    for number, line in enumerate(_lines(file), 1):
        try:
            yield number, make(parse(line))
        except Bad as bad:
            yield number, bad


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Cut at newlines alone, never holding much more than `MAX_LINE`; of a longer line comes only its beginning."""
    while line := file.readline(MAX_LINE + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE + 2)
        yield line


def parse(line: bytes) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        Bad: it is something else, too long, not UTF-8, names a field twice, or holds NaN or half a character.
    """
    if len(line.rstrip(b"\n")) > MAX_LINE:
        raise Bad(f"is longer than {MAX_LINE:,} bytes")
    if not line.strip():
        raise Bad("is empty")
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Bad(f"is not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise Bad("is nested too deeply") from error
    except ValueError as error:
        raise Bad(f"is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise Bad(f"holds {quoted(value)} and not an object with fields")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise Bad(f"has the field {quoted(next(name for name in names if names.count(name) > 1))} twice")
    return value


def _no_constant(name: str) -> None:
    raise Bad(f"holds {name}, which is no JSON number")


def line_of(record: DataclassInstance) -> bytes:
    """Write one record as one line, fields in the order of the class; equal records are equal bytes."""
    return (json.dumps(asdict(record), ensure_ascii=False, allow_nan=False) + "\n").encode()


def lines_of(records: Iterable[DataclassInstance]) -> bytes:
    """Write records, a line each."""
    return b"".join(map(line_of, records))


# -- fields ---------------------------------------------------------------------------------------------------------


def fields(value: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """Return every field as its check gives it; a field that is left out is null.

    Raises:
        Bad: a field is unknown, missing or of the wrong type.
    """
    for name in value:
        if name not in checks:
            raise Bad(f"has the field {quoted(name)}, which is not known: the fields are {', '.join(checks)}")
    found = {}
    for name, check in checks.items():
        try:
            found[name] = check(value.get(name))
        except Bad as bad:
            if name not in value:
                raise Bad(f"has no field {name}") from None
            raise Bad(f"has {name} {quoted(value[name])}, which {bad}") from None
    return found


def text(value: object) -> str:
    """Any text that UTF-8 can hold and that is not blank."""
    found = string(value)
    if not found.strip():
        raise Bad("is blank")
    return found


def string(value: object) -> str:
    """Any text that UTF-8 can hold; it may be blank or empty."""
    if not isinstance(value, str):
        raise Bad("is not text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Bad("holds half a character (a lone surrogate)") from None
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, none of them twice; it may be empty."""
    if not isinstance(value, list):
        raise Bad("is not a list of texts")
    found = tuple(map(text, value))
    if len(set(found)) < len(found):
        raise Bad("says the same thing twice")
    return found


def options(value: object) -> tuple[str, str]:
    """Two options that differ by more than case and spaces."""
    found = tuple(map(text, value)) if isinstance(value, list) else ()
    if len(found) != 2:
        raise Bad("is not a list of two texts")
    if len({" ".join(option.split()).casefold() for option in found}) < 2:
        raise Bad("offers the same twice")
    return found[0], found[1]


def digits(count: int) -> Check:
    """Lower-case hex digits, so many."""
    pattern = re.compile(rf"[0-9a-f]{{{count}}}")

    def check(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Bad(f"is not {count} hex digits in lower case")
        return value

    return check


def integer(low: int, high: int) -> Check:
    """An integer from `low` to `high`; true and false are none."""

    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Bad(f"is not an integer from {low} to {high}")
        return value

    return check


def number(value: object) -> float:
    """A finite number."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer of hundreds of digits
        pass
    raise Bad("is not a finite number")


def truth(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Bad("is neither true nor false")
    return value


def one_of(*choices: str) -> Check:
    """One of these texts."""

    def check(value: object) -> str:
        if value not in choices or not isinstance(value, str):
            raise Bad(f"is not one of {', '.join(choices)}")
        return value

    return check


def nullable(check: Check) -> Check:
    """Null, or what another check takes."""
    return lambda value: None if value is None else check(value)
