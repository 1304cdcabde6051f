"""A verdict for every pair, and how certain it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from snellen.diagnosis import organs
from snellen.diagnosis.organs import CLASSES, Fitted, Observed, fit

EYES, CONNECTOR, LANGUAGE = "eyes", "connector", "language model or bias"
SEES, UNSURE, BAD = "sees it", "unsure", "bad item"

VERDICTS: Final = (SEES, EYES, CONNECTOR, LANGUAGE, UNSURE, BAD)

ORGANS: Final = (EYES, CONNECTOR, LANGUAGE)

CERTAIN: Final = 0.8
"""The least posterior of an organ that is blamed."""

WITHIN: Final = 0.9
"""Certainty of a pair that is nearer than all of its variants: with ten of them, one in eleven would be by chance."""

NOT_LUCK: Final = 0.5
"""The least posterior of `sees it`: below, right answers are more likely luck than sight."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair's verdict, its posterior, and what kept it from being another, as the end of a sentence."""

    verdict: str
    certainty: float | None
    because: str


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one pair when it is judged.

    `within_null` says whether the two pictures are the same at the tap as far as label-preserving changes go; None
    where the tap cannot be seen. `bad` says why it is a bad item, `short` why its answers prove nothing.
    """

    observed: Observed
    within_null: bool | None
    bad: str | None
    short: str | None


def judged(
    cases: Mapping[str, Case], suspects: Sequence[str] = tuple(organs.ORGANS)
) -> tuple[dict[str, Judged], Fitted]:
    """Judge the pairs of one pattern together.

    The order of the rules: a bad item is no failure of a model. Answers that are too few prove nothing. Right answers
    are `sees it`, unless luck explains them better. Wrong ones are the eyes' where the model receives the same of both
    pictures; else the organ's that has the posterior of `CERTAIN`, normalised over the organs; else nobody's.

    Args:
        cases: By pair_id.
        suspects: The organs that may be at fault, of `organs.ORGANS`.

    Returns:
        The verdicts by pair_id, and the estimate behind them.
    """
    usable = [pair for pair, case in cases.items() if case.bad is None and case.short is None]
    fitted = fit([cases[pair].observed for pair in usable], suspects)
    posterior = dict(zip(usable, fitted.posterior, strict=True))
    return {pair: _judge(case, posterior.get(pair)) for pair, case in cases.items()}, fitted


def _judge(case: Case, posterior: np.ndarray[tuple[int], np.dtype[np.float64]] | None) -> Judged:
    if case.bad is not None:
        return Judged(BAD, None, case.bad)
    if case.short is not None or posterior is None:
        return Judged(UNSURE, None, case.short or "nothing is known")
    by = dict(zip(CLASSES, posterior.tolist(), strict=True))
    if case.observed.answers is None:
        return Judged(UNSURE, None, "it is right too often to be blind and too seldom to see")
    if case.observed.answers:
        if by["sees"] >= NOT_LUCK:
            return Judged(SEES, by["sees"], "both answers are right in most ways of asking")
        return Judged(UNSURE, by["sees"], "its answers are right, and luck explains that better than sight")
    if case.within_null:
        return Judged(EYES, WITHIN, "what the model receives of the two pictures is nearer than any variant of either")
    failing = {EYES: by["eyes"], CONNECTOR: by["connector"], LANGUAGE: by["unused"] + by["bias"]}
    total = sum(failing.values())
    organ = max(failing, key=lambda name: failing[name])
    certainty = failing[organ] / total
    if certainty < CERTAIN:
        return Judged(UNSURE, certainty, f"the likeliest organ, {organ}, is not likely enough")
    return Judged(organ, certainty, _because(organ, case.observed))


def _because(organ: str, observed: Observed) -> str:
    if organ == EYES:
        return "what is asked cannot be read from what the model receives"
    if organ == CONNECTOR:
        return "what is asked can be read before the projector and not behind it"
    if observed.contrast is not None and 2 * observed.contrast.right > observed.contrast.n:
        return "the two pictures move the answer the right way, and a bias outweighs it"
    return "what is asked can be read behind the projector and does not reach the answer"
