"""The paper's table and its correlations, computed again from what was printed, with what nine points can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from snellen.diagnosis.published import FIGURE_CLIP, PAIRS_A_PATTERN, EncoderRow, figure6, printed_correlations, table1
from snellen.stats.correlation import fisher_interval, pearson
from snellen.stats.over_patterns import Interval, Method, PatternCorrelation, correlate_patterns
from snellen.stats.proportions import wilson_interval

CLIP_ROWS: Final = ("OpenAI ViT-L-14 224", "OpenAI ViT-L-14 336", "EVA01 ViT-g-14 224")
"""The rows of Table 1 whose mean is the "CLIP" curve of figure 6: found here, not said in the paper."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of Table 1: the printed average, and what its nine cells come to, in percent and in pairs.

    Printed cells are rounded multiples of 1/15: `right` counts the pairs that they stand for, `average` is `right` of
    `n`, with Wilson's interval, and `mean_of_cells` the mean of the cells as they are printed.
    """

    model: str
    printed: float
    mean_of_cells: float
    average: float
    right: int
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PublishedCorrelation:
    """A model's printed r with Fisher's interval, and what our readings of figure 6 give (None: it is not drawn)."""

    model: str
    printed: float
    n: int
    printed_fisher: Interval
    pearson: PatternCorrelation | None
    spearman: PatternCorrelation | None


@dataclass(frozen=True, slots=True)
class OneEncoder:
    """Pearson's r of one model's curve in figure 6 with one row of Table 1 in the place of the "CLIP" curve."""

    model: str
    encoder: str
    r: float


@dataclass(frozen=True, slots=True)
class Published:
    """All of it. `largest_gap` is how far, in points, the mean of `CLIP_ROWS` is from figure 6's curve at most."""

    table: tuple[TableRow, ...]
    correlations: tuple[PublishedCorrelation, ...]
    largest_gap: float
    one_encoder: tuple[OneEncoder, ...]


def published(seed: int = 0) -> Published:
    """Recompute Table 1's averages and counts, and the correlations of figure 6 as we read it off the drawing.

    Args:
        seed: of the bootstraps.
    """
    rows, curves = table1(), figure6()
    names = list(curves[FIGURE_CLIP])
    clip = [curves[FIGURE_CLIP][name] for name in names]
    three = [row for row in rows if row.name in CLIP_ROWS]
    means = [sum(row.patterns[name] for row in three) / len(three) for name in names]
    found = []
    for model, r in printed_correlations().items():
        drawn: dict[str, PatternCorrelation] = {}
        if model in curves:
            points = [curves[model][name] for name in names]
            drawn = {each: correlate_patterns(names, clip, points, method=each, seed=seed) for each in _METHODS}
        interval = fisher_interval(r, len(names))
        assert interval is not None
        found.append(
            PublishedCorrelation(model, r, len(names), Interval(*interval), drawn.get("pearson"), drawn.get("spearman"))
        )
    one = []
    for model in curves:
        for row in three if model != FIGURE_CLIP else ():
            alone = pearson([row.patterns[name] for name in names], [curves[model][name] for name in names]).r
            assert alone is not None
            one.append(OneEncoder(model, row.name, alone))
    return Published(
        table=tuple(map(_row, rows)),
        correlations=tuple(found),
        largest_gap=max(abs(mean - value) for mean, value in zip(means, clip, strict=True)),
        one_encoder=tuple(one),
    )


_METHODS: Final[tuple[Method, ...]] = ("pearson", "spearman")


def _row(row: EncoderRow) -> TableRow:
    cells = list(row.patterns.values())
    right, n = sum(round(cell * PAIRS_A_PATTERN / 100) for cell in cells), PAIRS_A_PATTERN * len(cells)
    low, high = wilson_interval(right, n)
    return TableRow(row.name, row.average, sum(cells) / len(cells), 100 * right / n, right, n, 100 * low, 100 * high)
