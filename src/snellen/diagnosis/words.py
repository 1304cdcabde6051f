"""A diagnosis in lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from snellen.diagnosis.verdicts import ORGANS, VERDICTS


def lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was found: verdicts with intervals, readouts by pattern, and what cannot be said."""
    n = sum(summary["verdicts"].values())
    yield f"{summary['model']} on {summary['benchmark']}, {n:,} pairs:"
    for name in VERDICTS:
        share = summary["shares"][name]
        if summary["verdicts"][name] or name not in ("bad item",):
            yield f"  {name:<24}{summary['verdicts'][name]:>6,}  {_share(share)}"
    failures = sum(summary["verdicts"][name] for name in ORGANS)
    if failures:
        said = ", ".join(f"{name} {_share(summary['of_failures'][name])}" for name in ORGANS)
        yield f"Of {failures:,} failures with a verdict: {said}."
    for pattern, stops in summary["readouts"].items():
        if stops:
            said = ", ".join(f"{stop} {_readout(found)}" for stop, found in stops.items())
            yield f"  {pattern}: read at {said}"
    for pattern, found in summary.get("swaps", {}).items():
        said = ", ".join(f"{run} {_share(each)}" for run, each in found.items())
        yield f"  {pattern}: of the pairs that it fails, right with another encoder (a guesser: 25 %): {said}"
    for sentence in summary["cannot_say"]:
        yield f"Cannot be said: {sentence}"


def _share(share: Mapping[str, Any]) -> str:
    if share["value"] is None:
        return "-"
    return f"{share['value']:.0%} [{share['low']:.0%}, {share['high']:.0%}], n = {share['n']:,}"


def _readout(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    return f"{found['value']:.0%} [{found['low']:.0%}, {found['high']:.0%}]"
