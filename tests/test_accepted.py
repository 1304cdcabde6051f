from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from snellen import accepted
from snellen.errors import StudyError
from snellen.records import AcceptedPair
from tests.accepted_pairs import accepted_pair, synthetic

ONE, TWO = "1" * 64, "2" * 64
# printf "%s" $(printf "1%.0s" {1..64})$(printf "2%.0s" {1..64}) | sha256sum
GOLDEN = (
    '{"pair_id": "ca9034371c79ec26", "image_a": "' + TWO + '", "image_b": "' + ONE + '", "difference": "d", '
    '"question": "猫?\\u001b[31m", "options": ["a, <b>", "ä"], "answer_a": 1, "answer_b": 0, "patterns": [], '
    '"statement_a": null, "statement_b": null, "blind_cosine": 0.1, "reference_cosine": null, '
    '"decided_by": ["world"], "drafted_by": null}\n'
)


def golden() -> AcceptedPair:
    return AcceptedPair(
        pair_id="ca9034371c79ec26",
        image_a=TWO,
        image_b=ONE,
        difference="d",
        question="猫?\x1b[31m",
        options=("a, <b>", "ä"),
        answer_a=1,
        answer_b=0,
        patterns=(),
        statement_a=None,
        statement_b=None,
        blind_cosine=0.1,
        reference_cosine=None,
        decided_by=("world",),
        drafted_by=None,
    )


def test_a_line_is_as_the_format_says_and_comes_back(tmp_path: Path) -> None:
    accepted.write(tmp_path / "accepted.jsonl", [golden()])
    assert (tmp_path / "accepted.jsonl").read_bytes() == GOLDEN.encode()
    assert accepted.read(tmp_path / "accepted.jsonl") == [golden()]


def test_equal_pairs_are_equal_bytes_in_whatever_order(tmp_path: Path) -> None:
    pairs = synthetic(20)
    accepted.write(tmp_path / "one", pairs)
    accepted.write(tmp_path / "other", reversed(pairs))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert accepted.read(tmp_path / "one") == pairs


def test_what_may_be_null_may_be_left_out_and_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    value = json.loads(GOLDEN)
    for name in ("statement_a", "statement_b", "reference_cosine", "drafted_by"):
        del value[name]
    (tmp_path / "a").write_bytes(json.dumps(value).encode() + b"\r\n")
    assert accepted.read(tmp_path / "a") == [golden()]


def without(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(GOLDEN)
    del value[name]
    return value


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pair_id": "0" * 16}, "its images make it ca9034371c79ec26"),
        ({"pair_id": "CA9034371C79EC26"}, "16 hex digits"),
        ({"image_a": ONE}, "same image twice"),
        ({"image_a": "../../etc/passwd"}, "64 hex digits"),
        ({"answer_a": 0}, "same answer"),
        ({"answer_a": True}, "integer from 0 to 1"),
        ({"answer_a": 2}, "integer from 0 to 1"),
        ({"answer_b": 0.0}, "integer from 0 to 1"),
        ({"options": ["x"]}, "two texts"),
        ({"options": ["x", "y", "z"]}, "two texts"),
        ({"options": ["Left", " left "]}, "offers the same twice"),
        ({"options": ["x", " \t"]}, "blank"),
        ({"options": "xy"}, "two texts"),
        ({"question": ""}, "blank"),
        ({"question": None}, "not text"),
        ({"question": "\ud800"}, "half a character"),
        ({"patterns": "count"}, "list of texts"),
        ({"patterns": ["count", "count"]}, "twice"),
        ({"statement_a": "s", "statement_b": "s"}, "same statement"),
        ({"blind_cosine": "0.9"}, "finite number"),
        ({"blind_cosine": 10**400}, "finite number"),
        ({"blind_cosine": True}, "finite number"),
        ({"decided_by": []}, "somebody"),
        ({"decided": ["me"]}, "'decided', which is not known"),
    ],
)
def test_a_wrong_field_is_named_with_file_and_line(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    (tmp_path / "a.jsonl").write_text(GOLDEN + json.dumps(json.loads(GOLDEN) | changes) + "\n")
    with pytest.raises(StudyError) as raised:
        accepted.read(tmp_path / "a.jsonl")
    assert f"{tmp_path / 'a.jsonl'}, line 2, " in str(raised.value)
    assert said in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", [name for name, value in json.loads(GOLDEN).items() if value is not None][:9])
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_text(json.dumps(without(name)) + "\n")
    with pytest.raises(StudyError, match=f"has no field {name}"):
        accepted.read(tmp_path / "a")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"\n", "is empty"),
        (b"[]\n", "not an object"),
        (b"{\n", "not JSON"),
        (b'{"a": NaN}\n', "NaN"),
        (b'{"a": 1, "a": 2}\n', "twice"),
        (b'{"a": "\xff"}\n', "not UTF-8"),
        (b"\xef\xbb\xbf{}\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "nested too deeply"),
        (b"9" * 5000 + b"\n", "not JSON"),
        (b'{"a": "' + b"x" * (3 << 20) + b'"}\n', "longer than 1,048,576 bytes"),
    ],
)
def test_what_is_no_object_is_said(tmp_path: Path, line: bytes, said: str) -> None:
    (tmp_path / "a").write_bytes(line + GOLDEN.encode())
    with pytest.raises(StudyError, match=said) as raised:
        accepted.read(tmp_path / "a")
    assert "line 1, " in str(raised.value)
    assert len(str(raised.value)) < 500 + len(str(tmp_path))


def test_a_pair_accepted_twice_is_refused_on_both_ways(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(GOLDEN * 2)
    with pytest.raises(StudyError, match="line 2, accepts the pair ca9034371c79ec26, as line 1"):
        accepted.read(tmp_path / "a")
    with pytest.raises(StudyError, match="ca9034371c79ec26 is there twice"):
        accepted.write(tmp_path / "b", [golden(), golden()])


@pytest.mark.parametrize("changes", [{"answer_a": 0}, {"blind_cosine": float("nan")}, {"question": "\udc80"}])
def test_nothing_wrong_is_written(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match="ca9034371c79ec26"):
        accepted.write(tmp_path / "a", [replace(golden(), **changes)])
    assert not (tmp_path / "a").exists()


def test_a_missing_file_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="accept pairs first"):
        accepted.read(tmp_path / "none")


def test_the_tests_own_pairs_are_valid() -> None:
    assert asdict(accepted_pair(ONE, TWO))["pair_id"] == golden().pair_id
