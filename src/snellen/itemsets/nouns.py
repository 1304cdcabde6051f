"""What an item and a set of items are, and what each of their fields may hold."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, get_args

from snellen import jsonl
from snellen.benchmarks.files import read_inside
from snellen.benchmarks.questions import CHECKS as QUESTION_CHECKS
from snellen.errors import StudyError
from snellen.images.base import TooManyBytes
from snellen.jsonl import Bad

Kind = Literal["yes_no", "free"]
"""How items are answered: with yes or no, or in words that a judge rates against a reference."""

ITEMSET, ITEMS = "itemset.json", "items.jsonl"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of `items.jsonl`: a text about an image.

    `answer` is given where the set's kind is `yes_no`; `reference` (an answer to compare with) and `context` (what a
    judge, who does not see the image, is told of it) where it is `free`. `category` groups items for scores;
    `source_id` is what the item is called where it comes from ("POPE:random:17").
    """

    item_id: str
    image: str
    image_id: str
    text: str
    answer: str | None = None
    reference: str | None = None
    context: str | None = None
    category: str | None = None
    source_id: str | None = None


@dataclass(frozen=True)
class ItemSet:
    """Items, in the order of their file, and where their images are; `content_sha256` names what is asked."""

    folder: Path
    name: str
    kind: Kind
    version: str
    content_sha256: str
    licence: str | None
    source: str | None
    items: tuple[Item, ...]

    def image(self, item: Item) -> bytes:
        """Read an item's image.

        Raises:
            StudyError: it is gone, or is no longer the one that the item names.
        """
        try:
            data = read_inside(self.folder, item.image)
        except (Bad, TooManyBytes) as bad:
            raise StudyError(f"{self.folder / item.image} {bad}: put the item set back as it was.") from None
        if sha256(data).hexdigest() != item.image_id:
            raise StudyError(f"{self.folder / item.image} was changed: put the item set back as it was.")
        return data


def item(value: dict[str, Any]) -> Item:
    """Make an item of one line's object.

    Raises:
        Bad: it is none.
    """
    made = Item(**jsonl.fields(value, CHECKS))
    if not made.image.startswith(f"images/{made.image_id}."):
        raise Bad(f"has the image {made.image}, which is not named after its image_id {made.image_id}")
    return made


CHECKS: Final[dict[str, jsonl.Check]] = {
    "item_id": jsonl.text,
    "image": QUESTION_CHECKS["image"],
    "image_id": jsonl.digits(64),
    "text": jsonl.text,
    "answer": jsonl.nullable(jsonl.one_of("yes", "no")),
    "reference": jsonl.nullable(jsonl.text),
    "context": jsonl.nullable(jsonl.text),
    "category": jsonl.nullable(jsonl.text),
    "source_id": jsonl.nullable(jsonl.text),
}
"""The fields of a line, and what each may hold."""

HEADER: Final[dict[str, jsonl.Check]] = {
    "name": jsonl.text,
    "kind": jsonl.one_of(*get_args(Kind)),
    "version": jsonl.text,
    "content_sha256": jsonl.digits(64),
    "licence": jsonl.nullable(jsonl.text),
    "source": jsonl.nullable(jsonl.text),
    "n_items": jsonl.integer(1, 2**31),
}
"""The fields of `itemset.json`."""
