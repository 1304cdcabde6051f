"""Tagging by hand, with a person who types what the test tells them to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snellen import benchmarks
from snellen.errors import StudyError
from snellen.patterns import tag
from snellen.patterns.hand import chosen, visible
from snellen.patterns.taxonomy import Pattern, Taxonomy, read_taxonomy
from tests.exam.fakes import Fake
from tests.test_benchmarks import lines_of, seal, write_benchmark, write_lines

NINE = read_taxonomy("nine")


class Person:
    """Types one line after another; running out of lines fails the test."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.seen: list[str] = []

    def ask(self, question: str) -> str:
        self.seen.append(question)
        return self.lines.pop(0)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_benchmark(tmp_path / "s" / "benchmarks" / "made", 4)
    return tmp_path / "s"


def sit(study: Path, *lines: str, who: str = "ada", again: bool = False, images: bool = False) -> str:
    person = Person(*lines)
    tag(study, "made", hand=who, person=(person.ask, person.seen.append), again=again, images=images)
    assert not person.lines
    return "\n".join(person.seen)


def said(study: Path, tagset: str = "nine@1/hand:ada") -> dict[int, tuple[str, ...]]:
    """Patterns by the pair's number; both questions of a pair have the same."""
    made = benchmarks.read(study / "benchmarks" / "made")
    names = list(made.pairs)
    found: dict[int, tuple[str, ...]] = {}
    for one in made.tags(tagset):
        number = names.index(one.question_id.partition("-")[0])
        assert found.setdefault(number, one.patterns) == one.patterns
    assert len(made.tags(tagset)) == 2 * len(found)
    return found


def test_each_decision_is_kept(study: Path) -> None:
    seen = sit(study, "4", " 31 ", "0", "9,2")
    assert said(study) == {0: ("count",), 1: ("orientation", "state"), 2: (), 3: ("presence", "viewpoint")}
    assert "Which?" in seen
    assert "4 count" in seen
    made = benchmarks.read(study / "benchmarks" / "made")
    assert {(one.by, one.prompt_sha256) for one in made.tags()} == {("hand:ada", NINE.sha256)}
    assert not benchmarks.check(study / "benchmarks" / "made")


def test_a_decision_is_on_disk_before_the_next_question(study: Path) -> None:
    counts = []

    def ask(question: str) -> str:
        path = study / "tagging" / "made" / "hand-ada.jsonl"
        counts.append(len(path.read_text().splitlines()) if path.exists() else 0)
        return "4"

    tag(study, "made", hand="ada", person=(ask, lambda line: None))
    assert counts == [0, 1, 2, 3]


def test_quit_and_go_on_asks_nothing_twice(study: Path) -> None:
    sit(study, "4", "q")
    assert said(study) == {0: ("count",)}
    seen = sit(study, "s", "5", "6")
    assert "3 pairs to tag, 1 decided before" in seen
    assert said(study) == {0: ("count",), 2: ("position",), 3: ("color",)}
    assert "1 pairs to tag" in sit(study, "q")


def test_undo_asks_again_and_rewrites_nothing(study: Path) -> None:
    sit(study, "4", "s", "5", "u", "u", "6", "q")
    assert said(study) == {0: ("color",)}
    assert len((study / "tagging" / "made" / "hand-ada.jsonl").read_text().splitlines()) == 5
    assert "Nothing to undo." in sit(study, "u", "q", who="bob")


def test_what_cannot_be_read_is_asked_again_and_rules_are_shown(study: Path) -> None:
    seen = sit(study, "count", "", "10", "1x", "²", "?", "4", "q")
    assert said(study) == {0: ("count",)}
    assert NINE.patterns[3].belongs in seen


def test_again_asks_about_what_was_decided_too(study: Path) -> None:
    sit(study, "4", "4", "4", "4")
    sit(study, "8", "q", again=True)
    assert said(study) == {0: ("text",), 1: ("count",), 2: ("count",), 3: ("count",)}


def test_a_line_that_a_kill_cut_short_is_asked_again(study: Path) -> None:
    sit(study, "4", "5", "q")
    path = study / "tagging" / "made" / "hand-ada.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    tag(study, "made", hand="ada")  # nobody is there: what is decided is written
    assert said(study) == {0: ("count",)}
    sit(study, "7", "q")
    assert said(study) == {0: ("count",), 1: ("structure",)}


def test_damaged_lines_are_errors(study: Path) -> None:
    sit(study, "4", "q")
    path = study / "tagging" / "made" / "hand-ada.jsonl"
    whole = json.loads(path.read_text())
    for change in ({"patterns": "count"}, {"patterns": ["hue"]}, {"at": None}, {"more": 1}):
        path.write_text(json.dumps(whole | change) + "\n")
        with pytest.raises(StudyError, match=r"hand-ada\.jsonl, line 1"):
            tag(study, "made", hand="ada")


def test_other_words_are_asked_about_anew(study: Path) -> None:
    sit(study, "4", "4", "4", "4")
    folder = study / "benchmarks" / "made"
    lines = lines_of(folder)
    first = min(line["pair_id"] for line in lines)
    for line in lines:
        line["text"] = "Which one?" if line["pair_id"] == first else line["text"]
    write_lines(folder, lines)
    seal(folder, n_pairs=4)
    assert "1 pairs to tag, 3 decided before" in sit(study, "5")
    assert said(study)[0] == ("position",)


def test_what_a_terminal_would_act_on_is_escaped(study: Path) -> None:
    folder = study / "benchmarks" / "made"
    lines = lines_of(folder)
    for line in lines:
        line["text"] = "\x1b[2J\u202eWhich?"
    write_lines(folder, lines)
    seal(folder, n_pairs=4)
    seen = sit(study, "q", images=True)
    assert "\x1b" not in seen
    assert "\u202e" not in seen
    assert r"\x1b[2J\u202eWhich?" in seen
    assert f"{folder}/images/" in seen
    assert visible("左边 é") == "左边 é"


def test_people_and_judges_make_a_majority_and_people_decide_ties(study: Path) -> None:
    sit(study, "4", "4", "0", "s")
    judge = Fake(lambda ask: '{"patterns": ["text"]}', name="openai/one")
    result = tag(study, "made", judges=[judge])
    assert said(study, "nine@1") == {0: ("count",), 1: ("count",), 2: ()}
    assert result.consensus is not None
    assert result.consensus.by_people == 3
    assert len(result.consensus.single) == 1


def test_a_taxonomy_of_more_than_nine_is_typed_with_spaces() -> None:
    many = Taxonomy(
        "many@1", None, None, None, None, None, tuple(Pattern(f"p{n}", "P", "p", None, None, ()) for n in range(1, 13))
    )
    assert chosen("1 12", many) == ("p1", "p12")
    assert chosen("12", many) == ("p12",)
    assert chosen("13", many) is None
    assert chosen("0", many) == ()
    assert chosen("0 1", many) is None
    assert chosen("31", NINE) == ("orientation", "state")
    assert chosen("11", NINE) == ("orientation",)
