"""`DATASHEET.md` of an import: what it is, what is known to be wrong with it, and that it is as it was published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from snellen.benchmark.datasheet import NOT_STATED, plain
from snellen.records import Erratum, Question, Tag

PAPER: Final = (
    'Tong et al., "Eyes Wide Shut? Exploring the Visual Shortcomings of Multimodal LLMs" (CVPR 2024, arXiv 2401.06209)'
)


def datasheet(
    header: Mapping[str, Any], what: str, questions: Sequence[Question], tags: Sequence[Tag], errata: Sequence[Erratum]
) -> str:
    """Write the page.

    Args:
        header: the content of `benchmark.json`.
        what: MMVP or MMVP-VLM.
        questions: by number.
        tags: the published types.
        errata: what `errata.jsonl` says.
    """
    parts = [
        f"# {header['name']}, version {plain(header['version'])}",
        f"Content hash: `{header['content_sha256']}`",
        f"""## What this is

Imported by `snellen import {what.lower()}` from a folder in the layout of {what}:
{PAPER}.
Snellen reads the layout; that the content is what the authors published, it cannot know. Images were matched by the
number in their names, which is in `source_id`; 2k-1 and 2k are a pair, and slot a is the odd one.""",
        _composition(questions, tags),
        _key(questions),
        _errata(what, questions, errata),
        f"""## Use

- Chance is 50 % for a question, and 25 % for a pair (both right). Say which of the two a number is, with its
  interval and n = {header["n_pairs"]:,} pairs.
- Whoever publishes a number names the content hash; the first 16 digits will do: `{header["content_sha256"][:16]}`.
- Keep questions, answers and images out of training data.""",
        f"""## Rights and origin

- Images and questions from: {plain(header["source"])}.
- Licence: {NOT_STATED if header["licence"] is None else plain(header["licence"])}.""",
    ]
    return "\n\n".join(parts) + "\n"


def _composition(questions: Sequence[Question], tags: Sequence[Tag]) -> str:
    images = len({question.image_id for question in questions})
    lines = [
        "## Composition",
        "",
        f"- {len(questions) // 2:,} pairs, {len(questions):,} questions, {images:,} different images.",
    ]
    if tags:
        counts = Counter(tag.patterns[0] for tag in tags)
        lines += ["", "| visual pattern | pairs |", "|---|---:|"]
        lines += [f"| {pattern} | {count // 2:,} |" for pattern, count in sorted(counts.items())]
    return "\n".join(lines)


def _key(questions: Sequence[Question]) -> str:
    """Say how the key lies, by counting."""
    asked = [question.answer for question in questions if question.slot == "a" and question.answer is not None]
    if not asked:
        return "## Key\n\nThe statement of each number is true of the image of that number."
    first = sum(answer == 0 for answer in asked)
    return f"""## Key

Order of options, slots and lines are as published (`option_seed` is null). For {first:,} of {len(asked):,} pairs
the odd number has the answer (a) and the even one (b): where that is most of them, whoever knows a number need not look
at the image, and `snellen validate` says so. Show nothing but the image and the question, and ask in both orders."""


def _errata(what: str, questions: Sequence[Question], errata: Sequence[Erratum]) -> str:
    if not errata:
        return "## Known errors\n\nNone recorded here: `errata.jsonl` was not written."
    names = {question.question_id: question.source_id for question in questions}
    lines = [
        "## Known errors",
        "",
        f"`questions.jsonl` has the published answers; `errata.jsonl` says what is known to be wrong with {what}'s.",
        "Every score is given as published and corrected, each with its n. Nobody has checked all pairs.",
        "",
        "| number | action | reason | source |",
        "|---|---|---|---|",
        *(f"| {names[one.question_id]} | {one.action} | {plain(one.reason)} | {plain(one.source)} |" for one in errata),
    ]
    return "\n".join(lines)
