"""What the paper printed, as facts: Tong et al., "Eyes Wide Shut?", CVPR 2024, arXiv 2401.06209.

- `mmvp_vlm_table1.csv`: Table 1. Ten encoders on MMVP-VLM, percent of 15 pairs a visual pattern (the image score), the
  printed averages, image size in pixels, parameters in millions, and ImageNet-1k zero-shot accuracy in percent.
- `correlations_printed.csv`: section 3.3 and the appendix. Pearson's r of CLIP's and each model's accuracies over the
  nine patterns.
- `figure6_digitised.csv`: figure 6, in percent. The paper gives no numbers for it: these are *our readings of the
  drawing*. The "CLIP" curve is of MMVP-VLM's pairs, the other four of MMVP's.

The paper calls the pattern `structure` structural.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final, NamedTuple

SOURCE: Final = "Tong et al., CVPR 2024, arXiv 2401.06209"

PAIRS_A_PATTERN: Final = 15
"""Of MMVP-VLM."""

FIGURE_CLIP: Final = "CLIP"
"""How figure 6 calls its encoder."""


class EncoderRow(NamedTuple):
    """A row of Table 1: percent of pairs by pattern, and the printed average."""

    model: str
    image_size: int
    params_m: float
    in1k_zeroshot: float
    patterns: dict[str, float]
    average: float

    @property
    def name(self) -> str:
        """The model with its image size, which together are unique."""
        return f"{self.model} {self.image_size}"


def table1() -> tuple[EncoderRow, ...]:
    """Return Table 1, in the order of print."""
    named = ("model", "image_size", "params_m", "in1k_zeroshot", "average")
    return tuple(
        EncoderRow(
            model=row["model"],
            image_size=int(row["image_size"]),
            params_m=float(row["params_m"]),
            in1k_zeroshot=float(row["in1k_zeroshot"]),
            patterns={name: float(value) for name, value in row.items() if name not in named},
            average=float(row["average"]),
        )
        for row in _rows("mmvp_vlm_table1.csv")
    )


def figure6() -> dict[str, dict[str, float]]:
    """Return our readings of figure 6: percent by pattern, by curve."""
    rows = _rows("figure6_digitised.csv")
    return {curve: {row["pattern"]: float(row[curve]) for row in rows} for curve in rows[0] if curve != "pattern"}


def printed_correlations() -> dict[str, float]:
    """Return the printed correlations by model."""
    return {row["model"]: float(row["pearson_r"]) for row in _rows("correlations_printed.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
