"""`snellen correlate --published`, in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.cli.columns import aligned
from snellen.cli.correlate import correlations

if TYPE_CHECKING:
    from snellen.diagnosis.correlation.published import Published


def described(paper: Published) -> list[str]:
    """Say what the paper printed, and what that comes to, a line each."""
    from snellen.diagnosis.correlation.published import CLIP_ROWS
    from snellen.diagnosis.published import SOURCE

    rows: list[tuple[str, ...]] = [("", "printed", "mean of printed cells", "pairs of 135", "percent", "95 % (Wilson)")]
    rows += [
        (
            row.model,
            f"{row.printed:.1f}",
            f"{row.mean_of_cells:.2f}",
            f"{row.right}",
            f"{row.average:.2f}",
            f"[{row.low:.1f}, {row.high:.1f}]",
        )
        for row in paper.table
    ]
    lines = [SOURCE, "", "Table 1, MMVP-VLM, image score in percent (chance 25)", *aligned(rows)]
    printed: list[tuple[str, ...]] = [("", "printed r", "Fisher, n = 9", "our reading of figure 6")]
    printed += [
        (
            each.model,
            f"{each.printed:.2f}",
            f"[{each.printed_fisher.low:.2f}, {each.printed_fisher.high:.2f}]",
            "not drawn" if each.pearson is None else f"{each.pearson.value:.3f}",
        )
        for each in paper.correlations
    ]
    drawn = [
        (f"{each.model}, {name}", found)
        for each in paper.correlations
        for name, found in (("Pearson", each.pearson), ("Spearman", each.spearman))
        if found is not None
    ]
    lines += ["", "Correlations of CLIP's and each model's accuracies over nine visual patterns, as printed"]
    lines += aligned(printed)
    lines += [
        "",
        "and recomputed from figure 6, digitised by us: our readings of a drawing, not the paper's numbers",
    ]
    lines += correlations(drawn, digits=3)
    one: list[tuple[str, ...]] = [("r with one encoder in its place", *CLIP_ROWS)]
    one += [
        (model, *(f"{each.r:.2f}" for each in paper.one_encoder if each.model == model))
        for model in dict.fromkeys(each.model for each in paper.one_encoder)
    ]
    return [
        *lines,
        "",
        f'Figure 6\'s "CLIP" curve is, within {paper.largest_gap:.2f} points, the mean of three rows of table 1: '
        f"{', '.join(CLIP_ROWS)}. The paper does not say so.",
        *aligned(one),
        "",
        "The encoders were matched on MMVP-VLM and the models asked MMVP: other pairs. Nine patterns are few: r = 0.70 "
        "would have the interval 0.07 to 0.93. Intervals over patterns are percentiles of a bootstrap, which are too "
        "short for nine points.",
    ]
