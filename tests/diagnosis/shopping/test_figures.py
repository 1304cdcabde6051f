"""Figures: the same bytes again, and text that covers no other text and stays on the page."""

from __future__ import annotations

from io import BytesIO
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from snellen.diagnosis.shopping import figure_patterns, figure_zeroshot
from snellen.diagnosis.shopping.canvas import drawable, style
from snellen.diagnosis.shopping.figure_patterns import Row
from snellen.diagnosis.shopping.figure_zeroshot import Bubble
from snellen.diagnosis.shopping.nouns import PATTERNS
from snellen.diagnosis.shopping.rescue import share

LONG = "transformers/google/siglip2-giant-opt-patch16-384@a-long-revision-name"


def bubbles(n: int) -> list[Bubble]:
    """Many in one place, one without known parameters, one control with none."""
    counts = [None, 0, *(10**6 * (1 + at**3) for at in range(n - 2))][:n]
    return [
        Bubble(f"{LONG}-{at}" if at % 3 else f"world/{at}", share(700 + at % 4, 1000), share(30 + at // 5, 135), count)
        for at, count in enumerate(counts)
    ]


def rows(n: int, patterns: tuple[str, ...] = PATTERNS) -> list[Row]:
    return [
        Row(f"{LONG}-{at}", share(at, 135), {name: share(at % 16, 15 + (name == "text") * at) for name in patterns})
        for at in range(n)
    ]


def boxes(figure: Any) -> list[tuple[str, Any]]:
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    texts += [label for axes in figure.axes for label in (axes.xaxis.label, axes.yaxis.label, axes.title)]
    texts += [axes._left_title for axes in figure.axes]
    texts += [tick for axes in figure.axes for tick in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts if text.get_text()]


def check(figure: Any, rotated: tuple[str, ...] = ()) -> None:
    found = boxes(figure)
    width, height = figure.canvas.get_width_height()
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    upright = [(text, box) for text, box in found if text.split("\n")[0] not in rotated]
    for (one, a), (other, b) in combinations(upright, 2):
        assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0, (one, other)


def test_no_text_covers_another_or_leaves_the_page() -> None:
    with style():
        for n in (1, 2, 15):
            check(figure_zeroshot.drawn(bubbles(n), "imagenet-1k-validation", "mmvp-vlm"))
        for n, patterns in ((1, ()), (1, PATTERNS), (15, PATTERNS)):
            check(figure_patterns.drawn(rows(n, patterns), patterns, "mmvp-vlm"), (*PATTERNS, "all pairs"))


def test_bubbles_stand_where_their_numbers_are_with_areas_like_parameters() -> None:
    with style():
        figure = figure_zeroshot.drawn(bubbles(6), "things", "faces")
    drawn = figure.axes[0].collections
    spots = [each for each in drawn if len(np.asarray(each.get_offsets())) == 1 and hasattr(each, "get_sizes")]
    made = sorted(bubbles(6), key=lambda each: (each.image_score.value, each.label))
    positions = [tuple(np.asarray(each.get_offsets())[0]) for each in spots]
    assert np.allclose(positions, [(100 * (b.zeroshot.value or 0), 100 * (b.image_score.value or 0)) for b in made])
    areas = {each.label: spot.get_sizes()[0] for each, spot in zip(made, spots, strict=True)}
    known = {each.label: each.parameters for each in made if each.parameters and each.parameters > 10**7}
    largest = max(known, key=lambda label: known[label] or 0)
    for label, count in known.items():
        assert np.isclose(areas[label] / areas[largest], (count or 0) / (known[largest] or 1))


def test_the_same_numbers_give_the_same_bytes_whatever_the_user_s_settings() -> None:
    import matplotlib as mpl

    first = figure_zeroshot.figure_zeroshot(bubbles(5), "things", "faces")
    table = figure_patterns.figure_patterns(rows(3), PATTERNS, "faces")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.dpi": 30}):
        assert figure_zeroshot.figure_zeroshot(bubbles(5), "things", "faces") == first
        assert figure_patterns.figure_patterns(rows(3), PATTERNS, "faces") == table
    assert figure_zeroshot.figure_zeroshot(bubbles(6), "things", "faces") != first
    for data in (first, table):
        with Image.open(BytesIO(data)) as picture:
            assert "Software" not in picture.info and not any("ate" in str(key) for key in picture.info)
            pixels = np.asarray(picture.convert("L"))
        assert pixels.std() > 5 and (pixels[:, -6:] == 255).all() and (pixels[:3] == 255).all()


def test_names_that_the_font_cannot_draw_or_that_are_mathematics_are_drawn_as_text() -> None:
    odd = [Bubble("world/猫 $x^2$\n\u202e", share(5, 10), share(3, 10), 5), *bubbles(2)]
    with style():
        figure = figure_zeroshot.drawn(odd, "$数$", "a_b^c$")
    check(figure)
    said = " ".join(text for text, _ in boxes(figure))
    assert "\\u732b $x^2$\\n\\u202e" in said and "$\\u6570$" in said
    assert len(drawable("x" * 300)) == 60 and drawable("x" * 300)[29] == "…"
