"""`matches.jsonl`: four cosines, what they come to, and lines that are read strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.errors import StudyError
from snellen.runs import matched, read_matches, write_matches

NAME = "0123456789abcdef"

# cosine[i][j] of image i and text j; each text's image, each image's text, tie
TABLE = [
    (((0.3, 0.2), (0.2, 0.3)), (True, True), (True, True), False),
    (((0.2, 0.3), (0.3, 0.2)), (False, False), (False, False), False),
    (((0.5, 0.4), (0.4, 0.3)), (True, False), (True, False), False),  # image a has more of both
    (((0.3, 0.1), (0.2, 0.15)), (True, True), (True, False), False),
    (((0.3, 0.2), (0.3, 0.4)), (False, True), (True, True), True),
    (((0.3, 0.3), (0.2, 0.4)), (True, True), (False, True), True),
    (((0.3, 0.3), (0.3, 0.3)), (False, False), (False, False), True),
    (((0.3, 0.2), (0.1, 0.3)), (True, True), (True, True), False),  # equal, but never compared
    (((-0.1, -0.2), (-0.3, -0.15)), (True, True), (True, True), False),
]


@pytest.mark.parametrize(("cosine", "image", "text", "tie"), TABLE)
def test_what_cosines_come_to(cosine: Any, image: tuple[bool, bool], text: tuple[bool, bool], tie: bool) -> None:
    found = matched(NAME, cosine)
    assert (found.image_correct, found.text_correct, found.tie) == (image, text, tie)
    assert (found.image_score, found.text_score) == (all(image), all(text))
    assert found.group_score == (all(image) and all(text))


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_lines_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, four: list[float]) -> None:
    path = tmp_path_factory.mktemp("m") / "matches.jsonl"
    found = matched(NAME, ((four[0], four[1]), (four[2], four[3])))
    write_matches(path, [found])
    assert read_matches(path) == {NAME: found}


GOOD = {
    "pair_id": NAME,
    "cosine": [[0.3, 0.2], [0.2, 0.3]],
    "image_correct": [True, True],
    "text_correct": [True, True],
    "tie": False,
}


@pytest.mark.parametrize(
    "change",
    [
        {"image_correct": [True, False]},
        {"text_correct": [False, True]},
        {"tie": True},
        {"cosine": [[0.3, 0.2], [0.4, 0.3]]},
        {"cosine": [[0.3, 0.2, 0.1], [0.2, 0.3]]},
        {"cosine": [0.3, 0.2]},
        {"cosine": [["0.3", 0.2], [0.2, 0.3]]},
        {"pair_id": "x"},
        {"tie": 0},
        {"more": 1},
    ],
)
def test_damaged_lines_are_errors(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "matches.jsonl"
    path.write_text(json.dumps({**GOOD, "pair_id": "f" * 16}) + "\n" + json.dumps(GOOD | change) + "\n")
    with pytest.raises(StudyError, match=r"matches\.jsonl, line 2, .*: match again"):
        read_matches(path)


def test_a_pair_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "matches.jsonl"
    path.write_text(2 * (json.dumps(GOOD) + "\n"))
    with pytest.raises(StudyError, match="line 2, names a pair that an earlier line names"):
        read_matches(path)
