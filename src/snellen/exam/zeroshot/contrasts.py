"""Several encoders on the same images: is one right on more of them than another?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from snellen.stats import Difference, holm, mcnemar, wilson_interval

RESAMPLES = 10_000


class Contrast(NamedTuple):
    """Top-1 of b minus that of a, in points, over the images that both have a prediction for.

    `a_only` and `b_only` are images that one alone has right; `p` is of McNemar's exact test, `p_holm` the same
    adjusted for all pairs of encoders that were compared.
    """

    a: str
    b: str
    difference_points: Difference
    a_only: int
    b_only: int
    p: float
    p_holm: float


def contrasts(right: Mapping[str, Mapping[int, bool]]) -> tuple[Contrast, ...]:
    """Compare all pairs of encoders on the images that both have; a pair that has none in common is left out.

    Example:
        >>> a = {image: image % 2 == 0 for image in range(100)}
        >>> b = {image: image % 2 == 0 or image < 20 for image in range(100)}
        >>> found = contrasts({"a": a, "b": b})[0]
        >>> found.difference_points.value, found.a_only, found.b_only
        (10.0, 0, 10)

    Args:
        right: for each encoder, by image, whether its first choice is the image's class.
    """
    tested = []
    for a, b in combinations(right, 2):
        common = [image for image in right[a] if image in right[b]]
        if common:
            a_only = sum(right[a][image] and not right[b][image] for image in common)
            b_only = sum(right[b][image] and not right[a][image] for image in common)
            tested.append((a, b, points(a_only, b_only, len(common)), *mcnemar(a_only, b_only)))
    adjusted = holm([p for *_, p in tested])
    return tuple(Contrast(*each, p_holm) for each, p_holm in zip(tested, adjusted, strict=True))


def points(a_only: int, b_only: int, n: int, seed: int = 0) -> Difference:
    """Return b - a in points, with the paired percentile bootstrap's 95 % interval over images.

    Drawing n images with replacement is drawing how many of them are right for a alone, for b alone or for neither
    alone, which is multinomial: the same distribution as `snellen.stats.bootstrap_difference` samples image by image,
    for any number of images at once. Where the bootstrap has no width, because all images are alike, the images that
    might not be are at most Wilson's upper bound of none in n.

    Args:
        a_only: images right for a alone.
        b_only: images right for b alone.
        n: images, at least 1.
        seed: of the draws (PCG64).
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    shares = np.array([a_only, b_only, n - a_only - b_only]) / n
    drawn = rng.multinomial(n, shares, size=RESAMPLES)
    low, high = np.quantile((drawn[:, 1] - drawn[:, 0]) / n, [0.025, 0.975])
    value = (b_only - a_only) / n
    if low == high:
        reach = wilson_interval(0, n)[1] * (1 + abs(value))
        low, high = max(-1.0, value - reach), min(1.0, value + reach)
    return Difference(100 * value, 100 * float(low), 100 * float(high), n)
