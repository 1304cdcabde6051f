from __future__ import annotations

import json
from math import exp, log
from typing import Any

import pytest

from snellen.mllms.base import Decoding
from snellen.mllms.chat import Dialect, letter_logprobs, messages, read, seed_of
from snellen.mllms.faults import Again, Hopeless, Sent
from snellen.records import Ask

SENT = Sent("openai/x", "http://127.0.0.1/v1", None, None, {}, False)
ASK = Ask("p-a", "Which?", None, letters=("(a)", "(b)"))


def body(content: Any = "(a)", reason: str | None = "stop", **other: Any) -> bytes:
    message = {"role": "assistant", "content": content, **other}
    return json.dumps({"choices": [{"message": message, "finish_reason": reason}], "usage": None}).encode()


def position(chosen: str, **top: float) -> dict[str, Any]:
    named = {name.replace("_", " "): value for name, value in top.items()}
    return {
        "token": chosen,
        "logprob": named.get(chosen, -0.5),
        "top_logprobs": [{"token": token, "logprob": value} for token, value in named.items()],
    }


# -- log-probabilities ----------------------------------------------------------------------------------------------


def test_letters_in_all_their_forms_are_added() -> None:
    first = position("A", A=log(0.5), _A=log(0.2), B=log(0.1), a=log(0.05), An=log(0.02))
    found = letter_logprobs({"content": [first, position("nonsense")]}, ("A", "B"))
    assert found is not None
    assert exp(found["a"]) == pytest.approx(0.7)
    assert exp(found["b"]) == pytest.approx(0.1)


def test_the_letter_behind_a_bracket() -> None:
    content = [
        {"token": " (", "logprob": log(0.9), "top_logprobs": [{"token": "b", "logprob": log(0.08)}]},
        {"token": "a", "logprob": log(0.75), "top_logprobs": [{"token": "b", "logprob": log(0.25)}]},
        {"token": ")", "logprob": 0.0, "top_logprobs": []},
    ]
    found = letter_logprobs({"content": content}, ("(a)", "(b)"))
    assert found is not None
    assert exp(found["a"]) == pytest.approx(0.9 * 0.75)
    assert exp(found["b"]) == pytest.approx(0.9 * 0.25)


def test_letters_that_hold_their_brackets_in_one_token() -> None:
    content = [{"token": "(b)", "logprob": -0.1, "top_logprobs": [{"token": "(a", "logprob": -3.0}]}]
    assert letter_logprobs({"content": content}, ("(a)", "(b)")) == {"a": -3.0, "b": -0.1}


def test_very_small_probabilities_do_not_vanish() -> None:
    content = [position("A", A=0.0, B=-2000.0, _B=-2000.0)]
    found = letter_logprobs({"content": content}, ("A", "B"))
    assert found == {"a": 0.0, "b": pytest.approx(-2000 + log(2))}


@pytest.mark.parametrize(
    "found",
    [
        None,
        {},
        {"content": None},
        {"content": []},
        {"content": "A"},
        {"content": [None]},
        {"content": [{"token": "A"}]},
        {"content": [{"token": "A", "logprob": "high", "top_logprobs": 3}]},
        {"content": [{"token": "A", "logprob": float("nan"), "top_logprobs": []}]},
        {"content": [{"token": 7, "logprob": -1.0}]},
        {"content": [position("A", A=-0.1, C=-3.0)]},  # the other letter is not in the list
        {"content": [position("The", The=-0.1, C=-3.0)]},
        {"content": [position(" ", **{"_": -0.1})]},  # nothing but white space
    ],
)
def test_no_log_probability_is_made_up(found: Any) -> None:
    assert letter_logprobs(found, ("A", "B")) is None


# -- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text", "finish"),
    [
        (body("(a)"), "(a)", "stop"),
        (body(""), "", "stop"),
        (body("  raw \n"), "  raw \n", "stop"),
        (body("thinking", "length"), "thinking", "length"),
        (body("thinking", "MAX_TOKENS"), "thinking", "length"),
        (body(None, "length"), "", "length"),
        (body(None, "content_filter"), "", "refusal"),
        (body("Sorry", "content_filter"), "Sorry", "refusal"),
        (body(None, refusal="I cannot say."), "I cannot say.", "refusal"),
        (body("(a)", refusal=None), "(a)", "stop"),
        (
            body([{"type": "thinking", "text": "x"}, {"type": "text", "text": "(b"}, {"type": "text", "text": ")"}]),
            "(b)",
            "stop",
        ),
        (body("(a)", None), "(a)", "stop"),
        (body("half \ud800 a character"), "half � a character", "stop"),
    ],
)
def test_answers(data: bytes, text: str, finish: str) -> None:
    reply = read(data, "application/json; charset=utf-8", SENT, None)
    assert (reply.text, reply.finish) == (text, finish)
    reply.text.encode()


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (body(), "text/html", "of type text/html"),
        (body(), "", "of type nothing"),
        (b"", "application/json", "no valid JSON"),
        (body()[:-5], "application/json", "no valid JSON"),
        (b"[" * 100_000, "application/json", "no valid JSON"),
        (b"[]", "application/json", "no JSON object"),
        (b"{}", "application/json", "no choices"),
        (b'{"choices": {"0": 1}}', "application/json", "no choices"),
        (b'{"choices": [7]}', "application/json", "no choices"),
        (b'{"choices": [{"message": "hi"}]}', "application/json", "no choices"),
        (body(None), "application/json", "no content"),
        (body(7), "application/json", "no content"),
        (b'{"error": {"message": "busy", "code": 503}}', "application/json", "HTTP 503: busy"),
        (b'{"error": "busy"}', "application/json", "HTTP 502: busy"),
        (b'{"choices": [{"error": {"message": "cut", "code": 502}}]}', "application/json", "HTTP 502: cut"),
    ],
)
def test_what_is_no_answer_is_tried_again(data: bytes, kind: str, says: str) -> None:
    with pytest.raises(Again, match=says):
        read(data, kind, SENT, None)


def test_an_answer_that_no_line_can_hold() -> None:
    with pytest.raises(Hopeless, match="longer than"):
        read(body("\0" * 200_000), "application/json", SENT, None)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 12, "completion_tokens": 3}, (12, 3, None)),
        ({"prompt_tokens": 12, "completion_tokens": 3, "cost": 0.001}, (12, 3, 0.001)),
        ({"prompt_tokens": True, "completion_tokens": -3, "cost": -1}, (None, None, None)),
        ({"prompt_tokens": "12", "completion_tokens": 1e3, "cost": True}, (None, None, None)),
        ([], (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_tokens(usage: Any, tokens: tuple[Any, ...]) -> None:
    data = json.loads(body())
    data |= {"usage": usage, "model": " m-1 "}
    reply = read(json.dumps(data).encode(), "application/json", SENT, None)
    assert (reply.tokens_in, reply.tokens_out, reply.cost) == tokens
    assert reply.model == "m-1"


# -- what is sent ---------------------------------------------------------------------------------------------------


def test_one_user_message_image_first() -> None:
    [message] = messages(ASK, "data:image/png;base64,AAAA")
    assert message["role"] == "user"
    assert [part["type"] for part in message["content"]] == ["image_url", "text"]
    assert messages(ASK, None) == [{"role": "user", "content": "Which?"}]


def test_parameters() -> None:
    greedy = Decoding(temperature=0.0, max_tokens=7)
    assert Dialect(is_openai=False).parameters(ASK, greedy) == {
        "max_tokens": 7,
        "temperature": 0.0,
        "logprobs": True,
        "top_logprobs": 20,
    }
    free = Ask("p-a", "What?", None)
    assert Dialect(is_openai=True).parameters(free, greedy) == {"max_completion_tokens": 7, "temperature": 0.0}
    assert "seed" in Dialect(is_openai=True).parameters(free, Decoding(temperature=0.5))


def test_refused_parameters_are_dropped_once_for_all() -> None:
    dialect, warm = Dialect(is_openai=False), Decoding(temperature=1.0)
    sent = dialect.parameters(ASK, warm)
    for _ in range(16):  # as many as are under way
        assert dialect.drop("max_tokens", sent)
        assert dialect.drop("seed", sent)
        assert dialect.drop("top_logprobs", sent)
    now = dialect.parameters(ASK, warm)
    assert now == {"max_completion_tokens": 1024, "temperature": 1.0, "logprobs": True, "top_logprobs": 5}
    dialect.drop("logprobs", now)
    assert dialect.top is None
    assert not dialect.drop("max_completion_tokens", now)


def test_seeds_differ_between_questions_and_repeats() -> None:
    asks = [Ask("p-a", "", None), Ask("p-b", "", None), Ask("p-a", "", None, repeat=1), Ask("p-a", "", None, "ba")]
    seeds = [seed_of(ask, seed) for ask in asks for seed in (0, 1)]
    assert len(set(seeds)) == 8
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(asks[0], 5) == seed_of(Ask("p-a", "other words", b"image"), 5)
