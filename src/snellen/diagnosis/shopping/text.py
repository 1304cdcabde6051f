"""Numbers and tables as text; what strangers wrote cannot act in a table or a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from snellen.jsonl import quoted
from snellen.stats import Difference, Proportion


def cell(text: str | None) -> str:
    """Return text that others wrote for a table's cell: escapes for what is not printed, no bar of its own."""
    if text is None:
        return "-"
    plain = text if text.isprintable() else quoted(text, 120)
    return plain.replace("|", "\\|").replace("<", "&lt;")


def percent(share: Proportion) -> str:
    """Say a share in %, with its interval: `37.8 [30.0, 46.2]`; `-` where there is none."""
    if share.value is None:
        return "-"
    return f"{100 * share.value:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def points(difference: Difference) -> str:
    """Say a difference of shares in points, with its interval."""
    return f"{100 * difference.value:+.1f} [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"


def p_value(p: float) -> str:
    """Say a p value."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns stand under one another."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ("-" if at == 0 else ":") for at, width in enumerate(widths)) + "|"
    return "\n".join([line(lines[0]), rule, *map(line, lines[1:])])
