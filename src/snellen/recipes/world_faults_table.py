"""The planted faults as a page of Markdown tables, from `faults.json` alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from snellen.diagnosis.verdicts import VERDICTS
from snellen.stats import wilson_interval

Row = Mapping[str, Any]


def table(results: Mapping[str, Any]) -> str:
    """Write the confusion matrix, all faults one by one, and what the pairs without a fault got."""
    found: Sequence[Row] = results["found"]
    parts = [
        "# Planted faults",
        f"World {results['world']}, seeds {', '.join(map(str, results['seeds']))}, diet {results['diet']}. Affected "
        "pairs are of the damaged factor, right before and wrong after; `unsure` counts as a miss. Wilson's 95 % "
        "intervals, which take pairs as independent.",
        *(
            f"Seed {seed} is left out: its model has {share:.0%} of the siblings right before anything is damaged."
            for seed, share in results["left_out"].items()
        ),
        "## Verdicts on affected pairs",
        _confusion(found, lambda row: (row["organ"],)),
        "## By strength and kind of pairs",
        _confusion(found, lambda row: (row["organ"], f"{row['strength']:g}", row["pairs"])),
        "## Every fault",
        _confusion(
            found,
            lambda row: (row["organ"], row["factor"] or "all", f"{row['strength']:g}", row["pairs"], str(row["seed"])),
        ),
        "## Healthy pairs",
        _healthy(found),
    ]
    return "\n\n".join(parts) + "\n"


def _confusion(found: Iterable[Row], key: Callable[[Row], tuple[str, ...]]) -> str:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in found:
        groups.setdefault(key(row), []).append(row)
    rows = []
    for name, members in groups.items():
        counts: Counter[str] = Counter()
        for row in members:
            counts.update(row["affected"])
        n, right = sum(row["n_affected"] for row in members), sum(row["right"] for row in members)
        rows.append([", ".join(name), *(str(counts[verdict]) for verdict in VERDICTS), share(right, n)])
    return _lines(["fault", *VERDICTS, "right"], rows)


def _healthy(found: Sequence[Row]) -> str:
    counts: Counter[str] = Counter()
    for row in found:
        counts.update(row["healthy"])
    wrong, n = sum(row["wrongly_blamed"] for row in found), sum(row["n_healthy"] for row in found)
    return (
        _lines([*VERDICTS], [[str(counts[verdict]) for verdict in VERDICTS]])
        + f"\n\nAn organ is blamed for {share(wrong, n)}."
    )


def share(count: int, n: int) -> str:
    """Write a share with its interval and n."""
    if n == 0:
        return "-"
    low, high = wilson_interval(count, n)
    return f"{count / n:.1%} [{low:.1%}, {high:.1%}], n = {n}"


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
