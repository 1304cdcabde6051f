"""Grading by hand, with a person who types what the test tells them to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snellen.errors import StudyError, UsageError
from snellen.exam.hand import HAND, grade_by_hand, read_hand, visible
from snellen.exam.judge import Unread
from snellen.records import Key


def unread(name: str, answer: str = "Hard to say") -> Unread:
    key: Key = (name, "ab", 0, "none", "")
    return Unread(key, "Which way does the arrow point?", ("Up", "Down"), answer)


FOUR = [unread(f"q{number}") for number in range(4)]


class Person:
    """Types one line after another; running out of lines fails the test."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.seen: list[str] = []

    def ask(self, question: str) -> str:
        self.seen.append(question)
        return self.lines.pop(0)


def sit(folder: Path, lines: list[str], asked: list[Unread], who: str = "ada") -> tuple[int, str]:
    person = Person(*lines)
    count = grade_by_hand(folder, asked, who, person.ask, person.seen.append)
    assert not person.lines
    return count, "\n".join(person.seen)


def choices(folder: Path) -> dict[str, tuple[int | None, bool]]:
    return {key[0]: (grade.choice, grade.refused) for key, grade in read_hand(folder).items()}


def test_each_decision_is_kept(tmp_path: Path) -> None:
    count, seen = sit(tmp_path, ["a", " B ", "n", "r"], FOUR)
    assert count == 4
    assert choices(tmp_path) == {"q0": (0, False), "q1": (1, False), "q2": (None, False), "q3": (None, True)}
    assert {grade.who for grade in read_hand(tmp_path).values()} == {"ada"}
    assert "Which way does the arrow point?" in seen
    assert "a  Up" in seen
    assert "b  Down" in seen
    assert "Hard to say" in seen


def test_a_decision_is_on_disk_before_the_next_question(tmp_path: Path) -> None:
    def ask(question: str) -> str:
        lines = (tmp_path / HAND).read_text().splitlines() if (tmp_path / HAND).exists() else []
        asked.append(len(lines))
        return "a"

    asked: list[int] = []
    grade_by_hand(tmp_path, FOUR, "ada", ask, lambda line: None)
    assert asked == [0, 1, 2, 3]


def test_quit_and_resume_ask_nothing_twice(tmp_path: Path) -> None:
    assert sit(tmp_path, ["a", "q"], FOUR)[0] == 1
    count, seen = sit(tmp_path, ["b", "b", "b"], FOUR, who="bob")
    assert count == 3
    assert "3 answers to read, 1 decided before" in seen
    assert choices(tmp_path) == {"q0": (0, False), "q1": (1, False), "q2": (1, False), "q3": (1, False)}
    assert [grade.who for grade in read_hand(tmp_path).values()] == ["ada", "bob", "bob", "bob"]
    assert sit(tmp_path, [], FOUR)[0] == 0


def test_skip_leaves_an_answer_for_later(tmp_path: Path) -> None:
    assert sit(tmp_path, ["s", "a", "s", "q"], FOUR)[0] == 1
    assert choices(tmp_path) == {"q1": (0, False)}


def test_undo_asks_again(tmp_path: Path) -> None:
    assert sit(tmp_path, ["a", "a", "u", "b", "q"], FOUR)[0] == 2
    assert choices(tmp_path) == {"q0": (0, False), "q1": (1, False)}
    assert len((tmp_path / HAND).read_text().splitlines()) == 4  # nothing is rewritten


def test_undo_and_quit_leaves_nothing_of_it(tmp_path: Path) -> None:
    count, seen = sit(tmp_path, ["u", "a", "u", "q"], FOUR)
    assert count == 0
    assert "Nothing to undo." in seen
    assert choices(tmp_path) == {}
    assert sit(tmp_path, ["b", "q"], FOUR)[0] == 1


def test_undo_goes_back_over_what_was_skipped(tmp_path: Path) -> None:
    sit(tmp_path, ["a", "s", "s", "u", "b", "q"], FOUR)
    assert choices(tmp_path) == {"q0": (1, False)}


def test_what_is_no_command_is_asked_again(tmp_path: Path) -> None:
    _, seen = sit(tmp_path, ["yes", "", "A", "q"], FOUR)
    assert choices(tmp_path) == {"q0": (0, False)}
    assert "n: neither" in seen


def test_later_lines_win(tmp_path: Path) -> None:
    sit(tmp_path, ["a", "q"], FOUR)
    line = json.loads((tmp_path / HAND).read_text())
    with (tmp_path / HAND).open("a") as file:
        file.write(json.dumps({**line, "choice": 1, "who": "bob"}) + "\n")
    assert choices(tmp_path) == {"q0": (1, False)}
    assert read_hand(tmp_path)[FOUR[0].key].who == "bob"


def test_what_a_terminal_would_act_on_is_escaped(tmp_path: Path) -> None:
    _, seen = sit(tmp_path, ["q"], [unread("q0", "\x1b[2J\x07evil\u202egnp\nsecond line\r")])
    assert "\x1b" not in seen
    assert "\x07" not in seen
    assert "\u202e" not in seen
    assert "\r" not in seen
    assert r"\x1b[2J\x07evil\u202egnp" in seen
    assert "  | second line" in seen
    assert visible("左边 é") == "左边 é"


def test_a_long_answer_is_cut_in_the_middle(tmp_path: Path) -> None:
    _, seen = sit(tmp_path, ["q"], [unread("q0", "x" * 100_000 + "the end")])
    assert len(seen) < 10_000
    assert "the end" in seen
    assert "92,007 characters left out" in seen


@pytest.mark.parametrize("who", ["", "two words", "a/b", "x" * 41, "a\n"])
def test_a_pseudonym_is_one_word(tmp_path: Path, who: str) -> None:
    with pytest.raises(UsageError, match="is no pseudonym"):
        grade_by_hand(tmp_path, FOUR, who, lambda question: "q", lambda line: None)


def test_a_line_that_a_kill_cut_short_is_asked_again(tmp_path: Path) -> None:
    sit(tmp_path, ["a", "b", "q"], FOUR)
    data = (tmp_path / HAND).read_bytes()
    (tmp_path / HAND).write_bytes(data[:-10])
    assert choices(tmp_path) == {"q0": (0, False)}
    sit(tmp_path, ["b", "q"], FOUR)
    assert choices(tmp_path) == {"q0": (0, False), "q1": (1, False)}


@pytest.mark.parametrize("change", [{"choice": 2}, {"refused": None}, {"who": " "}, {"refused": True}, {"x": 1}])
def test_damaged_lines_are_errors(tmp_path: Path, change: dict[str, object]) -> None:
    sit(tmp_path, ["a", "q"], FOUR)
    line = json.loads((tmp_path / HAND).read_text())
    (tmp_path / HAND).write_text(json.dumps({**line, **change}) + "\n")
    with pytest.raises(StudyError, match="line 1, has"):
        read_hand(tmp_path)
