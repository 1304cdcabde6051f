"""From raw answers to grades: rules first; for what they cannot read, people before the judge; never a guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from snellen.exam.hand import HandGrade
from snellen.exam.judge import Unread
from snellen.exam.rules import RULES, read_choice
from snellen.profiles import shown
from snellen.records import Grade, Key, Question, Response, Verdict


def by_rules(question: Question, response: Response, letters: tuple[str, str]) -> Grade:
    """Grade one answer by the rules alone.

    Args:
        question: What was asked.
        response: The raw answer.
        letters: How the prompt named the option shown first, and the one shown second.
    """
    if response.finish == "error":
        return _grade(question, response.key, None, "error", RULES, None)
    assert response.text is not None
    if response.finish == "refusal":
        return _grade(question, response.key, None, "refused", RULES, None)
    cut = response.finish == "length"
    reading = read_choice(response.text, shown(question, response.order), letters, cut=cut)
    unread: Verdict = "refused" if reading.refused else "unparsed"
    return _grade(question, response.key, reading.choice, unread, RULES, reading.span)


def by_hand(question: Question, key: Key, decided: HandGrade) -> Grade:
    """Grade one answer as a person did."""
    unread: Verdict = "refused" if decided.refused else "unparsed"
    return _grade(question, key, decided.choice, unread, f"hand:{decided.who}", None)


def by_judge(question: Question, key: Key, choice: int | None, grader: str) -> Grade:
    """Grade one answer as the judge did; what it cannot read either stays unparsed."""
    return _grade(question, key, choice, "unparsed", grader, None)


def to_judge(
    questions: Mapping[str, Question], responses: Mapping[Key, Response], grades: Iterable[Grade]
) -> list[Unread]:
    """List what the rules left unparsed."""
    found = []
    for grade in grades:
        if grade.verdict == "unparsed":
            question, text = questions[grade.question_id], responses[grade.key].text
            assert question.text is not None
            assert text is not None
            found.append(Unread(grade.key, question.text, shown(question, grade.order), text))
    return found


def _grade(question: Question, key: Key, seen: int | None, unread: Verdict, grader: str, span: str | None) -> Grade:
    """Make a grade of a choice among the options as shown; `unread` is the verdict where there is no choice."""
    question_id, order, repeat, control, variant = key
    choice = seen if seen is None or order == "ab" else 1 - seen
    verdict: Verdict = unread if choice is None else "correct" if choice == question.answer else "incorrect"
    return Grade(question_id, order, repeat, control, variant, choice, verdict, grader, span)


def counted(grades: Sequence[Grade]) -> dict[str, int]:
    """Count grades by verdict, all verdicts named."""
    counts = dict.fromkeys(("correct", "incorrect", "unparsed", "refused", "error"), 0)
    for grade in grades:
        counts[grade.verdict] += 1
    return counts
