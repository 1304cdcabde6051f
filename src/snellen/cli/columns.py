"""Numbers under one another, and text of strangers made harmless for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from snellen.jsonl import quoted


def aligned(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Return rows as lines: the first column flush left, the others flush right under their headings."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (indent + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])).rstrip() for row in rows
    ]


def shown(text: str) -> str:
    """Return text that others wrote as it is where a terminal only prints it, else with escapes."""
    return text if text.isprintable() else quoted(text)


def p_value(p: float | None) -> str:
    """Say a p value; `-` where there is none."""
    if p is None:
        return "-"
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
