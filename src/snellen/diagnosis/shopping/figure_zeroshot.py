"""The figure of the paper's appendix: image score against zero-shot accuracy, the bubble's area for parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from snellen.diagnosis.shopping.canvas import GREY, INK, drawable, inches, png, style
from snellen.diagnosis.shopping.rescue import CHANCE
from snellen.stats import Proportion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST: Final = 900.0
"""Area of the largest bubble, in square points."""

UNKNOWN: Final = 40.0
"""Area where parameters are not known; such a bubble is hollow."""

PLOT: Final = 5.2
LEFT, GAP, RIGHT = 0.75, 0.5, 0.15
ROW: Final = 0.3
"""Inches: the plot's width, the margins around it, and the height of one label."""

SMALL: Final = 8.0
"""Points: the labels."""


class Bubble(NamedTuple):
    """One encoder; both shares have a value."""

    label: str
    zeroshot: Proportion
    image_score: Proportion
    parameters: int | None


def figure_zeroshot(bubbles: Sequence[Bubble], dataset: str, benchmark: str) -> bytes:
    """Draw at least one encoder as PNG; error bars are 95 % intervals."""
    with style():
        return png(drawn(bubbles, dataset, benchmark))


def drawn(bubbles: Sequence[Bubble], dataset: str, benchmark: str) -> Figure:
    """Draw inside `style`.

    Labels stand in a column on the right, in the order of the scores, each with a line to its bubble: so that they
    never cover one another, however close the bubbles are.
    """
    from matplotlib.figure import Figure

    ordered = sorted(bubbles, key=lambda bubble: (bubble.image_score.value or 0, bubble.label))
    height = max(4.2, 1.4 + ROW * len(ordered))
    width = LEFT + PLOT + GAP + max(inches(_said(bubble), SMALL) for bubble in ordered) + RIGHT
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((LEFT / width, 0.62 / height, PLOT / width, 1 - 1.1 / height))
    axes.spines[["top", "right"]].set_visible(False)
    axes.axhline(100 * CHANCE, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    _limits(axes, ordered)
    largest = max((bubble.parameters or 0 for bubble in ordered), default=0)
    for place, bubble in enumerate(ordered):
        colour = _colour(place, len(ordered))
        x, y = 100 * (bubble.zeroshot.value or 0), 100 * (bubble.image_score.value or 0)
        axes.errorbar(x, y, xerr=_reach(bubble.zeroshot), yerr=_reach(bubble.image_score), color=colour, lw=0.8)
        known = bool(bubble.parameters) and largest > 0
        area = LARGEST * (bubble.parameters or 0) / largest if known else UNKNOWN
        face = (*colour[:3], 0.45) if known else "none"
        axes.scatter([x], [y], s=max(area, 8.0), facecolor=face, edgecolor=[colour], linewidth=1.0, zorder=3)
        at = (place + 0.5) / len(ordered)
        axes.annotate(
            _said(bubble),
            xy=(x, y),
            xytext=(1 + GAP / PLOT, at),
            textcoords="axes fraction",
            va="center",
            ha="left",
            fontsize=SMALL,
            parse_math=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.6,
                "relpos": (0, 0.5),
                "shrinkA": 2,
                "shrinkB": 0,
            },
        )
    axes.set_xlabel(f"zero-shot top-1 accuracy on {drawable(dataset, 34)}, %", parse_math=False)
    axes.set_ylabel(f"image score on {drawable(benchmark, 28)}, %", parse_math=False)
    title = f"{len(ordered)} encoder{'s' * (len(ordered) != 1)}; bars: 95 % intervals; area: parameters"
    axes.set_title(f"{title}; dashed: chance of the image score", fontsize=8.5, loc="left", color=INK)
    return figure


def _limits(axes: Axes, bubbles: Sequence[Bubble]) -> None:
    """Show every interval, with a little air."""
    sides = []
    for shares in ([each.zeroshot for each in bubbles], [each.image_score for each in bubbles]):
        low, high = 100 * min(each.low for each in shares), 100 * max(each.high for each in shares)
        air = 0.06 * max(high - low, 5.0)
        sides.append((low - air, high + air))
    (left, right), (bottom, top) = sides
    axes.set(xlim=(left, right), ylim=(min(bottom, 100 * CHANCE - 2), max(top, 100 * CHANCE + 2)))


def _reach(share: Proportion) -> list[list[float]]:
    value = share.value or 0
    return [[100 * max(0.0, value - share.low)], [100 * max(0.0, share.high - value)]]


def _colour(place: int, n: int) -> tuple[float, float, float, float]:
    import matplotlib as mpl

    red, green, blue, alpha = mpl.colormaps["viridis"](0.0 if n == 1 else 0.88 * place / (n - 1))
    return float(red), float(green), float(blue), float(alpha)


def _said(bubble: Bubble) -> str:
    count = "parameters not known" if bubble.parameters is None else f"{bubble.parameters / 1e6:,.1f} M"
    return f"{drawable(bubble.label)}  {100 * (bubble.image_score.value or 0):.1f} %, {count}"
