"""Matches in words, a line each: no number without its interval, its n and its chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from snellen.exam.hand import visible
from snellen.exam.match.contrasts import ImageScoreContrast
from snellen.exam.match.verb_match import MatchResult
from snellen.exam.match.verb_statements import StatementsResult
from snellen.exam.summary import SMALL, line
from snellen.records import Score

NAMES: Final = {"image_score": "image score", "text_score": "text score", "group_score": "group score"}
"""Metrics that have a line each; the others are in `scores.json`."""


def described(result: MatchResult) -> Iterator[str]:
    """Say what an encoder's run came to over all pairs, a line each."""
    header = result.header
    there = "" if result.computed else "; was there already"
    yield f"{visible(header.model)} on {header.benchmark} ({visible(header.profile)}; {result.folder.name}{there})"
    for score in result.scores:
        if score.metric in NAMES and score.group == "all":
            yield f"  {visible(line(replace(score, metric=NAMES[score.metric])))}"
    ties = sum(one.tie for one in result.matches.values())
    yield f"  ties in {ties:,} of {len(result.matches):,} pairs; a tie counts as wrong"
    if result.left_out:
        yield f"  {result.left_out:,} pairs are left out: they cannot be matched"
    if len(result.matches) < SMALL:
        yield f"  {len(result.matches)} pairs are few: look at the interval, not at the value"


def pattern_rows(result: MatchResult) -> list[tuple[str, ...]]:
    """Say the scores of every visual pattern as the cells of a table, its heading first; no patterns: no rows."""
    cells: dict[tuple[str | None, str, str], list[str]] = {}
    for score in result.scores:
        if score.group != "all" and score.metric in NAMES:
            row = cells.setdefault((score.tagset, score.group, score.errata), [f"{score.n_pairs:,}"])
            row.append(_share(score))
    heading = ("", "pairs", "image score (25 %)", "text score (25 %)", "group score (16.7 %)")
    rows = [
        (f"{visible(tagset or '')}: {visible(group)}{'' if errata == 'published' else ', errata corrected'}", *row)
        for (tagset, group, errata), row in cells.items()
    ]
    return [heading, *rows] if rows else []


def few_patterns(result: MatchResult) -> str | None:
    """Say how many of the patterns have few pairs; None where none has."""
    sizes = {(score.tagset, score.group): score.n_pairs for score in result.scores if score.group != "all"}
    few = sum(n < SMALL for n in sizes.values())
    if not few:
        return None
    return (
        f"{few} of {len(sizes)} patterns have fewer than {SMALL} pairs, which are few: look at the intervals, not at "
        "the values"
    )


def _share(score: Score) -> str:
    if score.value is None or score.low is None or score.high is None:
        return "-"
    return f"{100 * score.value:.1f} % [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def contrast_row(contrast: ImageScoreContrast) -> tuple[str, ...]:
    """Say a contrast as the cells of a table, without its p values: who, pairs, difference, only a, only b."""
    found = contrast.difference_points
    reach = "(no interval)" if found is None else f"[{found.low:+.1f}, {found.high:+.1f}]"
    return (
        f"{visible(contrast.b)} - {visible(contrast.a)}",
        f"{contrast.n_pairs:,}",
        f"{contrast.value_points:+.1f} {reach}",
        f"{contrast.b_only:,}",
        f"{contrast.a_only:,}",
    )


def proposed(result: StatementsResult) -> Iterator[str]:
    """Say what `statements` did, a line each."""
    if not result.pairs:
        yield "every pair brings two statements of its own: nothing to propose"
        return
    yield (
        f"{result.path}: statements by {visible(result.by)} for {result.proposed:,} of {result.pairs:,} pairs that "
        "have none of their own; none of them is confirmed"
    )
    for count, why in (
        (result.others, "have confirmed ones, or some by somebody else, which stay as they are"),
        (result.none, "get none: no rule fits, or the reply is of no use"),
        (result.refused, "get none: a person has refused just these"),
        (result.dropped, "get none: an erratum drops them"),
    ):
        if count:
            yield f"  {count:,} pairs {why}"
