"""The figure of the page: how all pairs spread over the two cosines, and where the thresholds cut."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np


def histogram(histogram: Mapping[str, Any], blind_min: float, reference_max: float) -> str:
    """Draw the histogram of `mining.json` as an SVG data URI, the same bytes for the same numbers.

    Colour is density, since bins beside the blind threshold are narrower where it is an edge of its own; sampled bins
    are scaled to all pairs.

    Args:
        histogram: `{blind_edges, reference_edges, counts, exact_from, sampled, scale}`, counts [blind bin][reference
            bin].
        blind_min: the resolved blind threshold.
        reference_max: the resolved reference threshold.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    blind, reference = np.array(histogram["blind_edges"]), np.array(histogram["reference_edges"])
    counts = np.array(histogram["counts"], dtype=float)
    density = densities(histogram)
    with mpl.rc_context({"svg.hashsalt": "snellen", "font.size": 10, "svg.fonttype": "none"}):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        shown = axes.pcolormesh(
            blind,
            reference,
            np.ma.masked_equal(density.T, 0),
            norm=_norm(density),
            cmap="viridis",
            rasterized=True,
        )
        left, right = _span(blind, counts.sum(axis=1), blind_min)
        low, high = _span(reference, counts.sum(axis=0), reference_max)
        axes.add_patch(
            Rectangle((blind_min, low), right - blind_min, reference_max - low, facecolor="#d9480f", alpha=0.13)
        )
        axes.axvline(blind_min, color="#d9480f", linewidth=1.2)
        axes.axhline(reference_max, color="#d9480f", linewidth=1.2)
        axes.set(xlim=(left, right), ylim=(low, high), xlabel="blind cosine", ylabel="reference cosine")
        axes.spines[["top", "right"]].set_visible(False)
        figure.colorbar(shown, ax=axes, label="pairs for each 0.01 × 0.01 of cosine")
        if histogram["sampled"]:
            axes.text(blind_min, high, "a sample, scaled ", ha="right", va="top", color="#d9480f", fontsize=8)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", dpi=150, metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + b64encode(buffer.getvalue()).decode("ascii")


def densities(histogram: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return how many pairs of the collection lie in each 0.01 x 0.01 of cosine: float64 [blind bin, reference bin].

    Args:
        histogram: as for `histogram`.
    """
    counts = np.array(histogram["counts"], dtype=np.float64)
    counts[: histogram["exact_from"]] *= histogram["scale"]
    areas = np.outer(np.diff(histogram["blind_edges"]), np.diff(histogram["reference_edges"]))
    result: np.ndarray[Any, np.dtype[np.float64]] = counts * 1e-4 / areas
    return result


def _norm(density: np.ndarray[Any, Any]) -> Any:  # noqa: ANN401 - matplotlib is imported where it is needed
    from matplotlib.colors import LogNorm

    filled = density[density > 0]
    low = float(filled.min()) if len(filled) else 1.0
    return LogNorm(vmin=low, vmax=max(2 * low, float(density.max(initial=0.0))))


def _span(edges: np.ndarray[Any, Any], totals: np.ndarray[Any, Any], threshold: float) -> tuple[float, float]:
    """Return the range that shows every pair and the threshold, with a little air, inside [-1, 1] where it can."""
    filled = np.flatnonzero(totals)
    low = min(float(edges[filled[0]]), threshold) if len(filled) else threshold
    high = max(float(edges[filled[-1] + 1]), threshold) if len(filled) else threshold
    air = 0.03 * max(high - low, 0.05)
    return low - air, high + air
