"""The encoder swap: does the same model, trained alike with another encoder, answer what this one fails at?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snellen.diagnosis.verdicts import ORGANS
from snellen.errors import UsageError
from snellen.runs import Run
from snellen.stats import wilson_interval


def both_right(run: Run) -> dict[str, bool]:
    """Say of every pair of a run whether both of its questions, as published, were answered rightly."""
    found: dict[str, bool] = {}
    for question, verdict in run.verdicts.items():
        pair = question.rpartition("-")[0]
        found[pair] = found.get(pair, True) and verdict == "correct"
    return found


def swapped(
    run: Run, others: Sequence[Run], verdicts: Mapping[str, str], patterns: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Count, by pattern, the pairs with an organ's verdict that each other model answers rightly.

    Whether the other model differs in its encoder alone is for whoever names it to know.

    Raises:
        UsageError: another run is of another benchmark.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for other in others:
        if other.content_sha256 != run.content_sha256:
            raise UsageError(
                f"{other.run_id} was asked another benchmark than {run.run_id}: name a run of the same one."
            )
        right = both_right(other)
        for pattern, members in patterns.items():
            failing = [pair for pair in members if verdicts[pair] in ORGANS and pair in right]
            count = sum(right[pair] for pair in failing)
            low, high = wilson_interval(count, len(failing))
            value = count / len(failing) if failing else None
            found.setdefault(pattern, {})[other.run_id] = {"value": value, "low": low, "high": high, "n": len(failing)}
    return found
