"""Encoders side by side: what each is, where its figures come from, and what is missing of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from snellen.diagnosis.shopping.cost import Size
from snellen.records import Match
from snellen.stats import Proportion

PATTERNS: Final = (
    "orientation",
    "presence",
    "state",
    "count",
    "position",
    "color",
    "structure",
    "text",
    "viewpoint",
)
"""The nine visual patterns in the order of the paper's Table 1; others follow by name."""

NO_TEXT_TOWER: Final = "not available: no text tower"
NOT_MATCHED: Final = "not available: not matched"


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """Zero-shot top-1 accuracy of one encoder on one labelled set, with its interval; from `zeroshot.json`."""

    encoder: str
    fingerprint: str
    dataset: str
    top1: Proportion
    chance: float | None
    parameters: int | None
    image_size: tuple[int, int] | None


@dataclass(frozen=True)
class Candidate:
    """One encoder of a study, by its fingerprint: any of its figures may be missing.

    `label` is its name, with the first digits of its fingerprint where two have one name. `run_id` and `matches` are
    those of its run on the benchmark, None where it has none; `slug` is that of its embedding.
    """

    label: str
    encoder: str
    fingerprint: str
    run_id: str | None = None
    profile: str | None = None
    matches: Mapping[str, Match] | None = None
    zeroshot: ZeroShot | None = None
    size: Size | None = None
    slug: str | None = None

    @property
    def parameters(self) -> int | None:
        """Parameters of both towers; None: not known."""
        if self.size is not None:
            return self.size.parameters
        return self.zeroshot.parameters if self.zeroshot else None

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the picture it looks at, in pixels; None: not known, or it depends on the picture."""
        if self.size is not None:
            return self.size.image_size
        return self.zeroshot.image_size if self.zeroshot else None

    @property
    def tokens(self) -> int | None:
        """Patch tokens of a picture; None: not measured, or it has none."""
        return self.size.tokens if self.size else None

    @property
    def why_no_image_score(self) -> str | None:
        """Say why there is no image score; None where there is one."""
        if self.matches is not None:
            return None
        return NO_TEXT_TOWER if self.size is not None and not self.size.text_tower else NOT_MATCHED


def in_order(patterns: Mapping[str, object]) -> list[str]:
    """Order patterns as the paper does, others by name behind them."""
    return sorted(patterns, key=lambda name: (PATTERNS.index(name) if name in PATTERNS else len(PATTERNS), name))
