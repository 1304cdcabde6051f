"""Does a judge read answers as people do? Agreement with a hand-checked sample, beyond what chance would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from snellen.stats.proportions import wilson_interval


class Agreement(NamedTuple):
    """How often a judge and a person say the same of the same answers (0, 1 or None), beyond what chance would give.

    `value` is the share of the `n` answers on which they agree, with Wilson's 95 % interval. `kappa` is None where it
    is not defined: no answers, or both always say one and the same thing.
    """

    n: int
    agreed: int
    value: float | None
    low: float
    high: float
    kappa: float | None


def agreement(judged: Sequence[int | None], hand: Sequence[int | None]) -> Agreement:
    """Compare a judge with a hand-checked sample, item by item.

    Cohen's kappa (Educational and Psychological Measurement 20, 1960, pp. 37-46) over the three verdicts first, second
    and neither: (agreement - chance agreement) / (1 - chance agreement), chance from both sides' own shares.

    Example:
        >>> found = agreement([0, 0, 1, 1, None], [0, 0, 1, 0, None])
        >>> found.n, found.agreed, found.value, round(found.kappa, 4)
        (5, 4, 0.8, 0.6875)

    Args:
        judged: The judge's choices, 0, 1 or None.
        hand: The person's choices on the same answers in the same order.
    """
    if len(judged) != len(hand) or not {*judged, *hand} <= {0, 1, None}:
        raise ValueError(f"choices must be 0, 1 or None, as many of each, got {len(judged)} and {len(hand)}")
    n, agreed = len(judged), sum(one == other for one, other in zip(judged, hand, strict=True))
    low, high = wilson_interval(agreed, n)
    return Agreement(n, agreed, agreed / n if n else None, low, high, _kappa(judged, hand))


def _kappa(judged: Sequence[int | None], hand: Sequence[int | None]) -> float | None:
    if len({*judged, *hand}) < 2:
        return None
    import numpy as np
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((3, 3))
    for one, other in zip(judged, hand, strict=True):
        table[2 if one is None else one, 2 if other is None else other] += 1
    said = [at for at in range(3) if table[at].any() or table[:, at].any()]
    return float(cohens_kappa(table[np.ix_(said, said)], return_results=False))
