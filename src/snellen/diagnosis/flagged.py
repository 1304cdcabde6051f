"""Pairs that people call bad items."""

from __future__ import annotations

from pathlib import Path

from snellen import jsonl
from snellen.errors import UsageError


def read_flagged(path: Path) -> dict[str, str]:
    """Read lines of a pair_id, a tab, and why; a line without a reason says so.

    Raises:
        UsageError: the file cannot be read, or a line names no pair.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}): give a text file of lines with a pair_id.") from error
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        pair, _, why = line.partition("\t")
        if not line.strip():
            continue
        if len(pair) != 16 or set(pair) - set("0123456789abcdef"):
            raise UsageError(
                f"{path}, line {number}, begins with {jsonl.quoted(pair)}, which is no pair_id: 16 hex digits."
            )
        found[pair] = f"flagged: {why.strip() or 'no reason given'}"
    return found
