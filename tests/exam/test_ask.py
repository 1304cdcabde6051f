"""Asking: every question once in every sitting, each answer on disk as it comes, nothing mixed, nothing lost."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from snellen import benchmarks
from snellen.errors import Incomplete, ModelError, StorageError, StudyError, UsageError
from snellen.exam import ask
from snellen.mllms.base import Decoding
from snellen.profiles import PROFILES, profile_named, prompt
from snellen.records import Ask, Question
from snellen.runs import read_header, read_responses
from snellen.study import Study
from tests.exam.fakes import Fake
from tests.test_benchmarks import lines_of, seal, write_benchmark, write_lines


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_benchmark(tmp_path / "s" / "benchmarks" / "made", 4)
    return tmp_path / "s"


def first(_: Ask) -> str:
    return "A"


def responses_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "responses.jsonl").read_text().splitlines()]


def test_every_question_is_asked_once_with_its_own_image(study: Path) -> None:
    model = Fake(first)
    result = ask(study, benchmark="made", model=model)
    made = benchmarks.read(study / "benchmarks" / "made")
    assert [one.question_id for one in model.asked] == [one.question_id for one in made.questions]
    for asked, question in zip(model.asked, made.questions, strict=True):
        assert asked.image == (made.folder / question.image).read_bytes()
        assert asked.letters == ("A", "B")
        assert asked.prompt == "Which?\nA. one\nB. other\nAnswer with one letter, A or B, and nothing else."
    assert (result.answers, result.new, result.tokens_in, result.cost_usd) == (8, 8, 80, None)
    assert [one["question_id"] for one in responses_of(result.folder)] == [one.question_id for one in made.questions]
    header = json.loads((result.folder / "run.json").read_text())
    assert header["benchmark"] == {"name": "made", "content_sha256": made.content_sha256}
    assert (header["profile"], header["kind"], header["sittings"]) == ("letter@1", "mllm", [["ab", 0, "none", ""]])
    assert header["decoding"] == {"temperature": 0.0, "max_tokens": 1024, "seed": 0}


def test_wordings_are_those_that_are_published() -> None:
    """Written out by hand; a profile that changes must get another version."""
    asked = Question("q-a", "q", "a", "i", "i", "Is it {up}?", ("Up", "Down"), 0)
    worded = {name: prompt(profile, asked, "ab") for name, profile in PROFILES.items()}
    assert worded == {
        "letter": "Is it {up}?\nA. Up\nB. Down\nAnswer with one letter, A or B, and nothing else.",
        "official": "Is it {up}? (a) Up (b) Down",
        "lmms-eval": "Is it {up}?\nA. Up\nB. Down\nAnswer with the option's letter from the given choices directly.",
        "vlmevalkit": "Question: Is it {up}?\nOptions:\nA. Up\nB. Down\n"
        "Please select the correct answer from the options above. \n",
    }
    assert {profile.version for profile in PROFILES.values()} == {1}
    assert prompt(PROFILES["official"], asked, "ba") == "Is it {up}? (a) Down (b) Up"
    with pytest.raises(UsageError, match=r"letter@1 .*official@1"):
        profile_named("letter@2")


def test_all_sittings(study: Path) -> None:
    model = Fake(first)
    result = ask(
        study,
        benchmark="made",
        model=model,
        both_orders=True,
        repeats=2,
        variants=["crop-0", "jpeg-3"],
        controls=["no_image", "blank_image"],
    )
    keys = {one.key for one in model.asked}
    sittings = {key[1:] for key in keys}
    assert len(model.asked) == len(keys) == 8 * len(sittings) == result.answers
    assert sittings == {
        *((order, repeat, "none", "") for order in ("ab", "ba") for repeat in (0, 1)),
        *((order, 0, "none", variant) for order in ("ab", "ba") for variant in ("crop-0", "jpeg-3")),
        *((order, 0, control, "") for order in ("ab", "ba") for control in ("no_image", "blank_image")),
    }
    for one in model.asked:
        assert one.prompt.startswith("Which?\nA. one\nB. other" if one.order == "ab" else "Which?\nA. other\nB. one")
        assert (one.image is None) == (one.control == "no_image")
        if one.control == "blank_image":
            assert one.image is not None
            with Image.open(BytesIO(one.image)) as blank:
                assert blank.convert("RGB").getcolors() == [(blank.width * blank.height, (127, 127, 127))]


def test_more_sittings_are_added_to_the_run_and_nothing_is_asked_twice(study: Path) -> None:
    one, more, same = Fake(first), Fake(first), Fake(first)
    run = ask(study, benchmark="made", model=one).folder
    result = ask(study, benchmark="made", model=more, both_orders=True)
    assert (result.folder, result.new, result.answers) == (run, 8, 16)
    assert {asked.order for asked in more.asked} == {"ba"}
    assert ask(study, benchmark="made", model=same).answers == 16  # the run keeps its sittings
    assert not same.asked


def test_another_setting_is_another_run(study: Path) -> None:
    write_benchmark(study / "benchmarks" / "other", 3)
    runs = {
        ask(study, benchmark=benchmark, model=Fake(first, name=name, fingerprint=print_ * 64, decoding=decoding),
            profile=profile).folder.name
        for benchmark in ("made", "other")
        for name, print_ in (("openai/x", "1"), ("openai/y", "1"), ("openai/x", "2"))
        for decoding in (Decoding(), Decoding(temperature=1))
        for profile in ("letter", "official")
    }  # fmt: skip
    assert len(runs) == 2 * 3 * 2 * 2


def test_a_changed_benchmark_of_the_same_name_is_another_run(study: Path) -> None:
    old = ask(study, benchmark="made", model=Fake(first)).folder
    made = study / "benchmarks" / "made"
    write_lines(made, [line | {"text": "What?"} for line in lines_of(made)])
    seal(made, n_pairs=4)
    model = Fake(first)
    assert ask(study, benchmark="made", model=model).folder != old
    assert len(model.asked) == 8


def test_what_fails_is_asked_again_and_every_answer_stays(study: Path) -> None:
    made = benchmarks.read(study / "benchmarks" / "made")
    bad = {one.question_id for one in made.questions[2:5]}
    broken = Fake(lambda ask: None if ask.question_id in bad else "A")
    with pytest.raises(Incomplete, match=r"3 of 8 answers are missing: 3 ended in 'the line was cut'") as raised:
        ask(study, benchmark="made", model=broken)
    assert raised.value.exit_code == 3
    mended = Fake(first)
    result = ask(study, benchmark="made", model=mended)
    assert {one.question_id for one in mended.asked} == bad
    lines = responses_of(result.folder)
    assert len(lines) == 11  # the errors stay in the log
    assert {one.text for one in read_responses(result.folder / "responses.jsonl").values()} == {"A"}


def test_an_engine_that_stops_early_loses_nothing(study: Path) -> None:
    stopping = Fake(first, stop_after=3, stop_with=Incomplete("the budget of 1.00 USD is spent."))
    with pytest.raises(Incomplete, match=r"5 of 8 answers are missing: the budget of 1\.00 USD is spent;"):
        ask(study, benchmark="made", model=stopping)
    with pytest.raises(ModelError, match="wrong key"):
        ask(study, benchmark="made", model=Fake(first, stop_after=2, stop_with=ModelError("wrong key")))
    rest = Fake(first)
    assert ask(study, benchmark="made", model=rest).answers == 8
    assert len(rest.asked) == 3


def test_a_cut_line_is_taken_off_and_its_question_asked_again(study: Path) -> None:
    run = ask(study, benchmark="made", model=Fake(first)).folder
    log = run / "responses.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    for left in (b"".join(lines[:3]) + lines[3][:40], b"", lines[0][:-1]):  # as kills leave it
        log.write_bytes(left)
        ask(study, benchmark="made", model=Fake(first))
        assert log.read_bytes().startswith(left[: left.rfind(b"\n") + 1])
        assert sorted(one["question_id"] for one in responses_of(run)) == sorted(
            json.loads(line)["question_id"] for line in lines
        )


def test_a_damaged_line_is_named_and_never_skipped(study: Path) -> None:
    log = ask(study, benchmark="made", model=Fake(first)).folder / "responses.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], b'{"question_id": "x"}\n', *lines[1:]]))
    with pytest.raises(StudyError, match=r"responses\.jsonl, line 2, has no field order"):
        ask(study, benchmark="made", model=Fake(first))


def test_an_image_that_vanishes_meanwhile_costs_no_answer(study: Path) -> None:
    made = benchmarks.read(study / "benchmarks" / "made")
    gone = made.questions[5].image

    def say(ask: Ask) -> str:
        (made.folder / gone).unlink(missing_ok=True)
        return "A"

    with pytest.raises(StudyError, match=f"{gone} is missing"):
        ask(study, benchmark="made", model=Fake(say))
    [run] = (study / "runs").glob("*/")
    assert len(responses_of(run)) == 5
    with pytest.raises(StudyError, match=f"{gone} is missing"):  # before anybody is asked
        ask(study, benchmark="made", model=Fake(first))


def test_answers_of_two_versions_of_the_library_are_not_mixed(study: Path) -> None:
    def model(torch: str, **options: Any) -> Fake:
        return Fake(first, software={"torch": torch, "openai": torch}, **options)

    with pytest.raises(Incomplete):
        ask(study, benchmark="made", model=model("1", stop_after=4, stop_with=Incomplete("x")))
    with pytest.raises(StudyError, match="torch 1, now 2"):
        ask(study, benchmark="made", model=model("2"))
    run = ask(study, benchmark="made", model=model("1")).folder
    assert ask(study, benchmark="made", model=model("2")).folder == run  # nothing is asked, so nothing is mixed
    assert read_header(run / "run.json").software["torch"] == "1"


def test_what_cannot_be_asked(study: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no benchmark 'nothing' .*there are made"):
        ask(study, benchmark="nothing", model=Fake(first))
    with pytest.raises(UsageError, match=r"no benchmark 'made' .*snellen build"):
        ask(tmp_path / "empty", benchmark="made", model=Fake(first))
    assert not (tmp_path / "empty").exists()
    for options, said in (
        ({"variants": ["flip-0"]}, "crop, pad, resize, jpeg"),
        ({"variants": ["crop-0", "crop-0"]}, "twice"),
        ({"repeats": 0}, "below 1"),
        ({"profile": "free"}, "letter@1"),
    ):
        with pytest.raises(UsageError, match=said):
            ask(study, benchmark="made", model=Fake(first), **options)
    made = study / "benchmarks" / "made"
    statement = {"text": None, "options": None, "answer": None}
    write_lines(made, [line | statement | {"statement": f"Dog {at}."} for at, line in enumerate(lines_of(made))])
    seal(made, n_pairs=4)
    with pytest.raises(UsageError, match="statements only"):
        ask(study, benchmark="made", model=Fake(first))


def test_two_do_not_write_to_one_run_but_two_runs_go_side_by_side(study: Path) -> None:
    run = ask(study, benchmark="made", model=Fake(first)).folder

    def say(_: Ask) -> str:
        with Study(study).lock():  # whatever else the study is used for
            ask(study, benchmark="made", model=Fake(first, name="openai/other"))
        return "A"

    (run / "responses.jsonl").unlink()
    with Study(study).lock_run(run), pytest.raises(StorageError, match="asking or grading"):
        ask(study, benchmark="made", model=Fake(first))
    ask(study, benchmark="made", model=Fake(say))
    assert len(list((study / "runs").glob("*/run.json"))) == 2


def test_variants_keep_what_is_asked_about(study: Path) -> None:
    """Same picture within a few pixels: what is done to it is small, and the same every time."""
    import numpy as np

    seen: dict[str, list[bytes]] = {}

    def say(ask: Ask) -> str:
        assert ask.image is not None
        seen.setdefault(ask.variant, []).append(ask.image)
        return "A"

    names = ["crop-0", "pad-0", "resize-0", "jpeg-0", "crop-1"]
    ask(study, benchmark="made", model=Fake(say), variants=names)
    ask(study, benchmark="made", model=Fake(say, name="openai/again"), variants=names)
    for name in names:
        assert seen[name][:8] == seen[name][8:]
        assert seen[name][:8] != seen[""][:8]
        for plain, changed in zip(seen[""][:8], seen[name][:8], strict=True):
            pictures = [Image.open(BytesIO(one)).convert("RGB").resize((16, 16)) for one in (plain, changed)]
            one, other = (np.asarray(each, dtype=float)[2:-2, 2:-2] for each in pictures)
            assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.8 or one.std() < 3
    assert seen["crop-0"] != seen["crop-1"]
