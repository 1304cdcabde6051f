"""Scores of item sets: yes/no answers, and ratings of free answers; pure functions of what was read.

The image is the unit: several items about one image are no independent evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snellen.itemsets import Item
from snellen.records import Score, Verdict
from snellen.stats import clustered_interval

RESAMPLES: Final = 10_000
CLUSTERED, BOOTSTRAP = "wilson, clustered by image", "bootstrap over images"


def groups(items: Sequence[Item]) -> Iterator[tuple[str, str | None, list[Item]]]:
    """Yield all items, then those of each category, as (group, tagset, items)."""
    yield "all", None, list(items)
    for category in sorted({one.category for one in items if one.category is not None}):
        yield category, "category", [one for one in items if one.category == category]


def yes_no_scores(
    items: Sequence[Item], said: Mapping[str, bool | None], verdicts: Mapping[str, Verdict]
) -> list[Score]:
    """Score yes/no answers as POPE does, with intervals (Li et al., EMNLP 2023, section 5).

    `yes_no_accuracy`, `precision`, `recall` and `f1` (yes is positive; F1 = 2 TP / (2 TP + FP + FN)), and `yes_rate`.
    An answer that cannot be read counts as wrong: a missed yes, or a false yes; it is no yes in `yes_rate`.

    Args:
        items: with their answers.
        said: True for yes, False for no, None where neither can be read, by item_id; items without an answer or with an
            error are missing, are left out, and are counted.
        verdicts: by item_id.
    """
    found: list[Score] = []
    for group, tagset, members in groups(items):
        counts = _counts([verdicts.get(one.item_id) for one in members])
        covered = [one for one in members if one.item_id in said]
        yes = np.array([one.answer == "yes" for one in covered])
        answers = [said[one.item_id] for one in covered]
        # What cannot be read is taken for the wrong answer, whichever that is.
        chose = np.array([(not truth) if one is None else one for truth, one in zip(yes, answers, strict=True)])
        images = [one.image_id for one in covered]

        shares: list[tuple[str, Sequence[bool], Sequence[str], float | None]] = [
            ("yes_no_accuracy", [bool(hit) for hit in chose == yes], images, 0.5),
            ("precision", *_part(yes, chose, images), None),
            ("recall", *_part(chose, yes, images), None),
            ("yes_rate", [one is True for one in answers], images, None),
        ]
        for metric, hits, names, chance in shares:
            share = clustered_interval(hits, names)
            interval = (share.low, share.high) if share.n else (None, None)
            found.append(_score(metric, group, tagset, share.n, share.value, interval, CLUSTERED, chance, counts))
        f1, low, high = _f1(yes, chose, images)
        found.append(_score("f1", group, tagset, len(covered), f1, (low, high), BOOTSTRAP, None, counts))
    return found


def relative_scores(
    items: Sequence[Item], ratings: Mapping[str, tuple[float, float]], verdicts: Mapping[str, Verdict]
) -> list[Score]:
    """Score free answers as LLaVA-Bench does: 100 x sum of the model's ratings / sum of the reference's.

    The interval is the percentile bootstrap over images. It is no share: a model that is rated above the reference has
    more than 100 (Liu et al., NeurIPS 2023, section 5.1).

    Args:
        items: of the set.
        ratings: (reference, model), each from 1 to 10, by item_id; items that are missing were not rated: they are left
            out, and counted as errors.
        verdicts: by item_id.
    """
    found = []
    for group, tagset, members in groups(items):
        counts = _counts([verdicts.get(one.item_id) if one.item_id in ratings else None for one in members])
        rated = [one for one in members if one.item_id in ratings]
        value: float | None = None
        interval: tuple[float | None, float | None] = (None, None)
        if rated:
            both = np.array([ratings[one.item_id] for one in rated])
            sums = _by_image(both, [one.image_id for one in rated])
            value = float(100 * both[:, 1].sum() / both[:, 0].sum())
            low, high = _bootstrap(sums, lambda drawn: 100 * drawn[:, 1] / drawn[:, 0])
            interval = (low, high) if low < high else (None, None)  # no width would claim certainty
        found.append(_score("relative_score", group, tagset, len(rated), value, interval, BOOTSTRAP, None, counts))
    return found


def _part(of: NDArray[np.bool_], hit: NDArray[np.bool_], images: Sequence[str]) -> tuple[list[bool], list[str]]:
    """Return, of the items where `hit` is true, whether `of` is, and their images."""
    chosen = np.flatnonzero(hit).tolist()
    return [bool(of[at]) for at in chosen], [images[at] for at in chosen]


def _f1(
    yes: NDArray[np.bool_], chose: NDArray[np.bool_], images: Sequence[str]
) -> tuple[float | None, float | None, float | None]:
    kinds = np.stack([yes & chose, yes ^ chose], axis=1).astype(float) if len(yes) else np.zeros((0, 2))
    right, wrong = kinds.sum(axis=0)
    if right + wrong == 0:
        return None, None, None

    def ratio(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        below = 2 * drawn[:, 0] + drawn[:, 1]
        return np.divide(2 * drawn[:, 0], below, out=np.zeros(len(drawn)), where=below > 0)

    low, high = _bootstrap(_by_image(kinds, images), ratio)
    return float(2 * right / (2 * right + wrong)), low, high


def _by_image(values: NDArray[np.float64], images: Sequence[str]) -> NDArray[np.float64]:
    """Add up the rows of every image: float [n, k] to float [images, k]."""
    codes = {name: at for at, name in enumerate(dict.fromkeys(images))}
    sums = np.zeros((len(codes), values.shape[1]))
    np.add.at(sums, [codes[name] for name in images], values)
    return sums


def _bootstrap(
    sums: NDArray[np.float64], ratio: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a ratio of sums, whole images drawn with replacement (PCG64, seed 0)."""
    random = np.random.Generator(np.random.PCG64(0))
    n = len(sums)
    step = max(1, 4_000_000 // n)
    parts = []
    for start in range(0, RESAMPLES, step):
        drawn = random.integers(0, n, (min(step, RESAMPLES - start), n))
        parts.append(ratio(np.stack([sums[:, at][drawn].sum(axis=1) for at in range(sums.shape[1])], axis=1)))
    low, high = np.quantile(np.concatenate(parts), [0.025, 0.975])
    return float(low), float(high)


def _counts(verdicts: Sequence[Verdict | None]) -> tuple[int, int, int]:
    return verdicts.count("unparsed"), verdicts.count("refused"), verdicts.count("error") + verdicts.count(None)


def _score(
    metric: str,
    group: str,
    tagset: str | None,
    n: int,
    value: float | None,
    interval: tuple[float | None, float | None],
    method: str,
    chance: float | None,
    counts: tuple[int, int, int],
) -> Score:
    return Score(
        metric=metric,
        group=group,
        tagset=tagset,
        errata="published",
        order="ab",
        n_pairs=0,
        n_questions=n,
        value=value,
        low=interval[0],
        high=interval[1],
        method=method,
        chance=chance,
        n_unparsed=counts[0],
        n_refused=counts[1],
        n_error=counts[2],
    )
