"""What the figures share: the same bytes for the same numbers, and text of strangers drawn as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that it is the same everywhere."""

INK: Final = "#222222"
GREY: Final = "#8a8a8a"
DPI: Final = 150


@contextmanager
def style() -> Iterator[None]:
    """Draw with fixed settings, whatever the user's own are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"font.family": FONT, "font.size": 9, "text.color": INK, "axes.edgecolor": GREY})
        yield


def png(figure: Figure) -> bytes:
    """Return the drawn figure as PNG, without a date or the library's version."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def drawable(text: str, width: int = 60) -> str:
    """Return text that the font can draw, cut in the middle; other characters as Python's escapes."""
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    known = FT2Font(findfont(FONT)).get_charmap()
    plain = "".join(
        char if char.isprintable() and ord(char) in known else char.encode("unicode_escape").decode() for char in text
    )
    if len(plain) <= width:
        return plain
    head = (width - 1) // 2
    return plain[:head] + "…" + plain[len(plain) - (width - 1 - head) :]


def inches(text: str, size: float) -> float:
    """Return how wide one line of text is drawn, at a font size in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    return (
        float(TextPath((0, 0), text.replace("$", r"\$"), size=size, prop=FontProperties(family=FONT)).get_extents().x1)
        / 72
    )
