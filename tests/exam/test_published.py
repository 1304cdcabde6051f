"""What was published about MMVP, as facts: intervals, and values that no single run over 150 pairs can have.

Source: Tong et al., "Eyes Wide Shut?", CVPR 2024, arXiv 2401.06209.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from snellen.exam.power import power
from snellen.stats import mcnemar, on_grid, wilson_interval

PAIRS = 150

FIGURE_4 = {
    "Human": ("95.7", None),
    "Gemini": ("40.7", 61),
    "GPT-4V": ("38.7", 58),
    "Random guess": ("25.0", None),
    "LLaVA-1.5": ("24.7", 37),
    "Bard": ("19.0", None),
    "Bing Chat": ("17.3", 26),
    "InstructBLIP": ("16.7", 25),
    "mini-GPT4": ("12.7", 19),
    "LLaVA": ("6.0", 9),
}
"""Pair accuracy in percent as printed, and of how many pairs it is the share; None: of no number."""

TABLE_2 = {
    "0": ("5.5", None),
    "0.25": ("7.9", None),
    "0.5": ("12.0", 18),
    "0.625": ("15.0", None),
    "0.75": ("18.7", 28),
    "0.875": ("16.5", None),
    "1": ("13.4", None),
}
"""Additive MoF, by the share of DINOv2."""

TABLE_3 = {
    "LLaVA, 224 px": ("5.5", None),
    "LLaVA, 336 px": ("6.0", 9),
    "LLaVA + interleaved": ("16.7", 25),
    "LLaVA-1.5": ("24.7", 37),
    "LLaVA-1.5 + interleaved": ("28.0", 42),
}

APPENDIX = {
    "interleaved with MoCo-v3": ("26.7", 40),
    "interleaved with MAE": ("27.3", 41),
    "GPT-4V, options swapped": ("40.3", None),
    "GPT-4V, other notation": ("37.3", 56),
}

PUBLISHED = [*FIGURE_4.items(), *TABLE_2.items(), *TABLE_3.items(), *APPENDIX.items()]


@pytest.mark.parametrize(("what", "value"), PUBLISHED)
def test_which_printed_values_can_be_one_run(what: str, value: tuple[str, int | None]) -> None:
    printed, count = value
    shares = [k for k in range(PAIRS + 1) if f"{100 * k / PAIRS:.1f}" == printed]  # printing every share there is
    assert shares == ([] if count is None else [count])
    assert on_grid(printed, PAIRS) == tuple(shares)


def test_the_values_on_no_grid() -> None:
    off = {printed for _, (printed, count) in PUBLISHED if count is None}
    assert off == {"5.5", "7.9", "13.4", "15.0", "16.5", "19.0", "40.3", "95.7", "25.0"}


def test_what_those_on_no_grid_may_be() -> None:
    """By question (300), or the mean of so many runs: arithmetic, no claim about what was done."""
    by_question = {value: on_grid(value, 300) for value in ("5.5", "7.9", "13.4", "15.0", "16.5", "19.0", "40.3")}
    assert {value for value, counts in by_question.items() if counts} == {"15.0", "19.0", "40.3"}
    fewest = {value: next(m for m in range(1, 9) if on_grid(value, 150 * m)) for value in by_question}
    assert fewest == {"5.5": 4, "7.9": 5, "13.4": 6, "15.0": 2, "16.5": 4, "19.0": 2, "40.3": 2}
    assert on_grid("95.7", 4 * 150) == (574,)  # the mean of four people
    assert on_grid("95.7", 4 * 300) == (1148, 1149)  # and so is this: the unit cannot be told


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        ("Gemini", 33.1, 48.7),
        ("GPT-4V", 31.2, 46.7),
        ("LLaVA-1.5", 18.5, 32.1),
        ("Bing Chat", 12.1, 24.2),
        ("InstructBLIP", 11.6, 23.4),
        ("mini-GPT4", 8.3, 18.9),
        ("LLaVA", 3.2, 11.0),
    ],
)
def test_intervals_of_figure_4(model: str, low: float, high: float) -> None:
    printed, count = FIGURE_4[model]
    assert count is not None
    assert [round(100 * end, 1) for end in wilson_interval(count, PAIRS)] == [low, high]
    found = power(observed=printed, pairs=PAIRS).observed
    assert found is not None and found.counts == (count,)
    assert (round(found.low_percent, 1), round(found.high_percent, 1)) == (low, high)


def test_a_value_on_no_grid_gets_the_interval_of_both_its_neighbours() -> None:
    found = power(observed="19.0", pairs=PAIRS).observed
    assert found is not None and found.counts == () and found.between == (28, 29)
    assert (round(found.low_percent, 1), round(found.high_percent, 1)) == (13.2, 26.4)


def test_a_gain_of_five_pairs_is_never_significant() -> None:
    """LLaVA-1.5 with interleaved features: 37 to 42 pairs, however many of them changed."""
    significant = [worse for worse in range(38) if mcnemar(worse, worse + 5).p <= 0.05]
    assert significant == []
    assert mcnemar(0, 5).p == 0.0625


COLUMNS = {
    "mmvp_mllm_fig4.csv": ("mmvp_pair_accuracy", FIGURE_4),
    "amof_table2.csv": ("mmvp", TABLE_2),
    "imof_table3.csv": ("mmvp", TABLE_3),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_tables_hold_these_facts(shared_data: Path, name: str) -> None:
    column, facts = COLUMNS[name]
    with (shared_data / "paper_tables" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row[column] for row in rows] == [printed for printed, _ in facts.values()]
    for row, (printed, count) in zip(rows, facts.values(), strict=True):
        assert on_grid(row[column], PAIRS) == (() if count is None else (count,))
        if name == "mmvp_mllm_fig4.csv" and count is not None:
            assert int(row["pairs_correct_of_150"]) == count
            found = power(observed=printed, pairs=PAIRS).observed
            assert found is not None
            ends = float(row["wilson95_lo(ours)"]), float(row["wilson95_hi(ours)"])
            assert (round(found.low_percent, 1), round(found.high_percent, 1)) == ends


def test_the_appendix_tables_hold_these_facts(shared_data: Path) -> None:
    printed = []
    for name in ("imof_ssl_backbones_appendix.csv", "gpt4v_ablation_appendix.csv"):
        with (shared_data / "paper_tables" / name).open(encoding="utf-8", newline="") as file:
            printed += [row["mmvp"] for row in csv.DictReader(file)]
    assert printed == ["24.7", "26.7", "27.3", "28.0", "38.7", "40.3", "37.3"]


def test_every_cell_of_the_image_text_table_is_a_share(shared_data: Path) -> None:
    """MMVP-VLM: 15 pairs a pattern, 135 in all; Table 1."""
    patterns = ["orientation", "presence", "state", "count", "position", "color", "structural", "text", "viewpoint"]
    with (shared_data / "paper_tables" / "mmvp_vlm_table1.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counts = [on_grid(row[pattern], 15) for pattern in patterns]
            assert all(len(each) == 1 for each in counts)
            assert on_grid(row["average"], 135) == (sum(each[0] for each in counts),)
