"""Do taggers agree? Every two of them and all together, pattern by pattern, with intervals over pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from snellen.patterns.tagsets import Sets
from snellen.stats.agreement import Coefficient, Likeness, cohen_kappa, jaccard, krippendorff_alpha
from snellen.stats.proportions import Proportion, wilson_interval


@dataclass(frozen=True, slots=True)
class OfPattern:
    """Two taggers on one pattern: who gave it to how many of the pairs that both tagged, agreement and kappa."""

    pattern: str
    given_a: int
    given_b: int
    given_both: int
    agreed: Proportion
    kappa: Coefficient


@dataclass(frozen=True, slots=True)
class OfTwo:
    """Two taggers, `a` and `b` by tagset, on the `n_pairs` that both tagged.

    `same` is the share of pairs to which both give the very same patterns, `alike` the mean Jaccard index of them.
    """

    a: str
    b: str
    n_pairs: int
    same: Proportion
    alike: Likeness
    patterns: tuple[OfPattern, ...]


@dataclass(frozen=True, slots=True)
class OfAll:
    """All taggers on one pattern: how often it is given, of how many ratings, and Krippendorff's alpha."""

    pattern: str
    given: int
    ratings: int
    alpha: Coefficient


@dataclass(frozen=True, slots=True)
class TaggerAgreement:
    """Every two taggers, and all together where there are three or more."""

    taggers: tuple[str, ...]
    two: tuple[OfTwo, ...]
    together: tuple[OfAll, ...]


def agreement(taggers: Mapping[str, Sets], patterns: Sequence[str], seed: int = 0) -> TaggerAgreement:
    """Compare taggers.

    Args:
        taggers: what each says of each pair, by tagset.
        patterns: of the taxonomy, in its order.
        seed: of the bootstrap.
    """
    names = tuple(taggers)
    two = tuple(_two(a, b, taggers, patterns, seed) for a, b in combinations(names, 2))
    together = tuple(_all(one, taggers, seed) for one in patterns) if len(names) > 2 else ()
    return TaggerAgreement(names, two, together)


def _two(a: str, b: str, taggers: Mapping[str, Sets], patterns: Sequence[str], seed: int) -> OfTwo:
    both = sorted(taggers[a].keys() & taggers[b].keys())
    first, second = [taggers[a][pair] for pair in both], [taggers[b][pair] for pair in both]
    return OfTwo(
        a=a,
        b=b,
        n_pairs=len(both),
        same=_share([one == other for one, other in zip(first, second, strict=True)]),
        alike=jaccard(first, second, seed=seed),
        patterns=tuple(_pattern(pattern, first, second, seed) for pattern in patterns),
    )


def _pattern(pattern: str, first: Sequence[frozenset[str]], second: Sequence[frozenset[str]], seed: int) -> OfPattern:
    a, b = [pattern in each for each in first], [pattern in each for each in second]
    return OfPattern(
        pattern=pattern,
        given_a=sum(a),
        given_b=sum(b),
        given_both=sum(one and other for one, other in zip(a, b, strict=True)),
        agreed=_share([one == other for one, other in zip(a, b, strict=True)]),
        kappa=cohen_kappa(a, b, seed=seed),
    )


def _all(pattern: str, taggers: Mapping[str, Sets], seed: int) -> OfAll:
    pairs = sorted({pair for sets in taggers.values() for pair in sets})
    ratings = [
        [float(pattern in sets[pair]) if pair in sets else float("nan") for pair in pairs] for sets in taggers.values()
    ]
    said = [one for row in ratings for one in row if one == one]  # NaN equals nothing
    return OfAll(pattern, int(sum(said)), len(said), krippendorff_alpha(ratings, seed=seed))


def _share(hits: Sequence[bool]) -> Proportion:
    n = len(hits)
    return Proportion(sum(hits) / n if n else None, *wilson_interval(sum(hits), n), n, n)
