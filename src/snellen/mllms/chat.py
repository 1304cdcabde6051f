"""Chat completions as they go over the wire: what is sent for a question, and what is read from an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import exp, isfinite, log
from typing import Any, Final

from snellen.mllms.base import Decoding
from snellen.mllms.faults import Again, Hopeless, Sent, fault
from snellen.records import Ask, Finish

TOP: Final = (20, 5)
"""How many log-probabilities a position are asked for; some endpoints give few."""

LIMITS: Final = ("max_tokens", "max_completion_tokens")
"""The two names of the longest answer: all know the first, and OpenAI's newer models only the second."""

LONGEST: Final = 700_000
"""Bytes of JSON of the longest answer that is kept; a line of `responses.jsonl` has no room for more."""

_AROUND: Final = " \t\r\n()[]*\"'`.,:;"
"""What may stand around a letter within one token."""

_BEFORE: Final = " \t\r\n(["
"""What the tokens before the letter may consist of."""

_FINISHES: Final[Mapping[str, Finish]] = {"length": "length", "max_tokens": "length", "content_filter": "refusal"}


class Dialect:
    """Which parameters an endpoint's model takes; what it refuses is not sent again."""

    def __init__(self, is_openai: bool) -> None:
        self.limit = LIMITS[is_openai]
        self.top: int | None = TOP[0]
        self._refused: set[str] = set()

    def parameters(self, ask: Ask, decoding: Decoding) -> dict[str, Any]:
        """Return the parameters of a question beside its model and messages."""
        found: dict[str, Any] = {self.limit: decoding.max_tokens}
        if "temperature" not in self._refused:
            found["temperature"] = decoding.temperature
        if decoding.temperature > 0 and "seed" not in self._refused:
            found["seed"] = seed_of(ask, decoding.seed)
        if ask.letters is not None and self.top is not None:
            found |= {"logprobs": True, "top_logprobs": self.top}
        return found

    def drop(self, parameter: str, sent: Mapping[str, Any]) -> bool:
        """Do without a parameter that was refused, or with its other name; False: there is no other way.

        Several questions under way may be refused for the same reason: only what is still sent is changed.
        """
        self._refused.add(parameter)
        if parameter in LIMITS:
            other = LIMITS[parameter == LIMITS[0]]
            self.limit = other if self.limit == parameter else self.limit
            return other not in self._refused
        if parameter == "top_logprobs" and sent.get("top_logprobs") == self.top:
            self.top = TOP[1] if self.top == TOP[0] else None
        elif parameter == "logprobs":
            self.top = None
        return True


def seed_of(ask: Ask, seed: int) -> int:
    """Return the seed of one question, in 31 bits: each has its own, and repeats differ."""
    text = f"{seed}/{'/'.join(map(str, ask.key))}"
    return int.from_bytes(sha256(text.encode("utf-8", "replace")).digest()[:4], "big") >> 1


def messages(ask: Ask, image: str | None) -> list[dict[str, Any]]:
    """Return one user message: the image, given as a data URI, then the text."""
    if image is None:
        return [{"role": "user", "content": ask.prompt}]
    picture = {"type": "image_url", "image_url": {"url": image}}
    return [{"role": "user", "content": [picture, {"type": "text", "text": ask.prompt}]}]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is read from an answer's body; `cost` is what the endpoint says it cost in US dollars."""

    text: str
    finish: Finish
    logprobs: dict[str, float] | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    model: str | None


def read(body: bytes, content_type: str, sent: Sent, letters: tuple[str, str] | None) -> Reply:
    """Read the body of an answer with status 200.

    Raises:
        Again: it is no chat completion, or an empty one.
        Hopeless: the answer is too long to be kept.
        Fault: the body says that something went wrong; see `fault`.
    """
    if "json" not in content_type.lower():
        raise Again(f"the answer is of type {content_type[:80] or 'nothing'}, not JSON", charged=True)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Again("the answer is no valid JSON", charged=True) from error
    if not isinstance(value, dict):
        raise Again("the answer is no JSON object", charged=True)
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    wrong = value.get("error") or choice.get("error")
    if wrong:
        code = wrong.get("code") if isinstance(wrong, dict) else None
        raise fault(code if type(code) is int and 400 <= code < 600 else 502, {"error": wrong}, None, sent)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Again("the answer has no choices", charged=True)
    tokens_in, tokens_out, cost = _usage(value.get("usage"))
    text, finish = _text(message, choice.get("finish_reason"))
    return Reply(
        text=text,
        finish=finish,
        logprobs=None if letters is None else letter_logprobs(choice.get("logprobs"), letters),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=cost,
        model=whole(model)[:200].strip() or None if isinstance(model := value.get("model"), str) else None,
    )


def _text(message: Mapping[str, Any], reason: object) -> tuple[str, Finish]:
    """Return the answer and why it ended."""
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):  # parts, as some endpoints give them
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        content = "".join(part for part in parts if isinstance(part, str))
    finish = _FINISHES.get(reason.lower() if isinstance(reason, str) else "", "stop")
    if isinstance(refusal, str) and refusal:
        content, finish = refusal, "refusal"
    if content is None and finish != "stop":  # all tokens went into thinking, or the filter left nothing
        content = ""
    if not isinstance(content, str):
        raise Again("the answer has no content", charged=True)
    content = whole(content)
    if len(json.dumps(content, ensure_ascii=False).encode()) > LONGEST:
        raise Hopeless(f"the answer is longer than {LONGEST:,} bytes", charged=True)
    return content, finish


def whole(text: str) -> str:
    """Replace halves of characters (lone surrogates), which no file can hold."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _usage(usage: object) -> tuple[int | None, int | None, float | None]:
    found = usage if isinstance(usage, dict) else {}
    tokens = [found.get(name) for name in ("prompt_tokens", "completion_tokens")]
    read = [count if type(count) is int and 0 <= count < 2**31 else None for count in tokens]
    cost = found.get("cost")
    fits = isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < 1e9
    return read[0], read[1], float(cost) if fits and cost is not None else None


# -- log-probabilities ----------------------------------------------------------------------------------------------


def letter_logprobs(found: object, letters: tuple[str, str]) -> dict[str, float] | None:
    """Read the log-probabilities of the two letters from a choice's `logprobs`.

    They are those of the first position that is more than white space and brackets. The probabilities of all its tokens
    that are the same letter with or without white space, brackets and punctuation are added; what was certain before
    that position is multiplied in.

    Example:
        >>> top = [{"token": "A", "logprob": -0.1}, {"token": " A", "logprob": -3.0}, {"token": "B", "logprob": -4.0}]
        >>> found = letter_logprobs({"content": [{"token": "A", "logprob": -0.1, "top_logprobs": top}]}, ("A", "B"))
        >>> {letter: round(value, 4) for letter, value in found.items()}
        {'a': -0.0465, 'b': -4.0}

    Returns:
        Natural logarithms for "a", the letter shown first, and "b"; None where either is not among the tokens given.
    """
    content = found.get("content") if isinstance(found, dict) else None
    before = 0.0
    for position in content if isinstance(content, list) else ():
        tokens = _tokens(position)
        chosen = position.get("token") if isinstance(position, dict) else None
        if not isinstance(chosen, str) or chosen not in tokens:
            return None
        if chosen.strip(_BEFORE):
            return _of_letters(tokens, [letter.strip(_AROUND) for letter in letters], before)
        before += tokens[chosen]
    return None


def _tokens(position: object) -> dict[str, float]:
    """Return the log-probability of every token of a position, the chosen one among them."""
    found: dict[str, float] = {}
    if isinstance(position, dict):
        top = position.get("top_logprobs")
        for entry in (position, *(top if isinstance(top, list) else ())):
            token, value = (entry.get("token"), entry.get("logprob")) if isinstance(entry, dict) else (None, None)
            if isinstance(token, str) and isinstance(value, int | float) and isfinite(value) and value <= 1e-3:
                found[token] = min(0.0, float(value))
    return found


def _of_letters(tokens: Mapping[str, float], letters: Sequence[str], before: float) -> dict[str, float] | None:
    shares = [
        [value for token, value in tokens.items() if token.strip(_AROUND) == letter and letter] for letter in letters
    ]
    if not all(shares):
        return None
    # the largest is taken out first, so that very small probabilities do not vanish
    sums = [max(values) + log(sum(exp(value - max(values)) for value in values)) for values in shares]
    return {"a": before + sums[0], "b": before + sums[1]}
