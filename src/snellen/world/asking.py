"""One question about two pictures, with the answers that the facts give."""

from __future__ import annotations

from typing import Final

from snellen.records import AcceptedPair, pair_id
from snellen.world.scene import captions, questions
from snellen.world.scene.facts import FACTORS, Facts
from snellen.world.table import Picture

WORLD: Final = "world"
"""Who decided: the facts."""


def accepted_pair(
    first: Picture,
    second: Picture,
    factor: str,
    *,
    blind_cosine: float | None = None,
    reference_cosine: float | None = None,
) -> AcceptedPair:
    """Ask about one factor in which two pictures of one kind and context differ.

    The options are the two true values, in the order of `FACTORS`; who builds a benchmark of them draws their order by
    lot.

    Raises:
        ValueError: the pictures show other kinds or contexts, or have the same value of the factor.
    """
    facts = first.facts, second.facts
    if not facts[0].same_scene(facts[1]) or factor not in facts[0].differing(facts[1]):
        raise ValueError(f"{first.file} and {second.file} are no pair to be asked about {factor}")
    values = [getattr(one, factor) for one in facts]
    offered = sorted(values, key=FACTORS[factor].index)
    said = [captions.phrase(factor, one) for one in facts]
    return AcceptedPair(
        pair_id=pair_id(first.image_id, second.image_id),
        image_a=first.image_id,
        image_b=second.image_id,
        difference=f"{said[0]} in one picture, {said[1]} in the other",
        question=questions.text(factor, facts[0]),
        options=(questions.option(offered[0]), questions.option(offered[1])),
        answer_a=offered.index(values[0]),
        answer_b=offered.index(values[1]),
        patterns=(factor,),
        statement_a=statement(factor, facts[0]),
        statement_b=statement(factor, facts[1]),
        blind_cosine=blind_cosine,
        reference_cosine=reference_cosine,
        decided_by=(WORLD,),
        drafted_by=None,
    )


def statement(factor: str, facts: Facts) -> str:
    """Say one factor in a caption's words and order: `a red kite on the beach`, `a kite on the beach with two eggs`."""
    said, place = captions.phrase(factor, facts), captions.PLACES[facts.context][0]
    if factor in ("color", "structure"):
        return f"a {said} {facts.kind} {place}"
    if factor in ("orientation", "presence"):
        return f"a {facts.kind} {said} {place}"
    return f"a {facts.kind} {place} {said}"
