"""Taxonomies as files: the nine that come along, and what is refused of anybody's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import StudyError, UsageError
from snellen.patterns.taxonomy import HERE, confirmed, read_taxonomy

OWN: dict[str, Any] = {
    "name": "own@2",
    "patterns": [
        {"id": "edge", "name": "Edges", "belongs": "What an edge is like.", "examples": ["Is it sharp? (yes / no)"]},
        {"id": "hue", "name": "Hues", "belongs": "What hue it has.", "not": "Edges."},
    ],
}


def written(folder: Path, value: object) -> Path:
    path = folder / "own.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_the_nine_are_those_of_the_paper(shared_data: Path) -> None:
    table = json.loads((shared_data / "paper_tables" / "patterns_and_prompt.json").read_text())
    published = [one["id"].replace("structural", "structure") for one in table["patterns"]]
    nine = read_taxonomy("nine")
    assert list(nine.ids) == published
    assert nine.name == "nine@1"
    words = " ".join(json.dumps(nine.as_json()).split()).lower()
    for one in table["patterns"]:  # in words of our own
        assert one["definition"].lower() not in words


def test_every_pattern_of_the_nine_has_a_whole_rule() -> None:
    for pattern in read_taxonomy("nine").patterns:
        assert pattern.belongs
        assert pattern.not_this
        assert pattern.borderline
        assert 1 <= len(pattern.examples) <= 2
        assert pattern.id in read_taxonomy("nine").rules()


def test_the_nine_are_those_that_drafts_name() -> None:
    from snellen.exam.draft_reply import PATTERNS

    assert read_taxonomy("nine").ids == PATTERNS


def test_ones_own_is_read(tmp_path: Path) -> None:
    own = read_taxonomy(written(tmp_path, OWN))
    assert own.ids == ("edge", "hue")
    assert own.patterns[0].examples == ("Is it sharp? (yes / no)",)
    assert own.patterns[1].not_this == "Edges."
    assert (own.source, own.proposed_by, own.rule) == (None, None, None)
    assert json.loads(json.dumps(own.as_json()))["patterns"][1]["not"] == "Edges."


def test_the_hash_is_of_what_taggers_go_by(tmp_path: Path) -> None:
    before = read_taxonomy(written(tmp_path, OWN)).sha256
    assert read_taxonomy(written(tmp_path, json.dumps(OWN, indent=7))).sha256 == before
    assert read_taxonomy(written(tmp_path, OWN | {"source": "me"})).sha256 == before
    assert read_taxonomy(written(tmp_path, OWN | {"rule": "Look twice."})).sha256 != before
    assert read_taxonomy(written(tmp_path, OWN | {"name": "own@3"})).sha256 != before
    assert read_taxonomy(written(tmp_path, OWN | {"patterns": OWN["patterns"][::-1]})).sha256 != before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "own"}, "which is not a name and a version"),
        ({"name": "../own@1"}, "which is not a name and a version"),
        ({"name": "own@0"}, "which is not a name and a version"),
        ({"patterns": []}, "not a list of 1 to 60"),
        ({"patterns": OWN["patterns"] * 40}, "not a list of 1 to 60"),
        ({"patterns": OWN["patterns"] * 2}, "has the id edge twice"),
        ({"patterns": [{**OWN["patterns"][0], "id": "Edge"}]}, "pattern 1 has id 'Edge', which is not an id"),
        ({"patterns": [{**OWN["patterns"][0], "id": 3}]}, "which is not an id"),
        ({"patterns": [{**OWN["patterns"][0], "belongs": " "}]}, "is blank"),
        ({"patterns": [{**OWN["patterns"][0], "belongs": "a\x1b[2Jb"}]}, "not printed"),
        ({"patterns": [{**OWN["patterns"][0], "belongs": "x" * 5000}]}, "more than 4,000"),
        ({"patterns": [{**OWN["patterns"][0], "weight": 1}]}, "the field 'weight', which is not known"),
        ({"patterns": ["edge"]}, "pattern 1 is no object"),
        ({"patterns": [{"id": "edge"}]}, "has no field name"),
        ({"more": 1}, "the field 'more', which is not known"),
        ({"proposed_by": "openai/x"}, "one of proposed_by and prompt_sha256 without the other"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=r"The taxonomy .*own\.json") as raised:
        read_taxonomy(written(tmp_path, OWN | change))
    assert said in str(raised.value)
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": "a@1", "name": "b@1"}', "NaN"])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"docs/patterns\.md"):
        read_taxonomy(written(tmp_path, text))


def test_what_is_not_there_is_said_with_what_is() -> None:
    with pytest.raises(UsageError, match=r"no taxonomy 'ten': choose nine"):
        read_taxonomy("ten")


def test_a_proposal_tags_nothing_before_a_person_has_confirmed_it(tmp_path: Path) -> None:
    proposed = OWN | {"proposed_by": "openai/x", "prompt_sha256": "0" * 64}
    with pytest.raises(StudyError, match="nobody has confirmed it"):
        confirmed(read_taxonomy(written(tmp_path, proposed)))
    assert confirmed(read_taxonomy(written(tmp_path, proposed | {"confirmed_by": "ada"}))).confirmed_by == "ada"


def test_what_comes_along_is_all_readable() -> None:
    for path in HERE.glob("*.json"):
        assert read_taxonomy(path.stem).name.startswith(f"{path.stem}@")
