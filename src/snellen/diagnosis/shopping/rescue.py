"""Of the pairs that one encoder gets wrong, which does another get right? From the matches of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from snellen.records import Match
from snellen.stats import Proportion, wilson_interval

CHANCE: Final = 0.25
"""Of the image score: what a guesser gets right of any pairs, also of those that another gets wrong."""


class Rescue(NamedTuple):
    """What b adds to a, over the pairs that both were matched on.

    `rescued` is the share of a's wrong pairs that b gets right; `union` the share of all pairs that one of them gets
    right: an oracle, which no mixture has to reach. `guesser` is the union that a guesser would give in b's place.
    """

    rescued: Proportion
    union: Proportion
    guesser: float | None


def rescue(a: Mapping[str, Match], b: Mapping[str, Match]) -> Rescue:
    """Compare two encoders' image scores, pair by pair, with Wilson's intervals.

    Example:
        >>> from snellen.runs import matched
        >>> right, wrong = ((0.9, 0.1), (0.1, 0.9)), ((0.1, 0.9), (0.9, 0.1))
        >>> a = {"p": matched("p", right), "q": matched("q", wrong), "r": matched("r", wrong)}
        >>> b = {"p": matched("p", wrong), "q": matched("q", right), "r": matched("r", wrong)}
        >>> found = rescue(a, b)
        >>> found.rescued.value, found.rescued.n, round(found.union.value, 3), found.union.n
        (0.5, 2, 0.667, 3)
    """
    both = [(a[name].image_score, b[name].image_score) for name in sorted(set(a) & set(b))]
    wrong = [right for before, right in both if not before]
    n = len(both)
    return Rescue(
        rescued=share(sum(wrong), len(wrong)),
        union=share(sum(before or after for before, after in both), n),
        guesser=(n - len(wrong) + CHANCE * len(wrong)) / n if n else None,
    )


def share(count: int, n: int) -> Proportion:
    """Return a share of independent pairs with Wilson's 95 % interval."""
    return Proportion(count / n if n else None, *wilson_interval(count, n), n, n)
