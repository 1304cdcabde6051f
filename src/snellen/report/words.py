"""What numbers and settings are called on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATUS_WORDS = {
    "ok": "embedded",
    "truncated": "ends too early",
    "corrupt": "damaged",
    "not_an_image": "not an image",
    "unsupported": "a format that is not decoded",
    "too_large": "too large",
    "too_small": "too small",
    "unreadable": "cannot be read",
    "decoder_crash": "crashed the decoder",
}


def number(value: int) -> str:
    """Group an integer's digits: 1,234,567."""
    return f"{value:,}"


def cosine(value: float) -> str:
    """Show a cosine with four digits, which is what float16 rows can tell."""
    return f"{value:.4f}".replace("-", "−")


def percent(value: float, digits: int = 1, unit: str = " %") -> str:
    """Show a share: 24.7 %."""
    return f"{100 * value:.{digits}f}{unit}"


def exact(value: float) -> str:
    """Show a threshold with all its digits, to be copied."""
    return repr(value)


def thresholds(resolved: Mapping[str, Any]) -> dict[str, str]:
    """Say what each threshold is and where it comes from."""
    return {name: _threshold(entry) for name, entry in resolved.items()}


def _threshold(entry: Mapping[str, Any]) -> str:
    if entry["method"] == "absolute":
        return exact(entry["value"])
    text = f"{exact(entry['value'])}, quantile {entry['quantile']} of {number(entry['n_pairs'])} "
    if entry["method"] == "sample":
        return text + f"sampled pairs (95 % interval {exact(entry['low'])} to {exact(entry['high'])})"
    return text + "pairs, all there are"


def filters(mining: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Name the count after every filter, in order."""
    counts, asked = mining["counts"], mining["asked"]
    rows = [
        ("images in the source", counts["images"]),
        ("of those, decoded and embedded", counts["ok"]),
        ("without exact duplicates", counts["distinct"]),
    ]
    if asked["collapse_copies"] is not None:
        rows.append(
            (f"near-identical copies collapsed (both cosines > {asked['collapse_copies']})", counts["after_collapse"])
        )
    rows += [
        ("pairs of those images", counts["pairs"]),
        ("blind cosine above its threshold", counts["above_blind_min"]),
        ("and reference cosine below its own", counts["below_reference_max"]),
    ]
    if asked["labels"] != "any":
        rows.append((f"only {asked['labels']} labels", counts["after_labels"]))
    if asked["max_per_image"] is not None:
        rows.append((f"at most {asked['max_per_image']} of any image", counts["after_max_per_image"]))
    if asked["top_k"] is not None:
        largest = "the largest gap" if asked["top_k"] == 1 else f"one of the {asked['top_k']} largest gaps"
        rows.append((f"{largest} of one of its images", counts["after_top_k"]))
    if isinstance(asked["max_pairs"], int):
        rows.append((f"at most {number(asked['max_pairs'])} in all", counts["written"]))
    return rows


def statuses(counts: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Name how many images had which status and which flag."""
    rows = [(STATUS_WORDS[status], n) for status, n in counts["status"].items()]
    rows += [(f"flag: {flag.replace('_', ' ')}", n) for flag, n in counts["flags"].items()]
    return [*rows, ("exact duplicates of an earlier image", counts["duplicates"])]


def histogram(shown: Mapping[str, Any]) -> str:
    """Say which pairs the histogram counts."""
    if not shown["sampled"]:
        return f"{number(shown['n_pairs'])} pairs, all there are"
    exact = sum(map(sum, shown["counts"][shown["exact_from"] :]))
    drawn = shown["n_pairs"] - exact
    return (
        f"Above the blind threshold, all {number(exact)} pairs; below it a seeded sample: {number(drawn)} pairs, each "
        f"of which stands for {number(round(shown['scale']))}"
    )


def settings(mining: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name every setting that the pairs depend on."""
    asked = mining["asked"]
    rows = [
        ("blind encoder", f"{mining['blind']['name']} ({mining['blind']['fingerprint'][:8]})"),
        ("reference encoder", f"{mining['reference']['name']} ({mining['reference']['fingerprint'][:8]})"),
        ("blind cosine above", thresholds(mining["resolved"])["blind_min"]),
        ("reference cosine below", thresholds(mining["resolved"])["reference_max"]),
    ]
    for key in ("collapse_copies", "labels", "max_per_image", "top_k", "max_pairs", "seed"):
        rows.append((key.replace("_", " "), "none" if asked[key] is None else str(asked[key])))
    return rows
