"""The paper's facts as committed, and what they come to, against hand-made and scipy's values."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from snellen.diagnosis import published as facts
from snellen.diagnosis.correlation import Published, published
from snellen.errors import UsageError

NINE = {"orientation", "presence", "state", "count", "position", "color", "structure", "text", "viewpoint"}


@pytest.fixture(scope="module")
def paper() -> Published:
    return published()


def shared_rows(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / "paper_tables" / name
    if not path.is_file():
        pytest.skip("the paper's tables are not beside this clone")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_table_1_is_the_papers(shared_data: Path) -> None:
    rows = shared_rows(shared_data, "mmvp_vlm_table1.csv")
    assert len(facts.table1()) == len(rows) == 10
    for row, ours in zip(rows, facts.table1(), strict=True):
        assert (ours.model, str(ours.image_size)) == (row["model"], row["image_size"])
        assert (ours.params_m, ours.in1k_zeroshot, ours.average) == tuple(
            float(row[name]) for name in ("params_m", "in1k_zeroshot", "average")
        )
        assert ours.patterns == {name: float(row["structural" if name == "structure" else name]) for name in NINE}


def test_the_figure_and_the_correlations_are_those_that_we_were_given(shared_data: Path) -> None:
    rows = shared_rows(shared_data, "fig6_digitised.csv")
    for curve, values in facts.figure6().items():
        assert values == {row["pattern"].replace("structural", "structure"): float(row[curve]) for row in rows}
    assert set(facts.figure6()) == {"CLIP", "InstructBLIP", "LLaVA-1.5", "Gemini", "GPT-4V"}
    printed = {
        row["model"]: float(row["pearson_r_paper"]) for row in shared_rows(shared_data, "correlation_appendix.csv")
    }
    assert facts.printed_correlations() == {name.replace("GPT-4(V)", "GPT-4V"): r for name, r in printed.items()}


def test_table_1_by_hand(paper: Published) -> None:
    """The average of nine cells is the printed one to 0.05; the counts are those of multiples of 1/15."""
    counts = [26, 27, 51, 50, 53, 47, 32, 34, 31, 45]
    for row, right in zip(paper.table, counts, strict=True):
        assert abs(row.average - row.printed) <= 0.05
        assert abs(row.mean_of_cells - row.printed) <= 0.06  # printed cells are rounded, too
        assert (row.right, row.n) == (right, 135)
        assert round(100 * right / 135, 1) == row.printed
    first = paper.table[0]
    assert (first.low, first.high) == pytest.approx((13.5, 26.7), abs=0.05)
    for cells in (row.patterns for row in facts.table1()):
        assert set(cells) == NINE
        assert all(abs(value - 100 * round(15 * value / 100) / 15) < 0.05 for value in cells.values())


def test_the_correlations(paper: Published) -> None:
    found = {each.model: each for each in paper.correlations}
    assert list(found) == ["LLaVA-1.5", "InstructBLIP", "Bard", "Gemini", "GPT-4V"]
    # printed, Fisher's interval of what is printed, recomputed from our readings
    expected = {
        "LLaVA-1.5": (0.87, 0.49, 0.97, 0.870),
        "InstructBLIP": (0.71, 0.09, 0.93, 0.605),
        "Bard": (0.79, 0.26, 0.95, None),
        "Gemini": (0.72, 0.11, 0.94, 0.721),
        "GPT-4V": (0.31, -0.45, 0.81, 0.308),
    }
    for model, (printed, low, high, ours) in expected.items():
        each = found[model]
        assert (each.printed, each.n) == (printed, 9)
        assert each.printed_fisher == pytest.approx((low, high), abs=0.006)
        assert (each.pearson and each.pearson.value) == pytest.approx(ours, abs=0.0006)
    curves = facts.figure6()
    for model, each in found.items():
        if each.pearson is None or each.spearman is None:
            assert model == "Bard"
            continue
        x, y = (list(curves[name].values()) for name in ("CLIP", model))
        assert each.pearson.value == pytest.approx(pearsonr(x, y).statistic)
        assert each.spearman.value == pytest.approx(spearmanr(x, y).statistic)
        assert each.pearson.p == pytest.approx(pearsonr(x, y).pvalue, abs=0.01)
        assert each.pearson.permutations == "all 362,880"
    llava = found["LLaVA-1.5"].pearson
    assert llava is not None and llava.leave_one_out is not None
    assert llava.leave_one_out.low_without == "color"
    assert llava.leave_one_out.low == pytest.approx(0.655, abs=0.0006)


def test_the_figures_clip_is_three_rows(paper: Published) -> None:
    rows = {row.name: row.patterns for row in facts.table1()}
    three = [rows["OpenAI ViT-L-14 224"], rows["OpenAI ViT-L-14 336"], rows["EVA01 ViT-g-14 224"]]
    clip = facts.figure6()["CLIP"]
    gaps = [abs(np.mean([row[name] for row in three]) - value) for name, value in clip.items()]
    assert paper.largest_gap == pytest.approx(max(gaps)) and max(gaps) < 0.05
    one = {(each.model, each.encoder): each.r for each in paper.one_encoder}
    assert one["LLaVA-1.5", "OpenAI ViT-L-14 336"] == pytest.approx(0.32, abs=0.005)
    assert one["LLaVA-1.5", "OpenAI ViT-L-14 224"] == pytest.approx(0.88, abs=0.005)
    assert one["LLaVA-1.5", "EVA01 ViT-g-14 224"] == pytest.approx(0.87, abs=0.005)


def test_the_verb_prints_it_without_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    from snellen.cli.correlate import correlate

    correlate(published=True)
    said = capsys.readouterr().out
    for part in ("digitised by us", "0.605", "not drawn", "[0.49, 0.97]", "0.655 (color)", "The paper does not say so"):
        assert part in said
    with pytest.raises(UsageError, match="without a study"):
        correlate(Path("study"), published=True)
