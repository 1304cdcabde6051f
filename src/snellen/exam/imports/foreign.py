"""One answer as another tool wrote it down, before it is known which of our questions it answers."""

from __future__ import annotations

from dataclasses import dataclass

from snellen import jsonl
from snellen.jsonl import Bad
from snellen.records import Finish, Order


@dataclass(frozen=True, slots=True)
class Foreign:
    """One answer of a file, and all that the file says of its question.

    `where` is where in the file it stands, for messages. `names` are what the file calls the question, `number` is its
    number there, counted from one of `counted_from`: tools differ, and not all say. `image_id` is the sha256 of the
    image that was shown. `prompt` is the whole text that was shown, `question` the question alone, `options` the two
    options in the order in which they were shown, `answer` the option that the file holds to be right: an index into
    the options as shown. `text` is None where `error` says what went wrong. `order` is set only where the file says it.

    Raises:
        Bad: a text holds half a character, so that it cannot be written.
    """

    where: str
    text: str | None
    error: str | None = None
    finish: Finish = "stop"
    names: tuple[str, ...] = ()
    number: int | None = None
    counted_from: tuple[int, ...] = (1,)
    image_id: str | None = None
    prompt: str | None = None
    question: str | None = None
    options: tuple[str, str] | None = None
    answer: int | None = None
    order: Order | None = None
    repeat: int = 0
    model: str | None = None

    def __post_init__(self) -> None:
        for name in ("text", "error", "prompt"):
            value = getattr(self, name)
            try:
                jsonl.nullable(jsonl.string)(value)
            except Bad as bad:
                raise Bad(f"has {name} {jsonl.quoted(value)}, which {bad}") from None


def letter(value: object) -> int | None:
    """Read a key such as "(b)", "B" or "b.": 0 or 1; None: it is no letter of two."""
    if not isinstance(value, str):
        return None
    return {"a": 0, "b": 1}.get(value.strip().strip("().").casefold())


def number(value: object) -> int | None:
    """Read a whole number, also where a table made 3.0 or "3" of it; None: there is none.

    Raises:
        Bad: something is there that is no whole number from 0.
    """
    if value is None or value == "":
        return None
    found = value
    if isinstance(found, str) and len(found) < 12:
        found = float(found) if found.strip().replace(".", "", 1).isdecimal() else found
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if type(found) is not int or not 0 <= found < 2**31:
        raise Bad("has a number of the question that is no whole number from 0")
    return found
