"""Benchmarks and scores on the page, against the files."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from snellen import benchmarks
from snellen.benchmark.verb_import_items import import_pope
from snellen.errors import StudyError
from snellen.exam import ask, grade
from snellen.report import report
from snellen.stats import wilson_interval
from tests.exam.fakes import Fake
from tests.report.exam_study import add_run, with_benchmark
from tests.report.test_report import HOSTILE, outline, study_of
from tests.test_itemsets import pope_files


def text_of(study: Path) -> str:
    report(study)
    return " ".join(outline(study).text.split())


def questions_of(study: Path) -> list[str]:
    return sorted(one.question_id for one in benchmarks.read(study / "benchmarks/blind-pairs").questions)


def test_without_benchmarks_and_runs_the_page_says_nothing_of_them(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    text = text_of(study)
    assert "Exam" not in text
    assert "Benchmarks" not in text
    assert "accuracy" not in text


def test_scores_stand_with_their_chance_interval_and_n(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    asked = questions_of(study)
    n = len(asked) // 2
    # One question of the first pair wrong, both of the second unparsed; everything else right.
    add_run(study, "world/clip-fed", {asked[0]: "wrong", asked[2]: "what", asked[3]: "what"})
    text = text_of(study)
    low, high = (f"{100 * bound:.1f}" for bound in wilson_interval(n - 2, n))
    row = text[text.index("world/clip-fed") :]
    assert f"{100 * (n - 2) / n:.1f} % {low} to {high} %; n = {n}" in row
    assert f"{100 * (2 * n - 3) / (2 * n):.1f} %" in row
    assert f"{100 / (n - 1):.1f} %" in row  # the same answer twice in one of the pairs that could be read
    assert re.search(rf"\b2 ?of {2 * n}\b", row)
    header = text[text.index("pair accuracy") : text.index("world/clip-fed")]
    assert "both questions right; chance 25 %" in header
    assert "question accuracy chance 50 %" in header.replace("accuracychance", "accuracy chance")
    assert "chosen by one encoder" in text


def test_a_benchmark_is_listed_with_its_hash_and_licence(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    benchmark = benchmarks.read(study / "benchmarks/blind-pairs")
    text = text_of(study)
    assert benchmark.content_sha256 in text
    assert "CC0-1.0" in text
    assert "Exam" not in text  # nobody was asked


def test_every_visual_pattern_has_its_own_scores_folded(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    add_run(study, "one", {})
    text = text_of(study)
    page = outline(study)
    assert len(page.all("details")) == 1
    assert "open" not in page.all("details")[0]
    folded = text[text.index("By visual pattern") :]
    for pattern in ("orientation", "color", "count"):
        assert re.search(rf"{pattern} tagged by accepted one", folded)


def test_a_pair_shows_its_question_the_true_answers_and_who_had_both_right(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    pair = json.loads((study / "accepted.jsonl").read_text().splitlines()[0])
    add_run(study, "sees", {})
    add_run(study, "half-sees", {f"{pair['pair_id']}-a": "wrong"})
    add_run(study, "guesses", {f"{pair['pair_id']}-b": "(a) or (b)"})
    report(study)
    html = (study / "report.html").read_text()
    card = html[html.index(f'id="pair-{pair["pair_id"]}"') :]
    card = " ".join(re.sub(r"<[^>]+>", " ", card[: card.index("</li>")]).split())
    assert "Which way does the dog look?" in card
    # image_a comes first, as in the pair, whatever slot the lots gave it
    assert "answer to the left answer to the right" in card
    assert "both right: sees (1 of 3)" in card


def test_answers_follow_the_pictures_and_not_the_slots(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    slots = {one.image_id: one.slot for one in benchmarks.read(study / "benchmarks/blind-pairs").questions}
    firsts = {slots[json.loads(line)["image_a"]] for line in (study / "accepted.jsonl").read_text().splitlines()}
    assert firsts == {"a", "b"}  # both ways are there, so that the count below says something
    report(study)
    pairs = len(outline(study).all("li"))
    html = re.sub(r"<[^>]+>", " ", (study / "report.html").read_text())
    assert len(re.findall(r"answer\s+to the left\s+answer\s+to the right", html)) == pairs


def test_several_runs_of_one_model_are_told_apart(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    first = add_run(study, "twin", {})
    second = first.with_name("twin--other--abcdef12")
    first.rename(second)
    manifest = second.with_name("twin--other--abcdef12.manifest.json")
    moved = json.loads(first.with_name(f"{first.name}.manifest.json").read_text())
    moved["outputs"] = {path.replace(first.name, second.name): digest for path, digest in moved["outputs"].items()}
    manifest.write_text(json.dumps(moved))
    add_run(study, "twin", {})
    assert "twin (abcdef12)" in text_of(study)


def test_a_run_on_a_benchmark_that_is_not_here_is_said_to_be(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    add_run(study, "one", {}, benchmark="blind-pairs")
    assert "is not in this study" not in text_of(study)
    add_run(study, "elsewhere", {}, header={"benchmark": {"name": "far-away", "content_sha256": "9" * 64}})
    text = text_of(study)
    assert "far-away is not in this study" in text
    assert "(1 of 1)" in text  # of the pair's own benchmark


def test_what_is_unfinished_is_named_and_not_shown(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    run = add_run(study, "one", {})
    run.with_name(f"{run.name}.manifest.json").unlink()
    (study / "benchmarks/half").mkdir()
    (study / "benchmarks/half/questions.jsonl").write_text("")
    (study / "benchmarks/half.plan.json").write_text("{}")
    text = text_of(study)
    assert f"Unfinished, and not shown: {run.name}, half." in text
    assert "Exam" not in text


@pytest.mark.parametrize("name", ["benchmarks/blind-pairs/questions.jsonl", "scores.json"])
def test_damaged_benchmarks_and_runs_are_refused(tmp_path: Path, name: str) -> None:
    study = with_benchmark(tmp_path)
    path = add_run(study, "one", {}) / name if name == "scores.json" else study / name
    path.write_bytes(path.read_bytes().replace(b"pair", b"pear", 1))
    with pytest.raises(StudyError):
        report(study)


def test_the_manifest_names_benchmarks_and_runs_and_equal_studies_give_equal_pages(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        study = with_benchmark(tmp_path / name)
        run = add_run(study, "model", {})
        report(study)
        pages.append((study / "report.html").read_bytes())
    assert pages[0] == pages[1]
    inputs = json.loads((study / "report.html.manifest.json").read_text())["inputs"]
    for path in (
        *(study / "benchmarks/blind-pairs" / name for name in ("benchmark.json", "questions.jsonl")),
        *(run / name for name in ("run.json", "grades.jsonl", "scores.json")),
    ):
        assert inputs[path.relative_to(study).as_posix()] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_hostile_questions_models_and_patterns_are_text(tmp_path: Path) -> None:
    study = with_benchmark(
        tmp_path,
        question=HOSTILE,
        options=(f"one {HOSTILE}", f"other {HOSTILE}"),
        patterns=(HOSTILE,),
        decided_by=(HOSTILE,),
    )
    add_run(study, HOSTILE, {})
    report(study)
    page = outline(study)
    assert len(page.all("script")) == 1
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(str(image["src"]).startswith("data:image/") for image in page.all("img"))
    assert page.text.count("<script>alert(1)</script>") > 3
    assert "{{ 7 * 7 }}" in page.text


def test_item_sets_are_named_and_have_no_table(tmp_path: Path) -> None:
    study = with_benchmark(tmp_path)
    files = pope_files(tmp_path / "pope")
    import_pope(study, files, images=tmp_path / "pope" / "images", name="my-pope")
    grade(study, ask(study, itemset="my-pope", model=Fake(lambda _: "yes")).folder)
    report(study)
    page = (study / "report.html").read_text("utf-8")
    assert "come in no pairs: <bdi>my-pope</bdi>" in " ".join(page.split())
    assert 'id="exam"' not in page
