"""The known label errors: only where dataset, number, text and published answer agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen import benchmarks
from snellen.benchmark import import_mmvp, validate
from snellen.benchmark.errata import KNOWN
from snellen.errors import SourceError
from tests.benchmark import mmvp_drawn as drawn

TUSKS = "Does the elephant have long or short tusks?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return drawn.mmvp(tmp_path / "MMVP", 300)


def test_the_table_is_what_the_threads_say() -> None:
    """By hand, from the issues that `source` names: 279/280 the wrong way round, 99/100 in dispute."""
    assert {one.numbers: (one.action, one.text, one.answers) for one in KNOWN} == {
        (279, 280): ("swap", "Is the elderly person standing or sitting in the picture?", ("Standing", "Sitting")),
        (99, 100): ("drop", TUSKS, ("Long", "Short")),
    }
    assert all("issue" in one.source and one.reason for one in KNOWN)


def test_both_halves_of_both_pairs_and_the_questions_stay_as_published(tmp_path: Path, folder: Path) -> None:
    result = import_mmvp(tmp_path / "s", folder)
    benchmark = benchmarks.read(result.folder)
    named = {question.question_id: question for question in benchmark.questions}
    said = {named[one.question_id].source_id: one.action for one in benchmark.errata()}
    assert said == {"MMVP:279": "swap", "MMVP:280": "swap", "MMVP:99": "drop", "MMVP:100": "drop"}
    answers = {question.source_id: question.answer for question in benchmark.questions}
    assert [answers[f"MMVP:{number}"] for number in (99, 100, 279, 280)] == [0, 1, 0, 1]
    assert validate(result.folder).problems == ()
    sheet = (result.folder / "DATASHEET.md").read_text()
    assert "| MMVP:279 | swap |" in sheet
    assert "For 150 of 150 pairs" in sheet


def test_case_and_spaces_do_not_matter(tmp_path: Path, folder: Path) -> None:
    rows = drawn.rows_of(300)
    for row in rows[98:100]:
        row[1:3] = [TUSKS.upper().replace(" ", "  "), "(a) long (b)  SHORT"]
    drawn.write_table(folder / "Questions.csv", rows)
    assert import_mmvp(tmp_path / "s", folder).n_errata == 4


@pytest.mark.parametrize(
    ("numbers", "values", "said"),
    [
        # As re-hosted, with the answers corrected: swapping them again would undo it.
        ((279, 280), {279: {3: "(b)"}, 280: {3: "(a)"}}, "Number 279 .* with the answer 'Sitting'.*'Standing'"),
        ((99, 100), {99: {3: "(b)"}, 100: {3: "(a)"}}, "Number 99 .* with the answer 'Short'"),
        # Corrected by turning the options round.
        ((99, 100), {99: {2: "(a) Short (b) Long"}, 100: {2: "(a) Short (b) Long"}}, "Number 99 .* answer 'Short'"),
        # Others in the same layout.
        ((99, 100), {99: {1: "Is it wet?"}, 100: {1: "Is it wet?"}}, "Number 99 is 'Is it wet"),
    ],
)
def test_other_answers_or_texts_under_the_numbers_are_refused(
    tmp_path: Path, folder: Path, numbers: tuple[int, int], values: dict[int, dict[int, str]], said: str
) -> None:
    rows = drawn.rows_of(300)
    for number in numbers:
        for column, value in values[number].items():
            rows[number - 1][column] = value
    drawn.write_table(folder / "Questions.csv", rows)
    with pytest.raises(SourceError, match=f"{said}.*corrected already or are others.*--errata none"):
        import_mmvp(tmp_path / "s", folder)
    assert not (tmp_path / "s" / "benchmarks").exists()
    result = import_mmvp(tmp_path / "s", folder, errata="none")
    assert result.n_errata == 0
    assert not (result.folder / "errata.jsonl").exists()


def test_one_half_corrected_as_a_published_fix_once_did_is_refused(tmp_path: Path, folder: Path) -> None:
    """The fix took 99 and 279 for places from 0, so it changed the numbers 100 and 280 alone."""
    rows = drawn.rows_of(300)
    for number in (100, 280):
        rows[number - 1][3] = "(a)"
    drawn.write_table(folder / "Questions.csv", rows)
    for errata in ("known", "none"):
        with pytest.raises(SourceError, match="the same answer for 99 and 100"):
            import_mmvp(tmp_path / "s", folder, errata=errata)


@pytest.mark.parametrize(("count", "expected"), [(98, 0), (100, 2), (278, 2), (280, 4)])
def test_a_beginning_of_mmvp_has_the_errata_of_its_numbers(tmp_path: Path, count: int, expected: int) -> None:
    assert import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "in", count)).n_errata == expected
