"""Two runs compared, against numbers worked out by hand and scipy and statsmodels called directly."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests
from typer.testing import CliRunner

from snellen.cli.compare import compare as verb
from snellen.errors import StudyError, UsageError
from snellen.exam.compare import compare
from snellen.stats import Difference, bootstrap_difference, pairs_for_difference, wilson_interval
from snellen.study import Study
from tests.exam.two_runs import NAME, grades_of, names_of, write_answers, write_study
from tests.test_benchmarks import lines_of
from tests.test_runs import write_run

A = ["11", "11", "10", "01", "00", "11", "1u", "r1", "00", "10"]
B = ["11", "11", "11", "11", "11", "10", "11", "11", "00", "01"]
# pairs right: a 0 1 5, b 0 1 2 3 4 6 7; only a: 5; only b: 2 3 4 6 7; questions right: a 11, b 16 of 20


@pytest.fixture
def study(tmp_path: Path) -> Path:
    tags = {"hand": {"count": [0, 1, 2, 3, 4], "state": [4, 5, 6, 7, 8, 9]}, "model": {"text": [2, 3]}}
    return write_study(tmp_path / "study", 10, tags)


def runs(study: Path) -> tuple[Path, Path]:
    return write_answers(study, "one", A), write_answers(study, "other", B)


def test_all_pairs_by_hand(study: Path) -> None:
    found = compare(*runs(study))
    pairs = found.pairs
    assert (pairs.group, pairs.tagset, pairs.n_pairs) == ("all", None, 10)
    assert (pairs.accuracy_a.value, pairs.accuracy_b.value) == (0.3, 0.7)
    assert pairs.accuracy_a[1:3] == wilson_interval(3, 10)
    assert (pairs.a_only, pairs.b_only) == (1, 5)
    assert pairs.p == pytest.approx(binomtest(1, 6).pvalue) == pytest.approx(14 / 64)
    assert pairs.p_holm is None
    a, b = [1, 1, 0, 0, 0, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 1, 1, 0, 0]
    expected = bootstrap_difference(a, b, seed=0)
    assert pairs.difference_points is not None
    assert pairs.difference_points == pytest.approx((40, 100 * expected.low, 100 * expected.high, 10))
    assert (found.a.model, found.b.model, found.left_out, found.order) == ("world/one", "world/other", 0, "ab")
    assert (found.a.n_unparsed, found.a.n_refused, found.b.n_unparsed, found.b.n_refused) == (1, 1, 0, 0)
    assert found.needed is None


def test_questions_by_hand(study: Path) -> None:
    found = compare(*runs(study)).questions
    assert (found.n_pairs, found.n_questions) == (10, 20)
    assert (found.accuracy_a.value, found.accuracy_b.value) == (11 / 20, 16 / 20)
    assert (found.accuracy_a.n, found.accuracy_a.n_clusters) == (20, 10)
    means = [[sum(each == "1" for each in both) / 2 for both in answers] for answers in (A, B)]
    expected = bootstrap_difference(*means, seed=0)
    assert found.difference_points == pytest.approx((25, 100 * expected.low, 100 * expected.high, 10))


def test_patterns_by_hand_with_holm_within_each_tagset(study: Path) -> None:
    found = compare(*runs(study)).patterns
    assert [(each.tagset, each.group, each.n_pairs, each.a_only, each.b_only) for each in found] == [
        ("hand", "count", 5, 0, 3),
        ("hand", "state", 6, 1, 3),
        ("model", "text", 2, 0, 2),
    ]
    raw = [binomtest(0, 3).pvalue, binomtest(1, 4).pvalue]
    assert [each.p for each in found] == pytest.approx([*raw, 0.5])
    assert [each.p_holm for each in found] == pytest.approx([*multipletests(raw, method="holm")[1], 0.5])
    assert [each.p_holm for each in found] == pytest.approx([0.5, 0.625, 0.5])  # 2 x 0.25; 0.625; alone
    one = compare(study / "runs/one", study / "runs/other", tagset="model").patterns
    assert one == found[2:]


def test_what_a_and_b_are_called_turns_the_signs(study: Path) -> None:
    one, other = runs(study)
    forth, back = compare(one, other), compare(other, one)
    assert (back.pairs.a_only, back.pairs.b_only, back.pairs.p) == (5, 1, forth.pairs.p)
    assert forth.pairs.difference_points is not None and back.pairs.difference_points is not None
    low, high = forth.pairs.difference_points[1:3]
    assert back.pairs.difference_points[:3] == pytest.approx((-40, -high, -low))


def test_a_run_compared_with_itself(study: Path) -> None:
    one, _ = runs(study)
    found = compare(one, one, difference=10)
    # nothing differs, yet ten pairs are no certainty: Wilson's upper bound of 0 in 10 on both sides
    assert found.pairs.difference_points is not None
    assert found.pairs.difference_points == pytest.approx(Difference(0, -27.7533, 27.7533, 10), abs=1e-4)
    assert (found.pairs.a_only, found.pairs.b_only, found.pairs.p) == (0, 0, 1.0)
    assert found.needed is not None and found.needed.rough and found.needed.discordance.value == 0
    assert any("as many are taken to be" in note for note in found.notes)


def test_neither_the_order_of_lines_nor_other_sittings_matter(study: Path, tmp_path: Path) -> None:
    """Shuffled grades, with an answer without the image, of another repeat and variant between them."""
    expected = compare(*runs(study))
    names = names_of(study)
    grades = grades_of(names, A)
    others: list[dict[str, Any]] = [{"control": "no_image"}, {"repeat": 1}, {"variant": "crop-0"}, {"order": "ba"}]
    grades += [grade | other | {"verdict": "error"} for grade in grades for other in others]
    random.Random(1).shuffle(grades)
    header = json.loads((study / "runs/one/run.json").read_text())
    shuffled = write_run(Study(study), "shuffled", header=header, grades=grades)
    found = compare(shuffled, study / "runs/other")
    assert (found.pairs, found.questions, found.patterns) == (expected.pairs, expected.questions, expected.patterns)


def test_orders(study: Path) -> None:
    once = ["11"] * 4 + ["00"] * 6
    again = ["11", "11", "10", "00"] + ["11"] * 6
    one = write_answers(study, "one", once, reversed_answers=again)
    other = write_answers(study, "other", B, reversed_answers=B)
    assert compare(one, other).pairs.accuracy_a.value == 0.4
    assert compare(one, other, order="ba").pairs.accuracy_a.value == 0.8
    both = compare(one, other, order="both")
    assert both.pairs.accuracy_a.value == 0.2  # right four times: the first two pairs
    assert both.questions.accuracy_a.value == 5 / 20
    with pytest.raises(UsageError, match="choose ab, ba, both"):
        compare(one, other, order="aa")
    plain = write_answers(study, "plain", A)
    with pytest.raises(StudyError, match="was not asked in the order ba"):
        compare(one, plain, order="both")


@pytest.mark.parametrize("hole", ["e1", "1e", "-1", "1-", "--"])
@pytest.mark.parametrize("in_a", [True, False])
def test_a_hole_is_refused_or_left_out_and_said(study: Path, hole: str, in_a: bool) -> None:
    holed = [hole, *A[1:]]
    one, other = write_answers(study, "one", holed if in_a else A), write_answers(study, "other", A if in_a else holed)
    first = names_of(study)[0]
    with pytest.raises(StudyError, match=rf"1 of 10 pairs .* the first {first}.*--allow-incomplete"):
        compare(one, other)
    found = compare(one, other, allow_incomplete=True)
    assert (found.left_out, found.pairs.n_pairs, found.questions.n_questions) == (1, 9, 18)
    assert any("1 pairs are left out" in note for note in found.notes)
    assert [each.n_pairs for each in found.patterns] == [4, 6, 2]
    assert found.pairs.accuracy_a.value == 2 / 9  # the first pair was right


def test_a_pattern_of_which_nothing_is_left_is_shown_and_not_tested(study: Path) -> None:
    one, other = write_answers(study, "one", A), write_answers(study, "other", ["11", "11", "e1", "--", *B[4:]])
    found = compare(one, other, allow_incomplete=True).patterns
    assert (found[2].n_pairs, found[2].p, found[2].p_holm, found[2].difference_points) == (0, None, None, None)
    with pytest.raises(StudyError, match="nothing to compare"):
        compare(one, write_answers(study, "none", ["--"] * 10), allow_incomplete=True)


def test_how_many_pairs_show_a_stated_difference(study: Path) -> None:
    found = compare(*runs(study), difference=20)
    needed = found.needed
    assert needed is not None
    low, high = wilson_interval(6, 10)
    assert (needed.discordance.value, needed.discordance.low, needed.discordance.high) == (0.6, low, high)
    assert needed.n_pairs == pairs_for_difference(0.2, 0.6).n
    assert needed.n_pairs_low == pairs_for_difference(0.2, low).n
    assert needed.n_pairs_high == pairs_for_difference(0.2, high).n
    assert needed.n_pairs_low < needed.n_pairs < needed.n_pairs_high
    assert needed.rough and any("Only 6 discordant pairs" in note for note in found.notes)
    # more than what is discordant here: as many are taken to be
    most = compare(study / "runs/one", study / "runs/other", difference=90).needed
    assert most is not None and most.n_pairs == most.n_pairs_high == pairs_for_difference(0.9, 0.9).n
    for wrong in (0, -5, 101):
        with pytest.raises(UsageError, match="up to 100"):
            compare(study / "runs/one", study / "runs/other", difference=wrong)
    with pytest.raises(UsageError, match="larger"):
        compare(study / "runs/one", study / "runs/other", difference=0.001)


def test_runs_of_two_studies(study: Path, tmp_path: Path) -> None:
    one, other = runs(study)
    expected = compare(one, other)
    elsewhere = tmp_path / "elsewhere"
    header = json.loads((other / "run.json").read_text())
    moved = write_run(Study(elsewhere), "moved", header=header, grades=grades_of(names_of(study), B))
    for found in (compare(one, moved), compare(moved, one)):  # the benchmark is in one of the studies only
        assert found.pairs.p == expected.pairs.p
        assert len(found.patterns) == 3


def test_without_the_benchmark_pairs_are_those_of_the_ids(tmp_path: Path) -> None:
    names = [f"{number:016x}" for number in range(10)]
    one = write_answers(tmp_path / "x", "one", A, names=names)
    other = write_answers(tmp_path / "y", "other", B, names=names)
    found = compare(one, other)
    assert (found.pairs.n_pairs, found.pairs.a_only, found.pairs.b_only) == (10, 1, 5)
    assert found.patterns == () and "in neither study" in found.notes[0]
    with pytest.raises(StudyError, match="no tagset 'hand'"):
        compare(one, other, tagset="hand")
    # a pair that only one of the runs knows is a hole
    fewer = write_answers(tmp_path / "y", "fewer", B[:9], names=names[:9])
    with pytest.raises(StudyError, match="1 of 10 pairs"):
        compare(one, fewer)
    assert compare(one, fewer, allow_incomplete=True).left_out == 1


def test_a_benchmark_that_changed_since_is_not_taken_for_the_one_asked(study: Path) -> None:
    one, other = runs(study)
    folder = study / "benchmarks" / NAME
    folder.rename(folder.with_name("old"))
    write_study(study, 4)
    found = compare(one, other)
    assert found.patterns == () and found.pairs.n_pairs == 10


def test_different_benchmarks_are_refused(study: Path, tmp_path: Path) -> None:
    one, _ = runs(study)
    other = write_answers(write_study(tmp_path / "other", 3), "third", ["11"] * 3)
    with pytest.raises(StudyError, match=r"not asked the same: one is of 'blind-pairs' with the content [0-9a-f]{16}"):
        compare(one, other)


def test_a_damaged_benchmark_is_said(study: Path) -> None:
    one, other = runs(study)
    line = lines_of(study / "benchmarks" / NAME)[0]
    (study / "benchmarks" / NAME / line["image"]).unlink()
    with pytest.raises(StudyError, match="not a whole benchmark"):
        compare(one, other)


def test_what_cannot_be_trusted_is_refused(study: Path) -> None:
    one, _ = runs(study)
    names = names_of(study)
    grades, header = grades_of(names, B), json.loads((one / "run.json").read_text())
    twice = write_run(Study(study), "twice", header=header, grades=[*grades, grades[0]])
    with pytest.raises(StudyError, match="twice: grade it again"):
        compare(one, twice)
    strange = write_run(
        Study(study), "strange", header=header, grades=[*grades, grades[0] | {"question_id": "\x1b[2J-a"}]
    )
    with pytest.raises(StudyError, match=r"1 answers are to questions .* '\\x1b\[2J-a'"):
        compare(one, strange)
    open_ended = write_answers(study, "open", A, finished=False)
    with pytest.raises(StudyError, match="is not finished"):
        compare(one, open_ended)
    (study / "runs/other/grades.jsonl").write_text("")
    with pytest.raises(StudyError, match="was changed"):
        compare(one, study / "runs/other")
    for folder in (study, study / "runs", study / "runs/none"):
        with pytest.raises(UsageError, match="not the folder of a run"):
            compare(one, folder)


@pytest.mark.parametrize("name", ["x", "x-c", "-a", ""])
def test_a_question_of_no_pair_is_refused(tmp_path: Path, name: str) -> None:
    line = grades_of(["p"], ["11"])[0] | {"question_id": name or "-b"}
    folder = write_run(Study(tmp_path), "run", grades=[line])
    with pytest.raises(StudyError, match="is of no pair"):
        compare(folder, folder)


def test_paths_may_be_relative(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(study)
    monkeypatch.chdir(study / "runs")
    assert compare("one", "./other").pairs.n_pairs == 10
    monkeypatch.chdir(study / "runs/one")
    assert compare(".", "../other").pairs.n_pairs == 10


def test_the_verb_prints_what_the_function_returns(study: Path) -> None:
    app = typer.Typer()
    app.command()(verb)
    one, other = runs(study)
    made = CliRunner().invoke(app, [str(one), str(other), "--difference", "20", "--json"])
    assert made.exit_code == 0, made.output
    value = json.loads(made.output)
    expected = compare(one, other, difference=20)
    assert expected.needed is not None
    assert value["pairs"]["a_only"] == 1 and value["pairs"]["b_only"] == 5
    assert value["pairs"]["accuracy_b"] == {
        "value": 0.7, "low": expected.pairs.accuracy_b.low, "high": expected.pairs.accuracy_b.high, "n": 10,
        "n_clusters": 10,
    }  # fmt: skip
    assert value["patterns"][0]["p_holm"] == expected.patterns[0].p_holm
    assert value["needed"]["n_pairs"] == expected.needed.n_pairs
    said = CliRunner().invoke(app, [str(one), str(other), "--difference", "20"]).output
    assert "30.0 % [10.8, 60.3]" in said and "+40.0 [" in said and "0.2188" in said
    assert "pair accuracy" in said and "question accuracy" in said
    assert f"{expected.needed.n_pairs} pairs (" in said
    assert "1 unparsed and 1 refused count as wrong" in said


def test_hostile_names_do_nothing_to_the_terminal(study: Path) -> None:
    app = typer.Typer()
    app.command()(verb)
    one = write_answers(study, "one", A, header={"model": "\x1b[2J\u202emodel", "profile": "\x07"})
    for options in ([], ["--json"]):
        made = CliRunner().invoke(app, [str(one), str(one), *options])
        assert made.exit_code == 0, made.output
        assert all(char.isprintable() or char == "\n" for char in made.output)


def test_equal_models_are_seldom_called_different(tmp_path: Path) -> None:
    """60 worlds in which both are equally good: at level 0.05 more than 8 are significant once in 300 times at most."""
    rng = np.random.default_rng(0)
    names = [f"{number:016x}" for number in range(40)]
    hits = 0
    for world in range(60):
        answers = [["11" if right else "10" for right in rng.random(40) < 0.5] for _ in "ab"]
        folders = [
            write_answers(tmp_path / str(world), name, each, names=names)
            for name, each in zip("ab", answers, strict=True)
        ]
        p = compare(*folders).pairs.p
        assert p is not None
        hits += p <= 0.05
    assert hits <= 8
