"""MMVP as published: 300 rows, two a pair, each about the image of its number.

Tong et al., "Eyes Wide Shut? Exploring the Visual Shortcomings of Multimodal LLMs" (CVPR 2024, arXiv 2401.06209),
section 2.2. Numbers 2k-1 and 2k are a pair: one question, the same options, different answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from snellen import jsonl
from snellen.benchmark.mmvp_csv import Row
from snellen.benchmark.mmvp_images import Picture
from snellen.jsonl import Bad, quoted
from snellen.records import Question, Slot, pair_id

DATASET: Final = "MMVP"

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("index", "lndex", "1ndex", "idx", "id", "number", "questionid"),
    "question": ("question", "questions"),
    "options": ("options", "option"),
    "answer": ("correctanswer", "correctanswers", "correctoption", "answer"),
    "image": ("image", "images", "imagefile", "imagepath", "imagename", "filename", "filepath"),
}
"""What the columns of `Questions.csv` are called. In one published version Index begins with a small L."""

ANSWERS: Final[Mapping[str, int]] = {"(a)": 0, "(b)": 1, "a": 0, "b": 1}

_OPTIONS: Final = re.compile(r"\(a\)\s*(.+?)\s+\(b\)\s*(.+)", re.DOTALL)
_MARKER: Final = re.compile(r"\([ab]\)")


def options_of(text: str) -> tuple[str, str]:
    """Take `(a) Left (viewer's) (b) Right` apart: `("Left (viewer's)", "Right")`.

    Raises:
        Bad: there is not one `(a)`, first, and one `(b)`, with a space before it; or an option is empty, or both are
            alike.
    """
    found = _OPTIONS.fullmatch(text.strip())
    if found is None or _MARKER.findall(text) != ["(a)", "(b)"]:
        raise Bad(f"has the options {quoted(text)}, which are not (a), an option, (b), an option")
    try:
        return jsonl.options([found[1].strip(), found[2].strip()])
    except Bad as bad:
        raise Bad(f"has the options {quoted(text)}, which {bad}") from None


def options_text(options: tuple[str, str]) -> str:
    """Write options as the table has them; what `options_of` takes apart.

    Raises:
        Bad: they would not come back as they are.
    """
    text = f"(a) {options[0]} (b) {options[1]}"
    try:
        same = options_of(text) == options
    except Bad:
        same = False
    if not same:
        raise Bad(f"has the options {quoted(list(options))}, which do not survive in the form (a) ... (b) ...")
    return text


def check_numbers(numbers: Collection[int], pictures: Collection[int]) -> None:
    """Make sure that rows and images are numbered 1 to 2k, without gap, and that there is one of each.

    Raises:
        Bad: they are not.
    """
    if 0 in numbers or 0 in pictures:
        raise Bad(
            "or the names of its images begin at 0, and the published numbers begin at 1: numbers that count places in "
            "a list may belong to other images; get the folder as published"
        )
    for missing, what in (
        (set(range(1, max(numbers) + 1)) - set(numbers), "has no row of number"),
        (set(numbers) - set(pictures), "asks about images that are missing, number"),
        (set(pictures) - set(numbers), "has no row about the images that are there, number"),
    ):
        if missing:
            raise Bad(f"{what} {_listed(missing)}: get the whole folder")
    if len(numbers) % 2:
        raise Bad(f"has {len(numbers)} rows, and the last one is half a pair: numbers 1 and 2, 3 and 4 are pairs")


def _listed(numbers: Collection[int]) -> str:
    shown = ", ".join(map(str, sorted(numbers)[:6]))
    return shown + (f" and {len(numbers) - 6} more" if len(numbers) > 6 else "")


def in_pairs(
    rows: Mapping[int, Row], pictures: Mapping[int, Picture], dataset: str
) -> Iterator[tuple[int, tuple[Row, Row], tuple[Question, Question]]]:
    """Yield each pair's odd number, its rows, and its questions so far: ids, images and `source_id`.

    Raises:
        Bad: a pair's images are the same, or two pairs have the same images.
    """
    check_numbers(rows, pictures)
    first: dict[str, int] = {}
    for odd in range(1, len(rows), 2):
        pair = pictures[odd].image_id, pictures[odd + 1].image_id
        if pair[0] == pair[1]:
            raise Bad(f"pairs the images {odd} and {odd + 1}, which are the same file: the images of a pair differ")
        name = pair_id(*pair)
        if name in first:
            raise Bad(
                f"asks of the images {odd} and {odd + 1} what it asks of {first[name]} and {first[name] + 1}, which "
                "are the same two files: a pair is named after its images, so there is one pair of any two"
            )
        first[name] = odd
        slots: tuple[tuple[Slot, int], ...] = (("a", odd), ("b", odd + 1))
        a, b = (
            Question(
                question_id=f"{name}-{slot}",
                pair_id=name,
                slot=slot,
                image=pictures[number].path,
                image_id=pictures[number].image_id,
                source_id=f"{dataset}:{number}",
            )
            for slot, number in slots
        )
        yield odd, (rows[odd], rows[odd + 1]), (a, b)


def questions_of(rows: Mapping[int, Row], pictures: Mapping[int, Picture]) -> list[Question]:
    """Make the questions, by number: slot a is the odd number, and the order of options is as published.

    Raises:
        Bad: a row is none of MMVP's, or a pair's rows do not belong together; the end of a sentence.
    """
    questions = []
    for odd, (row, next_row), (a, b) in in_pairs(rows, pictures, DATASET):
        one, other = _asked(row), _asked(next_row)
        if one != other:
            # Rows that differ in white space alone ask the same: both take the wording with single spaces.
            one, other = _spaced(one), _spaced(other)
        if one != other:
            raise Bad(f"asks two things for the pair {odd} and {odd + 1}: {quoted(one)} and {quoted(other)}")
        answers = _answer(row), _answer(next_row)
        if answers[0] == answers[1]:
            raise Bad(
                f"has the same answer for {odd} and {odd + 1}, {row.values['answer']}: the answers of a pair differ, "
                "so one of the two was changed after publication"
            )
        text, *options = one
        questions += [
            replace(question, text=text, options=(options[0], options[1]), answer=answer)
            for question, answer in zip((a, b), answers, strict=True)
        ]
    return questions


def _asked(row: Row) -> tuple[str, str, str]:
    """A row's text and its two options."""
    try:
        return jsonl.text(row.values["question"]), *options_of(row.values["options"])
    except Bad as bad:
        blank = "has a question that " if not row.values["question"] else ""
        raise Bad(f"is wrong in line {row.line}, which {blank}{bad}") from None


def _spaced(asked: tuple[str, str, str]) -> tuple[str, str, str]:
    text, first, second = (" ".join(part.split()) for part in asked)
    return text, first, second


def _answer(row: Row) -> int:
    value = row.values["answer"]
    if value.casefold() not in ANSWERS:
        raise Bad(f"has the answer {quoted(value)} in line {row.line}, which is neither (a) nor (b)")
    return ANSWERS[value.casefold()]
