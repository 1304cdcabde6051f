"""`matches.jsonl`: how an image-text encoder matched the images and statements of every pair, a line a pair."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.records import Match

MATCHES: Final = "matches.jsonl"


def matched(pair_id: str, cosine: tuple[tuple[float, float], tuple[float, float]]) -> Match:
    """Say what four cosines come to; `cosine[i][j]` is of image i and text j, and only a strictly larger one wins.

    Example:
        >>> found = matched("0" * 16, ((0.30, 0.20), (0.25, 0.28)))
        >>> found.image_score, found.text_score, found.group_score
        (True, True, True)
        >>> matched("0" * 16, ((0.30, 0.20), (0.30, 0.28))).image_correct
        (False, True)
    """
    (aa, ab), (ba, bb) = cosine
    return Match(
        pair_id=pair_id,
        cosine=cosine,
        image_correct=(aa > ba, bb > ab),
        text_correct=(aa > ab, bb > ba),
        tie=aa in (ba, ab) or bb in (ba, ab),
    )


def write_matches(path: Path, matches: Iterable[Match]) -> None:
    """Write `matches.jsonl` atomically."""
    storage.write_bytes(path, jsonl.lines_of(matches))


def read_matches(path: Path) -> dict[str, Match]:
    """Read the matches by pair_id.

    Raises:
        StudyError: a line is damaged, says what its cosines do not, or names a pair twice.
    """
    found: dict[str, Match] = {}
    with path.open("rb") as file:
        for number, match in jsonl.read(file, _match):
            if isinstance(match, Bad):
                raise StudyError(f"{path}, line {number}, {match}: match again.")
            if match.pair_id in found:
                raise StudyError(f"{path}, line {number}, names a pair that an earlier line names: match again.")
            found[match.pair_id] = match
    return found


def _match(value: dict[str, Any]) -> Match:
    given = jsonl.fields(value, _CHECKS)
    made = matched(given["pair_id"], given["cosine"])
    if (made.image_correct, made.text_correct, made.tie) != (
        given["image_correct"],
        given["text_correct"],
        given["tie"],
    ):
        raise Bad("says of its pair what its cosines do not")
    return made


def _two(check: jsonl.Check) -> jsonl.Check:
    def both(value: object) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise Bad("is not a list of two")
        return check(value[0]), check(value[1])

    return both


_CHECKS: Final[dict[str, jsonl.Check]] = {
    "pair_id": jsonl.digits(16),
    "cosine": _two(_two(jsonl.number)),
    "image_correct": _two(jsonl.truth),
    "text_correct": _two(jsonl.truth),
    "tie": jsonl.truth,
}
