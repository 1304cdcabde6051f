"""What tagging came to, in words: every number with its n and its interval, and small n said aloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from snellen.patterns.agreement import OfTwo
from snellen.patterns.job import Tagged
from snellen.patterns.verb_tag import TagResult
from snellen.stats.agreement import Coefficient

SMALL: Final = 30
"""Below so many pairs it is said that they are few."""

RARE: Final = 10
"""A pattern that neither tagger gave to so many pairs is called rare."""


def described(result: TagResult) -> Iterator[str]:
    """Say it, a line each."""
    yield f"{result.path}: {result.n_pairs:,} pairs, by the taxonomy {result.taxonomy.name}"
    for tagger in result.taggers:
        yield f"  {_tagger(tagger)}"
    found = result.consensus
    if found is not None:
        ties = f", {found.by_people:,} of them by what people say" if found.by_people else ""
        yield (
            f"  {result.taxonomy.name}: {len(found.sets):,} pairs tagged by majority{ties}; {len(found.disputed):,} "
            f"disputed and {len(found.single):,} tagged by fewer than two, without a tag"
        )
    for two in result.agreement.two:
        yield from _two(two)
    if result.agreement.together:
        yield f"all {len(result.agreement.taggers)} taggers together (Krippendorff's alpha)"
        for one in result.agreement.together:
            share = f"given in {one.given:,} of {one.ratings:,} ratings"
            rare = "; rare" if one.given < RARE * len(result.agreement.taggers) else ""
            yield f"  {one.pattern:<12} alpha {_coefficient(one.alpha)}, n = {one.alpha.n:,} pairs; {share}{rare}"
    if len(result.agreement.taggers) < 2:
        yield "  nobody to compare with: agreement needs a second tagger (--judge, --hand, --beside)"
    else:
        yield f"  agreement: {result.agreement_path}"


def _tagger(tagger: Tagged) -> str:
    parts = [f"{tagger.tagged:,} of {tagger.n_pairs:,} pairs tagged ({tagger.none:,} with none that fits)"]
    parts += [f"{tagger.unread:,} unread after three tries"] if tagger.unread or tagger.by.startswith("judge:") else []
    parts += [f"{tagger.missing:,} missing"] if tagger.missing else []
    parts.append(f"{tagger.new:,} new")
    if tagger.tokens:
        cost = "price not known" if tagger.cost_usd is None else f"{tagger.cost_usd:.4f} USD"
        parts.append(f"{tagger.tokens:,} tokens, {cost}")
    return f"{tagger.tagset}: {'; '.join(parts)}"


def _two(two: OfTwo) -> Iterator[str]:
    yield f"{two.a} and {two.b}"
    if two.n_pairs == 0:
        yield "  no pair was tagged by both: nothing can be said"
        return
    if two.n_pairs < SMALL:
        yield f"  {two.n_pairs} pairs are few: look at the intervals, not at the values"
    same, alike = two.same, two.alike
    yield (
        f"  the very same patterns {_percent(same.value, same.low, same.high)}, Jaccard {alike.value:.2f} "
        f"[{alike.low:.2f}, {alike.high:.2f}], n = {two.n_pairs:,} pairs"
    )
    given = [one for one in two.patterns if one.given_a or one.given_b]
    for one in given:
        rare = "; rare" if max(one.given_a, one.given_b) < RARE else ""
        yield (
            f"  {one.pattern:<12} kappa {_coefficient(one.kappa)}, agree {_percent(*one.agreed[:3])}, n = "
            f"{two.n_pairs:,} pairs; given to {one.given_a:,} and {one.given_b:,}, by both to {one.given_both:,}{rare}"
        )
    if len(given) < len(two.patterns):
        never = ", ".join(one.pattern for one in two.patterns if one not in given)
        yield f"  given by neither, so nothing can be said: {never}"


def _coefficient(found: Coefficient) -> str:
    if found.value is None:
        return "not defined (all say the same of all pairs)" if found.n else "not defined (no pair)"
    if found.low is None or found.high is None:
        return f"{found.value:.2f} [no interval: too rare]"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _percent(value: float | None, low: float, high: float) -> str:
    return f"{100 * (value or 0):.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
