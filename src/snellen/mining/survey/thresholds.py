"""Thresholds as they are asked for, a cosine or a quantile of this corpus, and as they are used: a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from snellen.errors import UsageError
from snellen.mining.survey.quantiles import SideName, quantile
from snellen.mining.survey.stream import Stream
from snellen.progress import SILENT, Progress

Method = Literal["absolute", "all pairs", "sample"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """What was asked: a cosine in [-1, 1], or a quantile in (0, 1) of the pairs' cosines."""

    value: float
    is_quantile: bool = False

    @property
    def asked(self) -> float | str:
        """Return it as a user would write it: 0.95, or "q0.9999"."""
        return f"q{self.value!r}" if self.is_quantile else self.value


@dataclass(frozen=True, slots=True)
class Resolved:
    """The cosine that pairs are compared with, and where it comes from; fields as in `mining.json`."""

    value: float
    method: Method
    quantile: float | None = None
    n_pairs: int | None = None
    low: float | None = None
    high: float | None = None


def parse_threshold(text: float | str, option: str) -> Threshold:
    """Read a threshold.

    Example:
        >>> parse_threshold("0.95", "--blind-min"), parse_threshold("q0.9999", "--blind-min").asked
        (Threshold(value=0.95, is_quantile=False), 'q0.9999')

    Args:
        text: a number or its text, or `q` and a number.
        option: how the user knows it, for the message.

    Raises:
        UsageError: neither a cosine in [-1, 1] nor a quantile strictly between 0 and 1.
    """
    written = text.strip() if isinstance(text, str) else repr(text)
    is_quantile = written[:1] in ("q", "Q")
    try:
        value = float(written[1:] if is_quantile else written)
    except ValueError:
        value = math.nan
    good = 0 < value < 1 if is_quantile else -1 <= value <= 1
    if not good or isinstance(text, bool):
        raise UsageError(
            f"{option} {written} is not a threshold: give a cosine from -1 to 1 (for example 0.95), or q and a "
            "quantile strictly between 0 and 1 of this collection's pairs (for example q0.9999)."
        )
    return Threshold(value + 0.0, is_quantile)  # + 0.0: -0.0 and 0.0 are one setting


def resolve_threshold(
    threshold: Threshold, stream: Stream, side: SideName, option: str, progress: Progress = SILENT
) -> Resolved:
    """Turn a threshold into a cosine.

    Args:
        threshold: what was asked.
        stream: the pairs that a quantile is taken over.
        side: whose cosines.
        option: how the user knows it, for the message.
        progress: told of the passes over the pairs.

    Raises:
        UsageError: a quantile of no pairs.
    """
    if not threshold.is_quantile:
        return Resolved(threshold.value, "absolute")
    if stream.population == 0:
        raise UsageError(
            f"{option} {threshold.asked} is a quantile of the pairs' cosines, and fewer than two images are left to "
            "make a pair of: give a cosine (for example 0.95), or embed more images."
        )
    found = quantile(stream, side, threshold.value, progress)
    method: Method = "sample" if stream.sampled else "all pairs"
    return Resolved(found.value, method, threshold.value, found.n_pairs, found.low, found.high)


def as_json(resolved: Resolved) -> dict[str, Any]:
    """Return the entry of `mining.json`."""
    return {
        "value": resolved.value,
        "method": resolved.method,
        "quantile": resolved.quantile,
        "n_pairs": resolved.n_pairs,
        "low": resolved.low,
        "high": resolved.high,
    }
