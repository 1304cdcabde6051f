"""Image scores by visual pattern: a table of colours, with the interval in every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from snellen.diagnosis.shopping.canvas import GREY, drawable, inches, png, style
from snellen.stats import Proportion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL: Final = (0.82, 0.5)
"""Inches."""

LEAST_LEFT, RIGHT, ABOVE, BELOW = 1.0, 0.35, 0.95, 0.5


class Row(NamedTuple):
    """One encoder: its image score over all pairs, and by pattern."""

    label: str
    all: Proportion
    patterns: Mapping[str, Proportion]


def figure_patterns(rows: Sequence[Row], patterns: Sequence[str], benchmark: str) -> bytes:
    """Draw at least one encoder as PNG: a row an encoder, a column a pattern, and all pairs last."""
    with style():
        return png(drawn(rows, patterns, benchmark))


def drawn(rows: Sequence[Row], patterns: Sequence[str], benchmark: str) -> Figure:
    """Draw inside `style`.

    In every cell stand the image score in % and below it the 95 % interval; n is above the column, and in the cell
    where it is not that of the others.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    columns = [*patterns, "all pairs"]
    shares = [[*(row.patterns[name] for name in patterns), row.all] for row in rows]
    counts = [max(line[at].n for line in shares) for at in range(len(columns))]
    labels = [drawable(row.label) for row in rows]
    left = max(LEAST_LEFT, 0.25 + max(inches(label, 8.0) for label in labels))
    foot = f"image score in %, and its 95 % interval (Wilson), on {drawable(benchmark)}; chance 25 %"
    width = max(left + CELL[0] * len(columns) + RIGHT, 0.3 + inches(foot, 7.5))
    height = ABOVE + CELL[1] * len(rows) + BELOW
    figure = Figure(figsize=(width, height))
    across = CELL[0] * len(columns) / width
    axes = figure.add_axes((left / width, BELOW / height, across, 1 - (ABOVE + BELOW) / height))
    axes.set(xlim=(0, len(columns)), ylim=(len(rows), 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    colours = mpl.colormaps["cividis"]
    for y, (label, line) in enumerate(zip(labels, shares, strict=True)):
        axes.text(-0.08, y + 0.5, label, ha="right", va="center", fontsize=8, parse_math=False)
        for x, share in enumerate(line):
            face = "#eeeeee" if share.value is None else colours(share.value)
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=face, edgecolor="white", linewidth=1.5))
            ink = "black" if share.value is None or share.value > 0.55 else "white"
            said = "-" if share.value is None else f"{100 * share.value:.0f}"
            axes.text(x + 0.5, y + 0.36, said, ha="center", va="center", fontsize=9.5, color=ink)
            if share.value is not None:
                under = f"{100 * share.low:.0f}–{100 * share.high:.0f}"
                under += f", n {share.n}" if share.n != counts[x] else ""
                axes.text(x + 0.5, y + 0.76, under, ha="center", va="center", fontsize=6.5, color=ink)
    for x, (name, n) in enumerate(zip(columns, counts, strict=True)):
        said = f"{drawable(name, 16)}\nn = {n}"
        axes.text(
            x + 0.35, -0.12, said, ha="left", va="bottom", fontsize=8, rotation=35, rotation_mode="anchor",
            parse_math=False,
        )  # fmt: skip
    figure.text(0.12 / width, 0.16 / height, foot, fontsize=7.5, color=GREY, parse_math=False)
    return figure
