"""Matching the images of a pair with its statements: the exam of image-text encoders (docs/matching.md).

`match` writes `runs/<run_id>/`; `statements` proposes statements for benchmarks that have none, and `confirm` shows
them to a person.
"""

from snellen.exam.match.confirm import confirm
from snellen.exam.match.contrasts import ImageScoreContrast
from snellen.exam.match.verb_match import Matching, MatchResult, match
from snellen.exam.match.verb_statements import StatementsResult, statements

__all__ = ["ImageScoreContrast", "MatchResult", "Matching", "StatementsResult", "confirm", "match", "statements"]
