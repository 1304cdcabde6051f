"""Accepted pairs for the tests, and a study with the images that they show."""

from __future__ import annotations

import random
from hashlib import sha256
from pathlib import Path
from typing import Any

from snellen import accepted
from snellen.embedding import embed
from snellen.records import AcceptedPair, pair_id
from tests.pictures import draw_folder


def accepted_pair(image_a: str, image_b: str, **changes: Any) -> AcceptedPair:
    """A valid pair of two image_ids, as `changes` has it."""
    values: dict[str, Any] = {
        "pair_id": pair_id(image_a, image_b),
        "image_a": image_a,
        "image_b": image_b,
        "difference": "the dog faces the other way",
        "question": "Which way does the dog look?",
        "options": ("to the left", "to the right"),
        "answer_a": 0,
        "answer_b": 1,
        "patterns": ("orientation",),
        "statement_a": "A dog that looks to the left.",
        "statement_b": "A dog that looks to the right.",
        "blind_cosine": 0.96,
        "reference_cosine": 0.5,
        "decided_by": ("anna", "bert"),
        "drafted_by": None,
    }
    return AcceptedPair(**(values | changes))


def synthetic(count: int) -> list[AcceptedPair]:
    """Pairs as an untidy annotator leaves them: the key is strongly biased, and sorted in every way it could be."""
    lots = random.Random(0)
    pairs = []
    for index in range(count):
        ids = sorted(sha256(f"{index}/{side}".encode()).hexdigest() for side in "ab")
        options = ("no", "yes") if index % 3 else (f"{index} apples", f"{index + lots.randint(1, 9)} apples")
        pairs.append(accepted_pair(*ids, options=options, statement_a=None, statement_b=None))
    return sorted(pairs, key=lambda pair: pair.pair_id)


def study_with_pairs(folder: Path, count: int = 4, **changes: Any) -> Path:
    """Embed 2 x `count` pictures into `folder/s`, and accept the pairs 0-1, 2-3 and so on."""
    photos = draw_folder(folder / "photos", 2 * count)
    study = folder / "s"
    embed(study, images=photos, encoder="control/colour-histogram", device="cpu")
    ids = [sha256(path.read_bytes()).hexdigest() for path in sorted(photos.iterdir())]
    accepted.write(
        study / "accepted.jsonl",
        [accepted_pair(*ids[at : at + 2], **changes) for at in range(0, 2 * count, 2)],
    )
    return study
