"""The options of `mine`, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from snellen import defaults
from snellen.errors import UsageError
from snellen.mining.filters.choose import Backend, usable_kernel
from snellen.mining.found.prune import Pruning
from snellen.mining.found.select import MaxPairs
from snellen.mining.join.pool import cores
from snellen.mining.join.two_sided import LabelRule
from snellen.mining.survey.thresholds import Threshold, parse_threshold

NUMBER = re.compile(r"[0-9]{1,3}(,[0-9]{3})+|[0-9]+(_[0-9]+)*")
"""A whole number as people write it: 10000000, 10,000,000 or 10_000_000."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked of `mine`; see there."""

    blind: str
    reference: str
    blind_min: Threshold
    reference_max: Threshold
    max_pairs: MaxPairs
    max_per_image: int | None
    top_k: int | None
    collapse_copies: float | None
    labels: LabelRule
    seed: int
    count_only: bool
    threads: int
    backend: Backend
    earlier: Path | None

    @classmethod
    def checked(
        cls,
        *,
        blind: str,
        reference: str,
        blind_min: float | str,
        reference_max: float | str,
        max_pairs: int | str | None = None,
        max_per_image: int | None = None,
        top_k: int | None = None,
        collapse_copies: float | None = None,
        labels: LabelRule = "any",
        seed: int = 0,
        count_only: bool = False,
        threads: int | None = None,
        backend: Backend = "auto",
        earlier: str | Path | None = None,
    ) -> Options:
        """Check the options against their ranges.

        Raises:
            UsageError: one of them is out of range, or cannot be had here; says what it may be.
        """
        cap = _parse_max_pairs(max_pairs)
        for option, most in (("--max-per-image", max_per_image), ("--top-k", top_k)):
            if most is not None and (most < 1 or most != int(most)):
                raise UsageError(
                    f"{option} {most} would keep nothing: give a number from 1, or leave it out for no cap."
                )
        caps = {"--max-pairs": cap, "--max-per-image": max_per_image, "--top-k": top_k}
        given = [option for option, value in caps.items() if value is not None]
        if count_only and given:
            raise UsageError(f"--count-only writes no pairs, so {given[0]} has nothing to cap: leave one of them out.")
        if collapse_copies is not None and not -1 <= collapse_copies < 1:
            raise UsageError(
                f"--collapse-copies {collapse_copies} is not a cosine that copies can exceed: "
                "give one from -1 to below 1, for example 0.98."
            )
        if labels not in get_args(LabelRule):
            raise UsageError(f"--labels {labels} is unknown: choose one of {', '.join(get_args(LabelRule))}.")
        for option, value in (
            ("--labels", None if labels == "any" else labels),
            ("--collapse-copies", collapse_copies),
        ):
            if earlier is not None and value is not None:
                raise UsageError(
                    f"{option} {value} may judge a pair of two old images otherwise than in --earlier {earlier}: leave "
                    "one of the two options out."
                )
        if seed < 0:
            raise UsageError(f"--seed {seed} is negative: give a whole number from 0.")
        if threads is not None and (threads < 1 or threads != int(threads)):
            raise UsageError(
                f"--threads {threads} would do nothing: give a number from 1, or leave it out for all {cores()} cores."
            )
        usable_kernel(backend)
        return cls(
            blind,
            reference,
            parse_threshold(blind_min, "--blind-min"),
            parse_threshold(reference_max, "--reference-max"),
            cap,
            max_per_image,
            top_k,
            collapse_copies,
            labels,
            seed,
            count_only,
            int(threads or cores()),
            backend,
            None if earlier is None else Path(earlier),
        )

    def limit(self, images: int) -> int | None:
        """Return how many pairs may pass before `mine` stops with an error; None where it was told what to do.

        Args:
            images: how many are mined: caps for each of them can keep the total small, too.
        """
        if self.max_pairs is not None or self.count_only:
            return None
        most_written = min(
            self.max_per_image * images // 2 if self.max_per_image is not None else defaults.MAX_PAIRS + 1,
            self.top_k * images if self.top_k is not None else defaults.MAX_PAIRS + 1,
        )
        return None if most_written <= defaults.MAX_PAIRS else defaults.MAX_PAIRS

    @property
    def absolute(self) -> dict[str, float]:
        """The thresholds that are known before any pair is looked at, by name; all but quantiles."""
        asked = {"blind_min": self.blind_min, "reference_max": self.reference_max}
        return {name: threshold.value for name, threshold in asked.items() if not threshold.is_quantile}

    @property
    def pruning(self) -> Pruning | None:
        """The cap by which pairs may be dropped while they are found: the first one; None where that needs them all."""
        if self.max_per_image is not None:
            return None
        if self.top_k is not None:
            return Pruning("top_k", self.top_k)
        return Pruning("max_pairs", self.max_pairs) if isinstance(self.max_pairs, int) else None

    def as_json(self) -> dict[str, Any]:
        """Return the entry `asked` of `mining.json`: all that what is written depends on."""
        return {
            "blind": self.blind,
            "reference": self.reference,
            "blind_min": self.blind_min.asked,
            "reference_max": self.reference_max.asked,
            "max_pairs": self.max_pairs,
            "max_per_image": self.max_per_image,
            "top_k": self.top_k,
            "collapse_copies": self.collapse_copies,
            "labels": self.labels,
            "seed": self.seed,
        }

    def of_stripes(self) -> dict[str, Any]:
        """Return what finished stripes depend on: all but the caps, since each stripe says by which it was pruned."""
        caps = ("max_pairs", "max_per_image", "top_k")
        return {name: value for name, value in self.as_json().items() if name not in caps}


def _parse_max_pairs(value: int | str | None) -> MaxPairs:
    if value is None or (isinstance(value, str) and value.strip().lower() == "all"):
        return None if value is None else "all"
    if isinstance(value, str):
        number = int(re.sub("[,_]", "", value)) if NUMBER.fullmatch(value.strip()) else 0
    else:
        number = int(value) if value == value // 1 else 0
    if number < 1:
        raise UsageError(
            f"--max-pairs {value} is not a number of pairs: give a number from 1 to keep the largest gaps, all to "
            f"write every pair, or leave it out to write all up to {defaults.MAX_PAIRS:,}, and stop beyond."
        )
    return number
