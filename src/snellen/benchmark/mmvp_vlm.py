"""MMVP-VLM as published: 270 rows, a statement about the image of each number, two a pair, fifteen pairs a pattern.

Tong et al., section 3.2. An image-text encoder has to match each of a pair's two statements to its own image. The
pattern of a row is what its column Type says, never its place among the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from snellen.benchmark.mmvp import in_pairs
from snellen.benchmark.mmvp_csv import Row
from snellen.benchmark.mmvp_images import Picture
from snellen.jsonl import Bad, quoted
from snellen.records import Question, Tag

DATASET: Final = "MMVP_VLM"

TAGSET: Final = "mmvp-vlm"
"""What the published types are called among a benchmark's tagsets."""

TAGGED_BY: Final = "MMVP-VLM as published"

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("questionid", "index", "lndex", "1ndex", "idx", "id", "number"),
    "type": ("type", "types", "category", "visualpattern", "pattern"),
    "statement": ("statement", "statements", "caption"),
    "image": ("image", "images", "imagefile", "imagepath", "imagename", "filename", "filepath"),
}
"""What the columns of `Questions.csv` are called."""

PUBLISHED: Final[Mapping[str, str]] = {
    "orientation": "Orientation",
    "presence": "Presence",
    "state": "State",
    "count": "Quantity",
    "position": "Spatial",
    "color": "Color",
    "structure": "Structural Character",
    "text": "Text",
    "viewpoint": "Camera Perspective",
}
"""The nine visual patterns in the order of publication, and what the table and the folders of images call each."""

_TYPES: Final[Mapping[str, str]] = {
    **{name: pattern for pattern, type_ in PUBLISHED.items() for name in (pattern, type_.replace(" ", "").lower())},
    # What the official script prints, what the paper says, and what loaders in circulation make of them.
    "orientationanddirection": "orientation",
    "presenceofspecificfeatures": "presence",
    "stateandcondition": "state",
    "quantityandcount": "count",
    "positionalandrelationalcontext": "position",
    "positional": "position",
    "colour": "color",
    "colorandappearance": "color",
    "structural": "structure",
    "structuralcharacteristic": "structure",
    "structuralcharacteristics": "structure",
    "structuralandphysicalcharacteristics": "structure",
    "texts": "text",
    "viewpointandperspective": "viewpoint",
    "perspective": "viewpoint",
}


def pattern_of(name: str) -> str | None:
    """Return the visual pattern that a type or a folder is called after, in any of its spellings; None: it is none.

    >>> pattern_of("Camera_Perspective"), pattern_of("Quantity and Count"), pattern_of("Vehicles")
    ('viewpoint', 'count', None)
    """
    return _TYPES.get("".join(filter(str.isalnum, name.casefold())).replace("&", "and"))


def questions_of(rows: Mapping[int, Row], pictures: Mapping[int, Picture]) -> tuple[list[Question], list[Tag]]:
    """Make the questions, statements alone, by number, and each one's pattern.

    Raises:
        Bad: a row is none of MMVP-VLM's, or a pair's rows do not belong together; the end of a sentence.
    """
    questions, tags = [], []
    for odd, pair, slots in in_pairs(rows, pictures, DATASET):
        patterns = [_pattern(row, pictures[number]) for number, row in zip((odd, odd + 1), pair, strict=True)]
        if patterns[0] != patterns[1]:
            raise Bad(f"has two types for the pair {odd} and {odd + 1}: {' and '.join(patterns)}")
        statements = [row.values["statement"] for row in pair]
        for row in pair:
            if not row.values["statement"]:
                raise Bad(f"has no statement in line {row.line}")
        if statements[0] == statements[1]:
            raise Bad(f"has the same statement for {odd} and {odd + 1}: each is true of its own image alone")
        for question, statement in zip(slots, statements, strict=True):
            questions.append(replace(question, statement=statement))
            tags.append(Tag(question.question_id, TAGSET, (patterns[0],), TAGGED_BY))
    return questions, tags


def _pattern(row: Row, picture: Picture) -> str:
    pattern = pattern_of(row.values["type"])
    if pattern is None:
        raise Bad(
            f"has the type {quoted(row.values['type'])} in line {row.line}, which is none of "
            f"{', '.join(PUBLISHED.values())}"
        )
    if picture.pattern not in (None, pattern):
        raise Bad(
            f"says {quoted(row.values['type'])} in line {row.line}, and its image {quoted(picture.source)} lies in the "
            "folder of another type"
        )
    return pattern
