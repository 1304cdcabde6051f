"""What grading a run's answers gives, whatever was asked."""

from __future__ import annotations

from typing import NamedTuple

from snellen.exam.judge import Agreement, Judged
from snellen.exam.rating import Rated
from snellen.records import Grade, Score


class Outcome(NamedTuple):
    """Grades and scores; what the judge did, where there was one, and how often it says what a person says."""

    grades: list[Grade]
    scores: list[Score]
    judged: Judged | Rated | None = None
    checked: Agreement | None = None
