"""The options of `mine`, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from snellen.errors import UsageError
from snellen.mining.join import LabelRule
from snellen.mining.thresholds import Threshold, parse_threshold


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked of `mine`; see there."""

    blind: str
    reference: str
    blind_min: Threshold
    reference_max: Threshold
    max_pairs: int | None
    max_per_image: int | None
    collapse_copies: float | None
    labels: LabelRule
    seed: int

    @classmethod
    def checked(
        cls,
        *,
        blind: str,
        reference: str,
        blind_min: float | str,
        reference_max: float | str,
        max_pairs: int | None,
        max_per_image: int | None,
        collapse_copies: float | None,
        labels: LabelRule,
        seed: int,
    ) -> Options:
        """Check the options against their ranges.

        Raises:
            UsageError: one of them is out of range; says what it may be.
        """
        for option, cap in (("--max-pairs", max_pairs), ("--max-per-image", max_per_image)):
            if cap is not None and (cap < 1 or cap != int(cap)):
                raise UsageError(
                    f"{option} {cap} would keep nothing: give a number from 1, or leave it out for no cap."
                )
        if collapse_copies is not None and not -1 <= collapse_copies < 1:
            raise UsageError(
                f"--collapse-copies {collapse_copies} is not a cosine that copies can exceed: "
                "give one from -1 to below 1, for example 0.98."
            )
        if labels not in get_args(LabelRule):
            raise UsageError(f"--labels {labels} is unknown: choose one of {', '.join(get_args(LabelRule))}.")
        if seed < 0:
            raise UsageError(f"--seed {seed} is negative: give a whole number from 0.")
        return cls(
            blind,
            reference,
            parse_threshold(blind_min, "--blind-min"),
            parse_threshold(reference_max, "--reference-max"),
            max_pairs,
            max_per_image,
            collapse_copies,
            labels,
            seed,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the entry `asked` of `mining.json`."""
        return {
            "blind": self.blind,
            "reference": self.reference,
            "blind_min": self.blind_min.asked,
            "reference_max": self.reference_max.asked,
            "max_pairs": self.max_pairs,
            "max_per_image": self.max_per_image,
            "collapse_copies": self.collapse_copies,
            "labels": self.labels,
            "seed": self.seed,
        }
