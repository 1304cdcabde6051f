"""Drafts: what a model proposes is kept as it is, and never becomes a question by itself."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from snellen.benchmark import build
from snellen.errors import Incomplete, StudyError, UsageError
from snellen.exam.draft_reply import PROMPT_SHA256, read_reply
from snellen.exam.drafts import read_drafts
from snellen.exam.side_by_side import GAP, HEAD, HEIGHT, side_by_side
from snellen.exam.verb_draft import draft
from snellen.records import Ask
from tests.exam.fakes import Fake
from tests.report.test_report import study_of

GOOD: dict[str, Any] = {
    "difference": "The dog looks left in one, right in the other.",
    "question": "Which way does the dog look?",
    "options": ["left", "right"],
    "answer_1": "right",
    "answer_2": "left",
    "patterns": ["orientation"],
    "statement_1": "a dog that looks right",
    "statement_2": "a dog that looks left",
}


def reply(**changes: Any) -> str:
    return json.dumps(GOOD | changes)


@pytest.mark.parametrize(
    "text",
    [
        reply(),
        f"```json\n{json.dumps(GOOD, indent=1)}\n```",
        f"<think>image 1 ... </think>\n\n{reply()}\n",
    ],
)
def test_a_whole_reply_is_a_draft(text: str) -> None:
    found = read_reply(text)
    assert found.problems == ()
    assert found.fields == {
        "difference": GOOD["difference"],
        "question": GOOD["question"],
        "options": ("left", "right"),
        "answer_a": 1,
        "answer_b": 0,
        "patterns": ("orientation",),
        "statement_a": GOOD["statement_1"],
        "statement_b": GOOD["statement_2"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I see two dogs.", "is not JSON"),
        (f"Here it is: {reply()}", "is not JSON"),
        ("[1]", "not an object"),
        (reply(answer_1="Right"), "none of the options"),
        (reply(answer_2="right"), "the same answer"),
        (reply(options=["left", "Left "]), "offers the same twice"),
        (reply(options=["left"]), "not a list of two"),
        (reply(patterns=["mood"]), "orientation, presence"),
        (reply(patterns=[]), "orientation, presence"),
        (reply(statement_2=GOOD["statement_1"]), "the same statement"),
        (reply(question=" "), "is blank"),
        (reply(extra=1), "is not known"),
        (reply().replace('"difference"', '"question"', 1), "twice"),
        ("<think>endless", "breaks off"),
        ("", "is empty"),
    ],
)
def test_anything_else_is_a_problem_and_not_repaired(text: str, said: str) -> None:
    found = read_reply(text)
    assert any(said in problem for problem in found.problems), found.problems


def test_drafts_are_kept_with_what_is_wrong_with_them(tmp_path: Path) -> None:
    study = study_of(tmp_path, 12)
    pairs = {pair["pair_id"]: pair for pair in pq.read_table(study / "pairs.parquet").to_pylist()}
    gap = sorted(pairs.values(), key=lambda pair: pair["reference_cosine"] - pair["blind_cosine"])[:4]
    bad = gap[1]["pair_id"]
    model = Fake(lambda ask: "no" if ask.question_id == bad else reply())
    result = draft(study, model=model, pairs=4)
    assert (result.drafts, result.new, result.usable) == (4, 4, 3)
    found = {one.pair_id: one for one in read_drafts(result.path)}
    assert set(found) == {pair["pair_id"] for pair in gap}
    for name, one in found.items():
        assert (one.image_a, one.image_b) == (pairs[name]["image_a"], pairs[name]["image_b"])
        assert one.blind_cosine == pairs[name]["blind_cosine"]
        assert (one.drafted_by, one.prompt, one.prompt_sha256) == ("openai/fake", "draft@1", PROMPT_SHA256)
        assert one.usable == (name != bad)
    assert (found[bad].raw, found[bad].question, found[bad].patterns) == ("no", None, ())
    for ask in model.asked:
        assert ask.image is not None
        with Image.open(BytesIO(ask.image)) as shown:
            assert shown.height == HEAD + HEIGHT or shown.width > HEIGHT
    again = Fake(lambda _: reply())
    assert draft(study, model=again, pairs=5).new == 1
    assert len(again.asked) == 1
    other = Fake(lambda _: reply(), name="openai/other")
    assert draft(study, model=other, pairs=2).drafts == 2
    assert len(list(read_drafts(result.path))) == 7


def test_nothing_of_a_draft_enters_a_benchmark(tmp_path: Path) -> None:
    study = study_of(tmp_path, 12)
    path = draft(study, model=Fake(lambda _: reply()), pairs=3).path
    with pytest.raises(StudyError, match=r"accepted\.jsonl cannot be read"):
        build(study)
    with pytest.raises(StudyError, match=r"drafts\.jsonl, line 1, has the field 'prompt', which is not known"):
        build(study, accepted=path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:  # even where somebody takes away what an accepted pair has not got
        for name in ("prompt", "prompt_sha256", "raw", "problems"):
            del line[name]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(StudyError, match="line 1, has no field decided_by"):
        build(study, accepted=path)


def test_what_fails_is_asked_again(tmp_path: Path) -> None:
    study = study_of(tmp_path, 12)
    with pytest.raises(Incomplete, match=r"3 of 3 pairs have no draft: the line was cut"):
        draft(study, model=Fake(lambda _: None), pairs=3)
    stopping = Fake(lambda _: reply(), stop_after=1, stop_with=Incomplete("the budget is spent."))
    with pytest.raises(Incomplete, match=r"2 of 3 pairs have no draft: the budget is spent;"):
        draft(study, model=stopping, pairs=3)
    assert draft(study, model=Fake(lambda _: reply()), pairs=3).new == 2
    with pytest.raises(UsageError, match="give a number from 1"):
        draft(study, model=Fake(lambda _: reply()), pairs=0)


def test_an_image_that_is_gone_is_named(tmp_path: Path) -> None:
    study = study_of(tmp_path, 12)
    for path in sorted((tmp_path / "scenes").iterdir())[::2]:
        path.unlink()
    with pytest.raises(StudyError, match=r"(no longer in the source|cannot be read any more)"):
        draft(study, model=Fake(lambda _: reply()), pairs=6)


def test_the_first_picture_is_at_the_left() -> None:
    red, blue = Image.new("RGB", (100, 200), "red"), Image.new("RGB", (400, 100), "blue")
    with Image.open(BytesIO(side_by_side(red, blue))) as page:
        wide = 2 * HEIGHT  # the second would be 2048 pixels wide, and is held at twice the height
        assert page.size == (HEIGHT // 2 + GAP + wide, HEAD + HEIGHT)
        assert page.getpixel((10, HEAD + 10)) == (255, 0, 0)
        assert page.getpixel((HEIGHT // 2 + GAP + 10, HEAD + 10)) == (0, 0, 255)
        assert page.getpixel((HEIGHT // 2 + 5, HEAD + 10)) == (255, 255, 255)


def test_the_model_sees_one_question_at_a_time(tmp_path: Path) -> None:
    study, seen = study_of(tmp_path, 12), []

    def say(ask: Ask) -> str:
        seen.append((ask.control, ask.order, ask.letters))
        return reply()

    draft(study, model=Fake(say), pairs=2)
    assert seen == [("none", "ab", None)] * 2
