"""Grading the answers to a benchmark: every answer belongs to a question, every question has one, none is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from snellen.benchmarks import Benchmark
from snellen.errors import Incomplete, StudyError
from snellen.exam import verdicts
from snellen.exam.hand import read_hand
from snellen.exam.judge import Unread, agreement, judge
from snellen.exam.outcome import Outcome
from snellen.exam.scores import scores
from snellen.mllms.base import MultimodalModel
from snellen.profiles import letters_of
from snellen.progress import Progress
from snellen.records import Key, Response
from snellen.runs import RESPONSES, Header


def grade_pairs(
    folder: Path,
    asked: Benchmark,
    header: Header,
    responses: Mapping[Key, Response],
    model: MultimodalModel | None,
    allow_incomplete: bool,
    progress: Progress,
) -> Outcome:
    """Grade every answer, in the order of sittings and questions, and score them.

    Args:
        folder: the run's folder.
        asked: what was asked.
        header: how.
        responses: the raw answers, by key.
        model: the judge, for what the rules cannot read.
        allow_incomplete: score although answers are missing or ended in errors; their pairs are left out, and counted.
        progress: told of what the judge does.

    Raises:
        StudyError: an answer belongs to no question.
        Incomplete: answers are missing or ended in errors, or the judge did not reply to all.
    """
    check_covered(folder, asked, header, responses, allow_incomplete)
    questions = {question.question_id: question for question in asked.questions}
    letters = letters_of(header.profile)
    keys = [(question, *sitting) for sitting in header.sittings for question in questions]
    grades = {key: verdicts.by_rules(questions[key[0]], responses[key], letters) for key in keys if key in responses}
    judged = None
    if model is not None:
        judged = judge(folder, verdicts.to_judge(questions, responses, grades.values()), model, progress)
        for key, choice in judged.choices.items():
            grades[key] = verdicts.by_judge(questions[key[0]], key, choice, judged.grader)
    hand = read_hand(folder)
    for key, decided in hand.items():  # last, since a person's word goes before the judge's
        if key in grades and grades[key].verdict != "error":
            grades[key] = verdicts.by_hand(questions[key[0]], key, decided)
    both = [key for key in (judged.choices if judged else ()) if key in hand and judged and key not in judged.without]
    checked = agreement([judged.choices[key] for key in both], [hand[key].choice for key in both]) if judged else None
    log_probabilities = {key: one.logprobs for key, one in responses.items() if one.logprobs is not None}
    found = scores(asked, header.sittings, grades, log_probabilities)
    return Outcome(list(grades.values()), found, judged, checked)


def unparsed(folder: Path, asked: Benchmark, header: Header, responses: Mapping[Key, Response]) -> list[Unread]:
    """List what the rules leave unparsed in a run, whoever has decided it since.

    Raises:
        StudyError: an answer belongs to no question.
    """
    check_covered(folder, asked, header, responses, allow_incomplete=True)
    questions = {question.question_id: question for question in asked.questions}
    letters = letters_of(header.profile)
    grades = [verdicts.by_rules(questions[key[0]], response, letters) for key, response in responses.items()]
    return verdicts.to_judge(questions, responses, grades)


def check_covered(
    folder: Path, asked: Benchmark, header: Header, responses: Mapping[Key, Response], allow_incomplete: bool
) -> None:
    """See that every answer belongs to a question, and every question has an answer.

    Raises:
        StudyError: an answer belongs to no question.
        Incomplete: a question has no answer, and that is not allowed.
    """
    expected = {(question.question_id, *sitting) for question in asked.questions for sitting in header.sittings}
    strange = sorted(set(responses) - expected)
    if strange:
        raise StudyError(
            f"{folder / RESPONSES} answers {len(strange):,} questions that were not asked, the first {strange[0]!r}: "
            "it belongs to another run or was changed; put it back as it was."
        )
    errors = sum(one.finish == "error" for one in responses.values())
    missing = len(expected) - len(responses)
    if (errors or missing) and not allow_incomplete:
        again = "get a whole file and import it" if header.kind == "import" else "run `snellen ask` again"
        raise Incomplete(
            f"{folder.name} is not complete: of {len(expected):,} answers {missing:,} are missing and {errors:,} ended "
            f"in errors; {again}, or give --allow-incomplete to leave their pairs out."
        )
