"""Scores of a zero-shot classification: pure functions of the rank that each image gives its own class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.stats import wilson_interval

TOP: Final = 5
RESAMPLES: Final = 10_000


class ZeroShotScore(NamedTuple):
    """One number with its interval, over `n` images; `chance` is what guessing gives."""

    metric: str
    value: float
    low: float
    high: float
    n: int
    method: str
    chance: float


class ClassScore(NamedTuple):
    """How many images of one class are right, and their share with Wilson's interval; None where it has no image."""

    label: str
    names: tuple[str, ...]
    n: int
    correct: int
    value: float | None
    low: float
    high: float


def ranked(cosines: NDArray[np.float64], own: Sequence[int]) -> tuple[list[int], list[list[int]], list[bool]]:
    """Say how images rank their classes.

    Example:
        >>> ranked(np.array([[0.1, 0.3, 0.2], [0.4, 0.4, 0.1]]), [2, 0])
        ([2, 2], [[1, 2, 0], [0, 1, 2]], [False, True])

    Args:
        cosines: float64 [n, classes].
        own: [n], the index of each image's own class.

    Returns:
        The rank of the own class: how many classes, itself among them, have at least its cosine; 1 is right, and a tie
        counts against it. The first five classes, best first, equal ones in the order of the classes. Whether two
        classes share the first place.
    """
    mine = cosines[np.arange(len(own)), list(own)]
    ranks = (cosines >= mine[:, None]).sum(axis=1)
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :TOP]
    ties = (cosines == cosines.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return ranks.tolist(), best.tolist(), ties.tolist()


def scores(ranks: Sequence[int], own: Sequence[int], n_classes: int) -> tuple[ZeroShotScore, ...]:
    """Return top-1, top-5 (where there are more than five classes) and mean per-class recall, with 95 % intervals.

    Example:
        >>> [(one.metric, round(one.value, 2)) for one in scores([1, 1, 2, 1], [0, 0, 0, 1], 3)]
        [('top1', 0.75), ('mean_per_class_recall', 0.83)]

    Args:
        ranks: of each image's own class, from 1; see `ranked`.
        own: the index of each image's own class.
        n_classes: candidates.
    """
    n = len(ranks)
    if not n or len(own) != n or n_classes < 2:
        raise ValueError(f"there must be as many ranks as classes of images, and two candidates, got {n}, {len(own)}")
    found = []
    for metric, k in (("top1", 1), ("top5", TOP)):
        if k == 1 or n_classes > k:
            right = sum(rank <= k for rank in ranks)
            low, high = wilson_interval(right, n)
            found.append(ZeroShotScore(metric, right / n, low, high, n, "Wilson", k / n_classes))
    value, low, high, method = mean_recall([rank == 1 for rank in ranks], own)
    found.append(ZeroShotScore("mean_per_class_recall", value, low, high, n, method, 1 / n_classes))
    return tuple(found)


def mean_recall(right: Sequence[bool], own: Sequence[int], seed: int = 0) -> tuple[float, float, float, str]:
    """Return the mean over classes of the share of their images that are right, its 95 % interval, and how it was made.

    Percentile bootstrap over images: as many are drawn with replacement from all, and classes that none was drawn of
    are left out of that mean. Drawing images is drawing counts of (class, right), which is multinomial, so that is
    what is drawn. Where all images are right, or none, the bootstrap has no width, and Wilson's interval of the images
    stands in its place.

    Example:
        >>> value, low, high, method = mean_recall([True, False, True, True], [0, 0, 1, 1])
        >>> value, low < value < high
        (0.75, True)

    Args:
        right: of each image.
        own: the class of each image.
        seed: of the draws (PCG64).
    """
    n = len(right)
    _, classes = np.unique(own, return_inverse=True)
    held = np.bincount(2 * classes + np.array(right, dtype=np.int64), minlength=2 * (classes.max() + 1))
    wrong, hit = held[0::2], held[1::2]
    value = float((hit / (hit + wrong)).mean())
    if sum(right) in (0, n):
        return value, *wilson_interval(sum(right), n), "Wilson over images, all of which agree"
    rng = np.random.Generator(np.random.PCG64(seed))
    means = []
    step = max(1, 4_000_000 // len(held))  # so many resamples at a time, to bound the memory
    for start in range(0, RESAMPLES, step):
        drawn = rng.multinomial(n, held / n, size=min(step, RESAMPLES - start))
        of_class = drawn[:, 0::2] + drawn[:, 1::2]
        share = np.divide(drawn[:, 1::2], of_class, out=np.zeros(of_class.shape), where=of_class > 0)
        means.append(share.sum(axis=1) / (of_class > 0).sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return value, float(low), float(high), f"bootstrap over images, {RESAMPLES:,} resamples"


def per_class(
    right: Sequence[bool], own: Sequence[int], labels: Sequence[str], names: Sequence[tuple[str, ...]]
) -> tuple[ClassScore, ...]:
    """Return every class's own score, classes without images among them.

    Args:
        right: of each image.
        own: the index of each image's class.
        labels: of the classes.
        names: of the classes.
    """
    totals = np.bincount(np.array(own, dtype=np.int64), minlength=len(labels)).tolist()
    hits = np.bincount(np.array(own, dtype=np.int64)[np.array(right, dtype=bool)], minlength=len(labels)).tolist()
    return tuple(
        ClassScore(label, name, n, hit, hit / n if n else None, *wilson_interval(hit, n))
        for label, name, n, hit in zip(labels, names, totals, hits, strict=True)
    )
