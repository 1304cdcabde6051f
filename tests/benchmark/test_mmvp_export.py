"""Benchmarks in MMVP's layouts, read by the csv module, by the rules of the official scripts, and by the import."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from snellen import benchmarks, jsonl, storage
from snellen.benchmark import build, export_mmvp, export_mmvp_vlm, import_mmvp, import_mmvp_vlm, mmvp
from snellen.benchmarks import content_sha256
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad
from snellen.records import Question
from tests.accepted_pairs import study_with_pairs
from tests.benchmark import mmvp_drawn as drawn


def table_of(folder: Path) -> list[list[str]]:
    with (folder / "Questions.csv").open(newline="") as file:
        return list(csv.reader(file, strict=True))


def images_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jpg")}


def asked(folder: Path, **changes: object) -> dict[str, Question]:
    return {one.question_id: replace(one, **changes) for one in benchmarks.read(folder).questions}  # type: ignore[arg-type]


def test_mmvp_comes_out_as_it_went_in(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "MMVP", 300)
    export_mmvp(import_mmvp(tmp_path / "s", folder).folder, tmp_path / "out")
    assert (tmp_path / "out" / "Questions.csv").read_bytes() == (folder / "Questions.csv").read_bytes()
    assert images_of(tmp_path / "out") == images_of(folder)


def test_mmvp_vlm_comes_out_as_it_went_in(tmp_path: Path) -> None:
    folder = drawn.mmvp_vlm(tmp_path / "in", 2, types=[*drawn.TYPES[3:], *drawn.TYPES[:3]])
    export_mmvp_vlm(import_mmvp_vlm(tmp_path / "s", folder).folder, tmp_path / "out")
    assert (tmp_path / "out" / "Questions.csv").read_bytes() == (folder / "Questions.csv").read_bytes()
    assert images_of(tmp_path / "out") == images_of(folder)


def test_a_built_benchmark_goes_out_and_comes_back(tmp_path: Path) -> None:
    built = build(study_with_pairs(tmp_path, 6), option_seed=3).folder
    result = export_mmvp(built, tmp_path / "out")
    assert (result.n_pairs, len(table_of(tmp_path / "out"))) == (6, 13)
    back = import_mmvp(tmp_path / "other", tmp_path / "out").folder
    assert asked(back, source_id=None) == asked(built, statement=None)


def test_the_official_script_would_find_everything(tmp_path: Path) -> None:
    """It opens the row's number plus one, asks Question, a space and Options, and pairs two rows by their place."""
    built = build(study_with_pairs(tmp_path, 6), option_seed=3).folder
    export_mmvp(built, tmp_path / "out")
    by_image = {one.image_id: one for one in benchmarks.read(built).questions}
    with (tmp_path / "out" / "Questions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for at, row in enumerate(rows):
        path = tmp_path / "out" / "MMVP Images" / f"{at + 1}.jpg"
        question = by_image[sha256(path.read_bytes()).hexdigest()]
        with Image.open(path) as image:  # a PNG by its content, whatever its name says
            assert image.format == "PNG"
        assert question.options is not None
        prompt = row["Question"] + " " + row["Options"]
        assert prompt == f"{question.text} (a) {question.options[0]} (b) {question.options[1]}"
        assert row["Correct Answer"] == ("(a)", "(b)")[question.answer or 0]
        assert row["Index"] == str(at + 1)
        assert by_image[
            sha256((path.with_name(f"{at + 1 + (1, -1)[at % 2]}.jpg")).read_bytes()).hexdigest()
        ].pair_id == (question.pair_id)


def test_statements_go_out_pattern_by_pattern(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path, 6)
    lines = [json.loads(line) for line in (study / "accepted.jsonl").read_text().splitlines()]
    for line, pattern in zip(lines, ("viewpoint", "count", "structure", "count", "position", "viewpoint"), strict=True):
        line["patterns"] = [pattern]
    (study / "accepted.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    built = build(study, option_seed=3).folder
    export_mmvp_vlm(built, tmp_path / "out")
    types = [row[1] for row in table_of(tmp_path / "out")[1:]]
    assert types == [
        name
        for name in (
            "Quantity",
            "Quantity",
            "Spatial",
            "Structural Character",
            "Camera Perspective",
            "Camera Perspective",
        )
        for _ in "ab"
    ]
    back = import_mmvp_vlm(tmp_path / "other", tmp_path / "out").folder
    assert asked(back, source_id=None) == asked(built, text=None, options=None, answer=None)
    tags = {one.question_id: one.patterns for one in benchmarks.read(built).tags()}
    assert {one.question_id: one.patterns for one in benchmarks.read(back).tags()} == tags


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.text('(ab) ",\n', min_size=1)


@settings(deadline=None)
@given(st.tuples(TEXT, TEXT))
def test_options_that_are_written_come_back(options: tuple[str, str]) -> None:
    try:
        text = mmvp.options_text(options)
    except Bad:
        return
    assert mmvp.options_of(text) == options


def rewrite(folder: Path, change: Callable[[Question], Question]) -> None:
    """Make another benchmark of one, valid by its hashes."""
    questions = [change(one) for one in benchmarks.read(folder).questions]
    lines = jsonl.lines_of(questions)
    (folder / "questions.jsonl").write_bytes(lines)
    header = json.loads((folder / "benchmark.json").read_text())
    header["content_sha256"] = content_sha256(sha256(lines).hexdigest(), {one.image: one.image_id for one in questions})
    storage.write_json(folder / "benchmark.json", header)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"options": ("plan (a)", "plan (b)")}, "do not survive in the form"),
        ({"options": (" left", "right")}, "do not survive in the form"),
        ({"text": "What? "}, "would be lost"),
        ({"text": "What?\rThis"}, "would be lost"),
        ({"text": None, "options": None, "answer": None}, "no text and options.*mmvp-vlm"),
    ],
)
def test_what_would_not_survive_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    built = build(study_with_pairs(tmp_path)).folder
    rewrite(built, lambda one: replace(one, **changes))  # type: ignore[arg-type]
    with pytest.raises(StudyError, match=said):
        export_mmvp(built, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["Two\nlines, and a comma", '"Quoted"', "a  b", "Ça va – 犬?", '"', 'a "b", c'])
def test_what_survives_survives(tmp_path: Path, text: str) -> None:
    built = build(study_with_pairs(tmp_path)).folder
    rewrite(built, lambda one: replace(one, text=text, options=(f"{text} one", f"({text})")))
    export_mmvp(built, tmp_path / "out")
    back = import_mmvp(tmp_path / "other", tmp_path / "out").folder
    assert asked(back, source_id=None) == asked(built, statement=None)


def test_patterns_are_needed_one_for_each_pair(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path, patterns=("count", "color"))
    with pytest.raises(StudyError, match=r"the patterns .*count.* needs one for both"):
        export_mmvp_vlm(build(study, name="two").folder, tmp_path / "out")
    study = study_with_pairs(tmp_path, patterns=("vehicles",))
    with pytest.raises(StudyError, match="needs one for both questions, of orientation"):
        export_mmvp_vlm(build(study, name="other").folder, tmp_path / "out")
    study = study_with_pairs(tmp_path, patterns=())
    with pytest.raises(UsageError, match="has no tags"):
        export_mmvp_vlm(build(study, name="none").folder, tmp_path / "out")
    study = study_with_pairs(tmp_path, statement_a=None, statement_b=None)
    with pytest.raises(StudyError, match=r"no statement.*export it as mmvp"):
        export_mmvp_vlm(build(study, name="mute").folder, tmp_path / "out")


def test_a_tagset_is_named_where_there_are_two(tmp_path: Path) -> None:
    folder = import_mmvp_vlm(tmp_path / "s", drawn.mmvp_vlm(tmp_path / "in")).folder
    tags = benchmarks.read(folder).tags()
    more = [replace(tag, tagset="ours", patterns=("color",)) for tag in tags]
    (folder / "tags.jsonl").write_bytes(jsonl.lines_of([*tags, *more]))
    with pytest.raises(UsageError, match=r"the tagsets 'mmvp-vlm', 'ours'.*--tagset"):
        export_mmvp_vlm(folder, tmp_path / "out")
    with pytest.raises(UsageError, match="the tagsets"):
        export_mmvp_vlm(folder, tmp_path / "out", tagset="theirs")
    export_mmvp_vlm(folder, tmp_path / "out", tagset="ours")
    assert {row[1] for row in table_of(tmp_path / "out")[1:]} == {"Color"}


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "in", 4)).folder
    out = tmp_path / "out"
    export_mmvp(folder, out)
    export_mmvp(folder, out)  # again, and nothing changes
    (out / "Questions.csv").unlink()
    (out / "MMVP Images" / "3.jpg").unlink()  # as a kill leaves it
    (out / "MMVP Images" / "2.jpg.partial").write_bytes(b"x")
    export_mmvp(folder, out)
    assert (out / "Questions.csv").exists()
    other = import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "more", 6), name="more").folder
    with pytest.raises(UsageError, match=r"Questions\.csv', which this export would not write"):
        export_mmvp(other, out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        export_mmvp(folder, tmp_path / "mine")
    with pytest.raises(UsageError, match="is not a folder"):
        export_mmvp(folder, tmp_path / "mine" / "notes.txt")
    (tmp_path / "linked").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="is not a folder"):
        export_mmvp(folder, tmp_path / "linked")
    with pytest.raises(UsageError, match="no benchmark"):
        export_mmvp(tmp_path, tmp_path / "new")
