"""Reading an item set that anybody may have made: everything is checked, nothing is followed or run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snellen import jsonl
from snellen.benchmarks.files import content_sha256, hash_inside, opened
from snellen.errors import StudyError, UsageError
from snellen.itemsets.nouns import HEADER, ITEMS, ITEMSET, Item, ItemSet, item
from snellen.jsonl import Bad


def read(folder: str | Path) -> ItemSet:
    """Read an item set, all of it checked: fields, images by their hashes, and the content hash.

    Raises:
        UsageError: the folder holds no item set.
        StudyError: something is wrong with it; the first thing is named.
    """
    path = Path(folder)
    if not (path / ITEMSET).exists():
        raise UsageError(f"There is no item set in {folder}: name a folder with an {ITEMSET} (STUDY/itemsets/NAME).")
    try:
        return _read(path)
    except Bad as bad:
        raise StudyError(f"{path} is not a whole item set: {bad}.") from None


def _read(folder: Path) -> ItemSet:
    header = _header(folder)
    try:
        digest, _ = hash_inside(folder, ITEMS)
    except Bad as bad:
        raise Bad(f"{ITEMS} {bad}") from None
    items = _items(folder, header["kind"])
    hashes = {}
    for relative, image_id in sorted({one.image: one.image_id for one in items}.items()):
        try:
            hashes[relative], _ = hash_inside(folder, relative)
        except Bad as bad:
            raise Bad(f"{relative} {bad}") from None
        if hashes[relative] != image_id:
            raise Bad(f"{relative} was changed: its sha256 is {hashes[relative]}")
    content = content_sha256(digest, hashes, ITEMS)
    if header.pop("n_items") != len(items):
        raise Bad(f"{ITEMSET} does not say {len(items)} items, which {ITEMS} holds")
    if header["content_sha256"] != content:
        raise Bad(f"its content hash is {content}, and {ITEMSET} says {header['content_sha256']}")
    return ItemSet(folder=folder, items=tuple(items), **header)


def _header(folder: Path) -> dict[str, Any]:
    try:
        with opened(folder, ITEMSET) as file:
            return jsonl.fields(jsonl.parse(file.read(jsonl.MAX_LINE + 2)), HEADER)
    except Bad as bad:
        raise Bad(f"{ITEMSET} {bad}") from None


def _items(folder: Path, kind: str) -> list[Item]:
    items: dict[str, Item] = {}
    with opened(folder, ITEMS) as file:
        for number, found in jsonl.read(file, item):
            if isinstance(found, Item):
                found = _fitting(found, kind, items)
            if isinstance(found, Bad):
                raise Bad(f"{ITEMS}, line {number}, {found}")
            items[found.item_id] = found
    if not items:
        raise Bad(f"{ITEMS} holds no item")
    return list(items.values())


def _fitting(found: Item, kind: str, before: dict[str, Item]) -> Item | Bad:
    if found.item_id in before:
        return Bad(f"asks the item {jsonl.quoted(found.item_id)}, as an earlier line does")
    if (found.answer is not None) != (kind == "yes_no"):
        return Bad("has no answer" if kind == "yes_no" else "has an answer, where no yes or no is asked for")
    if kind == "free" and found.reference is None:
        return Bad("has no reference to compare an answer with")
    return found
