"""Several encoders on the same pairs: is one's image score higher than another's?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from snellen.records import Match
from snellen.stats import Difference, bootstrap_difference, holm, mcnemar


@dataclass(frozen=True, slots=True)
class ImageScoreContrast:
    """Image scores of encoders a and b over the same `n_pairs` pairs, as published.

    `a_only` and `b_only` count pairs that only one of them has right. `difference_points` is b - a in points, from -100
    to 100, with the paired bootstrap's interval; None where that has no width (they differ on no pair, or alike on
    all), which would claim certainty. `p` is of McNemar's exact test, `p_holm` adjusted for all contrasts shown
    together.
    """

    a: str
    b: str
    n_pairs: int
    a_only: int
    b_only: int
    value_points: float
    difference_points: Difference | None
    p: float
    p_holm: float


def contrasts(matches: Sequence[tuple[str, Mapping[str, Match]]], seed: int = 0) -> tuple[ImageScoreContrast, ...]:
    """Contrast every two encoders, on the pairs that both have matched.

    Args:
        matches: Each encoder's name, and its matches by pair_id.
        seed: Of the bootstrap.
    """
    found = [_contrast(a, b, seed) for a, b in combinations(matches, 2)]
    adjusted = holm([one.p for one in found])
    return tuple(replace(one, p_holm=p) for one, p in zip(found, adjusted, strict=True))


def _contrast(a: tuple[str, Mapping[str, Match]], b: tuple[str, Mapping[str, Match]], seed: int) -> ImageScoreContrast:
    names = sorted(a[1].keys() & b[1].keys())
    first, second = ([matches[name].image_score for name in names] for _, matches in (a, b))
    both = list(zip(first, second, strict=True))
    test = mcnemar(both.count((True, False)), both.count((False, True)))
    found = bootstrap_difference(first, second, seed=seed)
    points = Difference(100 * found.value, 100 * found.low, 100 * found.high, found.n)
    return ImageScoreContrast(
        a=a[0],
        b=b[0],
        n_pairs=len(names),
        a_only=test.a_only,
        b_only=test.b_only,
        value_points=points.value,
        difference_points=points if points.low < points.high else None,
        p=test.p,
        p_holm=test.p,
    )
