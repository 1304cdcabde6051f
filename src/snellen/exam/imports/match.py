"""From foreign answers to the questions of a benchmark, by identity: names, numbers and images, never places.

What a file says of a question besides (its text, its options, the answer that it holds to be right) must agree with the
benchmark; the first thing that does not is named, and nothing is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from snellen.benchmarks import Benchmark
from snellen.errors import Incomplete, StudyError
from snellen.exam.imports.foreign import Foreign
from snellen.exam.imports.wording import ORDERS, named, order_shown
from snellen.jsonl import Bad, quoted
from snellen.records import Key, Order, Question

_NUMBERED: Final = re.compile(r"[^:]+:([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Matched:
    """An answer, and the question that it answers in the order in which its options were shown."""

    question: Question
    order: Order
    answer: Foreign

    @property
    def key(self) -> Key:
        """What the answer is filed under."""
        return self.question.question_id, self.order, self.answer.repeat, "none", ""


def match(
    benchmark: Benchmark, answers: Sequence[Foreign], *, file: str, allow_missing: bool = False
) -> dict[Key, Matched]:
    """Find the question of every answer.

    Where a file does not say from what its numbers count, 0 and 1 are tried, and its questions, options and answers
    must agree with the benchmark for one of the two only.

    Args:
        benchmark: The questions.
        answers: What was read from the file, in any order.
        file: Its name, for messages.
        allow_missing: Import although questions have no answer.

    Raises:
        StudyError: an answer belongs to no question, or says something else of it; or a question is answered twice.
        Incomplete: a question has no answer.
    """
    known = _Known(benchmark)
    matched: dict[int, list[Matched]] = {}
    failed: dict[int, tuple[int, _Mismatch]] = {}
    for base in sorted({base for one in answers for base in one.counted_from}, reverse=True):
        matched[base] = []
        try:
            for one in answers:
                matched[base].append(_one(known, one, base))
        except _Mismatch as mismatch:
            failed[base] = len(matched.pop(base)), mismatch
    if not matched:
        _, said = max(failed.values(), key=lambda one: one[0])  # of two ways of counting, that which went further
        raise StudyError(f"{file}, {said}: nothing was imported.")
    if len({tuple(one.key for one in found) for found in matched.values()}) > 1:
        raise StudyError(
            f"{file} numbers its questions from 0 or from 1, and both fit the benchmark {benchmark.name}: give a file "
            "with all questions, or one that names them by question_id or source_id."
        )
    found = _once(next(iter(matched.values())), file)
    if not allow_missing:
        _complete(benchmark, found, file)
    return found


class _Mismatch(Exception):
    """What does not agree, beginning with where it stands."""


class _Known:
    """A benchmark's questions by all that a file may call them."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self.by_name: dict[str, list[Question]] = {}
        self.by_number: dict[int, list[Question]] = {}
        self.by_image: dict[str, list[Question]] = {}
        self.doubted = {one.question_id for one in benchmark.errata()}
        for question in benchmark.questions:
            for name in {question.question_id, question.source_id} - {None}:
                self.by_name.setdefault(str(name), []).append(question)
            numbered = _NUMBERED.fullmatch(question.source_id or "")
            if numbered:
                self.by_number.setdefault(int(numbered[1]), []).append(question)
            self.by_image.setdefault(question.image_id, []).append(question)


def _one(known: _Known, one: Foreign, base: int) -> Matched:
    try:
        question, order = _fitting(known, one, base)
        if one.answer is not None and question.question_id not in known.doubted:
            key = one.answer if order == "ab" else 1 - one.answer
            if key != question.answer:
                raise Bad(
                    f"holds another option to be the answer of {named(question)} than the benchmark "
                    f"{known.benchmark.name} does, and no erratum speaks of it"
                )
    except Bad as bad:
        raise _Mismatch(f"{one.where}, {bad}") from None
    return Matched(question, order, one)


def _fitting(known: _Known, one: Foreign, base: int) -> tuple[Question, Order]:
    """Return the question that the answer names, and the order in which its options were shown."""
    fitting: list[tuple[Question, Order]] = []
    why: Bad | None = None
    for question in _called(known, one, base):
        try:
            fitting.append((question, order_shown(question, one)))
        except Bad as bad:
            why = bad
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Bad(f"may answer {' or '.join(named(question) for question, _ in fitting)}: it does not say which")
    raise why if why is not None else Bad("answers no question")


def _called(known: _Known, one: Foreign, base: int) -> list[Question]:
    """Return the questions that fit all that the answer calls its question; of one image there may be several."""
    sets: list[list[Question]] = []
    sets += [known.by_name[name] for name in one.names if name in known.by_name]
    number = None
    if one.number is not None:
        number = one.number if one.counted_from == (1,) else one.number + 1 - base
        sets.append(known.by_number.get(number, []))
    if one.image_id in known.by_image:
        sets.append(known.by_image[one.image_id])
    elif one.image_id is not None and not sets:
        raise Bad(f"shows an image that the benchmark {known.benchmark.name} has not got")
    if not sets:
        raise Bad(
            f"answers the question {quoted(one.names[0])}, which the benchmark {known.benchmark.name} has not got"
        )
    found = [question for question in sets[0] if all(question in others for others in sets[1:])]
    if found:
        return found
    if number is not None and not known.by_number.get(number):
        have = "has not got" if known.by_number else "does not know, since its questions have no numbers (source_id)"
        raise Bad(f"answers the question with number {number}, which the benchmark {known.benchmark.name} {have}")
    raise Bad(f"calls its question {_calls(one, number)}, which are different ones in the benchmark")


def _calls(one: Foreign, number: int | None) -> str:
    calls = [quoted(name) for name in one.names]
    calls += [] if number is None else [f"number {number}"]
    calls += [] if one.image_id is None else [f"that of the image {one.image_id[:16]}"]
    return " and ".join(calls)


def _once(matched: Sequence[Matched], file: str) -> dict[Key, Matched]:
    found: dict[Key, Matched] = {}
    for one in matched:
        before = found.get(one.key)
        if before is not None:
            raise StudyError(
                f"{file}, {one.answer.where}, answers {named(one.question)} once more, as {before.answer.where} does: "
                "nothing was imported; take out one of the two."
            )
        found[one.key] = one
    return found


def missing(benchmark: Benchmark, found: Mapping[Key, Matched]) -> Iterator[Key]:
    """Yield every question without an answer in a sitting that others were answered in."""
    for sitting in sorted({key[1:] for key in found}):
        for question in benchmark.questions:
            if (question.question_id, *sitting) not in found:
                yield question.question_id, *sitting


def _complete(benchmark: Benchmark, found: Mapping[Key, Matched], file: str) -> None:
    gone = list(missing(benchmark, found))
    if not gone:
        return
    answered = {key[0] for key in found}
    first = {question.question_id: question for question in benchmark.questions}[gone[0][0]]
    everything = {question.question_id for question in benchmark.questions}
    if answered == everything and not any(key[2] for key in found):
        orders = [sum(key[1] == order for key in found) for order in ORDERS]
        what = (
            f"shows the options of {orders[0]:,} questions as published and of {orders[1]:,} the other way round, so "
            f"that no order has all {len(everything):,}"
        )
    else:
        what = f"has no answer to {len(gone):,} of {len(gone) + len(found):,} questions, the first {named(first)}"
    raise Incomplete(
        f"{file} {what}: nothing was imported; give --allow-missing to import it with those missing, which are shown "
        "in every score."
    )
