from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import ModelError, UsageError
from snellen.providers import load_mllm
from snellen.records import Ask, Response
from snellen.runs import append


def write(path: Path, *lines: Any) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return f"replay/{path}"


def response(question_id: str, text: str | None, **other: Any) -> Response:
    given: dict[str, Any] = {
        "question_id": question_id,
        "order": "ab",
        "repeat": 0,
        "control": "none",
        "variant": "",
        "prompt": "asked long ago",
        "text": text,
        "finish": "error" if text is None else "stop",
        "error": "down" if text is None else None,
        "logprobs": None,
        "tokens_in": 12,
        "tokens_out": 3,
        "cost_usd": 0.5,
        "seconds": 1.0,
        "at": "2026-11-27T00:00:00.000+00:00",
        "model_reported": "m-1",
    }
    return Response(**{**given, **other})


def test_short_lines(tmp_path: Path) -> None:
    name = write(tmp_path / "a.jsonl", {"question_id": "p-a", "text": "(a)"}, {"question_id": "p-b", "text": "是"})
    model = load_mllm(name)
    assert model.name == "replay/a.jsonl"
    assert model.fingerprint == sha256((tmp_path / "a.jsonl").read_bytes()).hexdigest()
    assert not model.supports.logprobs
    first, second = model.answer([Ask("p-b", "Is it?", None), Ask("p-a", "Is it not?", b"image")])
    assert (first.text, first.prompt, first.finish, first.cost_usd) == ("是", "Is it?", "stop", None)
    assert (second.text, second.question_id) == ("(a)", "p-a")


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    model = load_mllm(write(tmp_path / "a.jsonl", {"question_id": "p-a", "text": "(a)", "order": "ba"}))
    [plain, turned, blank] = model.answer(
        [Ask("p-a", "?", None), Ask("p-a", "?", None, order="ba"), Ask("p-a", "?", None, "ba", 0, "blank_image")]
    )
    assert (turned.text, plain.text, blank.text) == ("(a)", None, None)
    assert plain.finish == "error" and "a.jsonl has no answer for question 'p-a'" in str(plain.error)


def test_a_run_is_replayed_with_all_it_says(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    append(
        path, [response("p-a", "no"), response("p-b", None), response("p-c", "(b)", logprobs={"a": -2.0, "b": -0.1})]
    )
    append(path, [response("p-a", None), response("p-a", "yes", finish="length"), response("p-b", None)])
    model = load_mllm(f"replay/{path}")
    assert model.supports.logprobs
    a, b, c = model.answer(Ask(f"p-{slot}", "new words", None) for slot in "abc")
    assert (a.text, a.finish, a.prompt, a.tokens_in, a.cost_usd) == ("yes", "length", "asked long ago", 12, None)
    assert b.finish == "error" and "only an error (down)" in str(b.error)
    assert c.logprobs == {"a": -2.0, "b": -0.1}


def test_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        load_mllm(f"replay/{tmp_path}/no@where.jsonl")
    for line, says in (
        ({"question_id": "p-a"}, "no text"),
        ({"text": "(a)"}, "has no field question_id"),
        ({"question_id": "p-a", "text": "(a)", "ordr": "ba"}, "'ordr', which is not known"),
        ({"question_id": "p-a", "text": "(a)", "order": "abba"}, "is not one of ab, ba"),
    ):
        with pytest.raises(ModelError, match="line 2") as caught:
            load_mllm(write(tmp_path / "bad.jsonl", {"question_id": "p", "text": ""}, line))
        assert says in str(caught.value)
