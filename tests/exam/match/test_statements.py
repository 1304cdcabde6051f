"""Statements for one's own benchmark: proposed by rule or model, and decided on by a person; no line is ever lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from snellen import benchmarks
from snellen.errors import Incomplete, StudyError, UsageError
from snellen.exam.match import confirm, statements
from snellen.exam.match.statement_reply import read_reply
from snellen.exam.match.words import proposed
from snellen.records import Ask, Statement
from tests.exam.fakes import Fake
from tests.exam.match.made import Made, erratum, flat, png, statement_lines, write_benchmark, write_lines

TEXTS = ("Is the dog facing left or right?", "What is odd here?", "Is there a hat on the dog?")
OPTIONS = (("Left", "Right"), ("The sky", "The road"), ("Yes", "No"))
ANSWERS = ((0, 1), (0, 1), (1, 0))
RULED = (
    ("the dog is facing left", "the dog is facing right"),
    None,
    ("there is no hat on the dog", "there is a hat on the dog"),
)


@pytest.fixture
def pairs() -> list[Made]:
    found = [
        Made(png(flat(at)), png(flat(100 + at)), text=text, options=options, answers=answers)
        for at, (text, options, answers) in enumerate(zip(TEXTS, OPTIONS, ANSWERS, strict=True))
    ]
    return found


def overlay(study: Path) -> dict[str, Statement]:
    return {one.question_id: one for one in benchmarks.read(study / "benchmarks/made").statements()}


def texts(study: Path, pair: Made) -> tuple[str, str] | None:
    found = overlay(study)
    both = [found.get(f"{pair.name}-{slot}") for slot in "ab"]
    return None if both[0] is None or both[1] is None else (both[0].statement, both[1].statement)


def test_by_rule(tmp_path: Path, pairs: list[Made]) -> None:
    own = Made(png(flat(50)), png(flat(51)), ("its own", "as published"), text=TEXTS[0], options=OPTIONS[0])
    write_benchmark(tmp_path, [*pairs, own])
    result = statements(tmp_path, "made")
    assert [texts(tmp_path, pair) for pair in pairs] == list(RULED)
    assert texts(tmp_path, own) is None
    assert {(one.by, one.confirmed) for one in overlay(tmp_path).values()} == {("rules@1", False)}
    assert (result.pairs, result.proposed, result.none, result.others) == (3, 2, 1, 0)
    said = list(proposed(result))
    assert "statements by rules@1 for 2 of 3 pairs" in said[0]
    assert said[1].startswith("  1 pairs get none: no rule fits")
    before = result.path.read_bytes()
    assert statements(tmp_path, "made") == result
    assert result.path.read_bytes() == before
    assert benchmarks.check(tmp_path / "benchmarks/made") == []


def test_a_statement_is_of_the_corrected_answer(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs, errata=[*erratum(pairs[0], "swap"), *erratum(pairs[2], "drop")])
    result = statements(tmp_path, "made")
    assert RULED[0] is not None
    assert texts(tmp_path, pairs[0]) == RULED[0][::-1]
    assert texts(tmp_path, pairs[2]) is None
    assert (result.proposed, result.dropped) == (1, 1)


def test_lines_of_others_and_confirmed_lines_stay(tmp_path: Path, pairs: list[Made]) -> None:
    lines = [
        *statement_lines(pairs[0], "ours", "theirs", by="rules@1", confirmed=True),
        *statement_lines(pairs[1], "by hand", "with care", by="hand:bob", confirmed=False)[:1],
    ]
    folder = write_benchmark(tmp_path, pairs, statements=lines)
    kept = overlay(tmp_path)
    for model in (None, Fake(lambda _: reply("x", "y"))):
        result = statements(tmp_path, "made", model=model)
        assert result.others >= 2
        assert {key: overlay(tmp_path)[key] for key in kept} == kept
    order = [one["question_id"] for one in map(json.loads, (folder / "statements.jsonl").read_text().splitlines())]
    asked = [one.question_id for one in benchmarks.read(folder).questions]
    assert order == [name for name in asked if name in order]


def reply(one: str, other: str) -> str:
    return json.dumps({"statement_1": one, "statement_2": other})


def test_by_a_model(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)

    def say(ask: Ask) -> str:
        return {
            pairs[0].name: reply("a dog that looks left", "a dog that looks right"),
            pairs[1].name: f"<think>hm</think>\n```json\n{reply('a green sky', 'a road of glass')}\n```",
            pairs[2].name: "No hat, then a hat.",
        }[ask.question_id]

    model = Fake(say)
    result = statements(tmp_path, "made", model=model)
    assert [texts(tmp_path, pair) for pair in pairs] == [
        ("a dog that looks left", "a dog that looks right"),
        ("a green sky", "a road of glass"),
        None,
    ]
    assert {(one.by, one.confirmed) for one in overlay(tmp_path).values()} == {("openai/fake", False)}
    assert (result.proposed, result.none) == (2, 1)
    prompts = {ask.question_id: ask for ask in model.asked}
    shown = prompts[pairs[2].name].prompt
    assert '"Is there a hat on the dog?"' in shown
    assert shown.index('answer for image 1: "No"') < shown.index('answer for image 2: "Yes"')
    assert all(ask.image is None and ask.letters is None for ask in model.asked)
    again = Fake(say)
    assert statements(tmp_path, "made", model=again) == result
    assert again.asked == []  # replies are kept, those that are of no use too


def test_a_model_may_be_shown_the_images(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)
    model = Fake(lambda _: reply("x", "y"))
    statements(tmp_path, "made", model=model, with_images=True)
    assert len(model.asked) == 3
    for ask in model.asked:
        assert ask.image is not None
        with Image.open(BytesIO(ask.image)) as page:
            assert page.width > 2 * 512
        assert "You see two photographs side by side" in ask.prompt


def test_what_fails_is_asked_again(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)
    cut = Fake(lambda ask: None if ask.question_id == pairs[1].name else reply("x", "y"))
    with pytest.raises(Incomplete, match=r"1 of 3 pairs have no reply: the line was cut; what came is kept"):
        statements(tmp_path, "made", model=cut)
    assert len(overlay(tmp_path)) == 4
    rest = Fake(lambda _: reply("x", "y"))
    assert statements(tmp_path, "made", model=rest).proposed == 3
    assert [ask.question_id for ask in rest.asked] == [pairs[1].name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("left, right", "is not JSON"),
        (reply("a dog", "A dog."), "the same"),
        (reply("a dog", "a dog with a hat"), "says all that the other says"),
        (reply("a\nb", "c"), "more than one line"),
        (reply("\u202ea", "c"), "more than one line of printable text"),
        (reply("x" * 201, "c"), "longer than 200"),
        (reply("", "c"), "blank"),
        ('{"statement_1": "a"}', "no field statement_2"),
        ("<think>so", "breaks off"),
    ],
)
def test_replies_are_read_strictly(text: str, said: str) -> None:
    _, problems = read_reply(text)
    assert any(said in problem for problem in problems), problems


# -- by a person ----------------------------------------------------------------------------------------------------


def sit(study: Path, lines: list[str], who: str = "ada") -> tuple[int, str]:
    left, seen = list(lines), list[str]()

    def ask(question: str) -> str:
        return left.pop(0)

    count = confirm(study, "made", who, ask, seen.append)
    assert not left
    return count, "\n".join(seen)


def in_order(study: Path, pairs: list[Made]) -> list[Made]:
    """As they are shown: proposals first, each by pair_id."""
    found = overlay(study)
    return sorted(pairs, key=lambda pair: (f"{pair.name}-a" not in found, pair.name))


def test_confirm_refuse_write(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)
    statements(tmp_path, "made")
    first, second, third = in_order(tmp_path, pairs)
    assert third is pairs[1]
    proposal = texts(tmp_path, first), texts(tmp_path, second)
    count, seen = sit(tmp_path, ["y", "n", "y", "a", "a green sky", "b", "a glass road", "y"])
    assert count == 3
    assert "3 pairs to decide, 1 of them without a proposal" in seen
    assert "Both images need a statement" in seen
    assert texts(tmp_path, first) == proposal[0]
    assert texts(tmp_path, second) is None
    assert texts(tmp_path, third) == ("a green sky", "a glass road")
    assert overlay(tmp_path)[f"{third.name}-a"] == Statement(f"{third.name}-a", "a green sky", "hand:ada", True)
    assert all(one.confirmed for one in overlay(tmp_path).values())
    result = statements(tmp_path, "made")  # what was refused is not proposed again
    assert (result.proposed, result.refused, result.others) == (0, 1, 2)
    assert texts(tmp_path, second) is None
    assert proposal[1] is not None


def test_every_decision_is_on_disk_before_the_next_question(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)
    statements(tmp_path, "made")
    confirmed: list[int] = []

    def ask(_: str) -> str:
        confirmed.append(sum(one.confirmed for one in overlay(tmp_path).values()))
        if len(confirmed) == 3:
            raise KeyboardInterrupt
        return "y"

    with pytest.raises(KeyboardInterrupt):
        confirm(tmp_path, "made", "ada", ask, lambda _: None)
    assert confirmed == [0, 2, 4]
    assert sum(one.confirmed for one in overlay(tmp_path).values()) == 4
    assert sit(tmp_path, ["q"])[1].startswith("1 pairs to decide, 1 of them without a proposal; 2 confirmed before.")


def test_what_was_written_is_kept_unconfirmed(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)
    assert sit(tmp_path, ["a", "a new one", "q"])[0] == 0
    (line,) = overlay(tmp_path).values()
    assert (line.statement, line.by, line.confirmed) == ("a new one", "hand:ada", False)
    assert statements(tmp_path, "made").others == 1


def test_undo(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)
    statements(tmp_path, "made")
    before = overlay(tmp_path)
    count, seen = sit(tmp_path, ["u", "y", "u", "n", "u", "a", "else", "y", "u", "q"])
    assert count == 0
    assert "Nothing to undo." in seen
    assert overlay(tmp_path) == before
    assert statements(tmp_path, "made").refused == 0


def test_identical_statements_cannot_be_confirmed(tmp_path: Path, pairs: list[Made]) -> None:
    lines = [line for pair in pairs for line in statement_lines(pair, "A dog.", "a dog", confirmed=False)]
    write_benchmark(tmp_path, pairs, statements=lines)
    count, seen = sit(tmp_path, ["y", "b", "a dog with a hat", "q"])
    assert count == 0
    assert "Both statements are the same: each has to be true" in seen
    assert "One statement says all that the other says" in seen
    assert not any(one.confirmed for one in overlay(tmp_path).values())


def test_others_may_write_meanwhile(tmp_path: Path, pairs: list[Made]) -> None:
    """The overlay is read anew for every decision: what came in between stays."""
    folder = write_benchmark(tmp_path, pairs)
    statements(tmp_path, "made")
    late = statement_lines(pairs[1], "late", "later", by="hand:bob")

    def ask(_: str) -> str:
        if "late" not in (folder / "statements.jsonl").read_text():
            with (folder / "statements.jsonl").open("a") as file:
                file.write("".join(json.dumps(line) + "\n" for line in late))
            return "y"
        return "q"

    confirm(tmp_path, "made", "ada", ask, lambda _: None)
    assert texts(tmp_path, pairs[1]) == ("late", "later")


def test_what_a_terminal_would_act_on_is_escaped(tmp_path: Path, pairs: list[Made]) -> None:
    lines = statement_lines(pairs[0], "\x1b[2Jevil\u202egnp", "b", by="\x07who", confirmed=False)
    write_benchmark(tmp_path, pairs, statements=lines)
    _, seen = sit(tmp_path, ["q"])
    assert r"\x1b[2Jevil\u202egnp" in seen
    assert not any(sign in seen for sign in "\x1b\x07\u202e")


@pytest.mark.parametrize("written", ["", "q", "  "])
def test_an_empty_line_leaves_a_statement_as_it_is(tmp_path: Path, pairs: list[Made], written: str) -> None:
    write_benchmark(tmp_path, pairs)
    statements(tmp_path, "made")
    before = overlay(tmp_path)
    sit(tmp_path, ["a", written, "q"])
    assert overlay(tmp_path) == before


def test_a_pseudonym_is_one_word(tmp_path: Path, pairs: list[Made]) -> None:
    write_benchmark(tmp_path, pairs)
    with pytest.raises(UsageError, match="is no pseudonym"):
        sit(tmp_path, [], who="two words")


Damage = Callable[[Path], Any]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("statements.jsonl", {"question_id": "x"}),
        ("statements.log.jsonl", {"decided": "maybe"}),
        ("statements.replies.log.jsonl", {"by": 1}),
    ],
)
def test_damaged_files_are_errors(tmp_path: Path, pairs: list[Made], name: str, line: Any) -> None:
    folder = write_benchmark(tmp_path, pairs)
    write_lines(folder / name, [line])
    with pytest.raises(StudyError, match=rf"{name}, line 1"):
        statements(tmp_path, "made", model=Fake(lambda _: reply("x", "y")))
