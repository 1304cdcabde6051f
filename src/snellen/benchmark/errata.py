"""Published answers that are known to be wrong: named by dataset, number, text and answer, and never by number alone.

Nobody has looked through all of MMVP: of eight pairs that were checked, two are wrong. A fix in circulation used the
numbers as if they began at 0, changed one half of each pair only, and so gave both images of a pair one answer. Other
copies hold corrected answers under the published numbers, where a second correction would undo the first. Hence a
number is believed only where the text and the answer are those that were published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from snellen.errors import SourceError
from snellen.jsonl import quoted
from snellen.records import Action, Erratum, Question


@dataclass(frozen=True, slots=True)
class Known:
    """A pair whose published answers are wrong (`swap`) or cannot be told (`drop`).

    `numbers` are 1-based and as in the names of the files; `answers` are the options that were published as right.
    """

    dataset: str
    numbers: tuple[int, int]
    text: str
    answers: tuple[str, str]
    action: Action
    reason: str
    source: str


KNOWN: Final = (
    Known(
        dataset="MMVP",
        numbers=(279, 280),
        text="Is the elderly person standing or sitting in the picture?",
        answers=("Standing", "Sitting"),
        action="swap",
        reason="In image 279 the person sits on a bench; in image 280 the person stands and carries a child.",
        source="github.com/tsb0601/MMVP issues 14 and 30; github.com/EvolvingLMMs-Lab/lmms-eval issue 1018",
    ),
    Known(
        dataset="MMVP",
        numbers=(99, 100),
        text="Does the elephant have long or short tusks?",
        answers=("Long", "Short"),
        action="drop",
        reason="One report has the answers the wrong way round; another sees long tusks in both images.",
        source="github.com/tsb0601/MMVP issue 30; github.com/EvolvingLMMs-Lab/lmms-eval issue 1018",
    ),
)
"""All that is known, as of November 2026."""


def known(dataset: str, questions: Mapping[int, Question]) -> list[Erratum]:
    """Return the errata of a dataset's questions, given by number; none where they have not got the numbers.

    Raises:
        SourceError: a number has another text or answer than was published: the data were corrected already, or are
            others.
    """
    found = []
    for one in KNOWN:
        if one.dataset != dataset or not set(one.numbers) <= set(questions):
            continue
        for number, answer in zip(one.numbers, one.answers, strict=True):
            question = questions[number]
            assert question.text is not None  # whoever asks for errata has questions with options
            assert question.options is not None
            assert question.answer is not None
            given = question.options[question.answer]
            if _plain(question.text) != _plain(one.text) or _plain(given) != _plain(answer):
                raise SourceError(
                    f"Number {number} is {quoted(question.text)} with the answer {quoted(given)}, and {dataset} was "
                    f"published with {quoted(one.text)} and {quoted(answer)}, a known error: these data were corrected "
                    "already or are others, so the known errata are not theirs; take them as they are with --errata "
                    "none."
                )
            found.append(Erratum(question.question_id, one.action, one.reason, one.source))
    return found


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
