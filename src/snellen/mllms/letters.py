"""How a tokenizer spells the two letters of a question as the beginning of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Forms:
    """The tokens by which the two letters differ.

    `first` and `second` are the forms of each that may come next (with and without a space before); `prefix`, and its
    `text`, are what both have in common and comes before: empty, or an opening bracket, say.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    prefix: tuple[int, ...]
    text: str


class Letters:
    """Looks up the forms of letters; what depends on the end of the prompt alone is looked up once."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401 - transformers is untyped
        self._tokenizer = tokenizer
        self._known: dict[tuple[str, tuple[str, str]], Forms | None] = {}

    def forms(self, prompt: str, letters: tuple[str, str]) -> Forms | None:
        """Return how two letters begin an answer to a prompt; None where the tokenizer does not tell them apart."""
        tail = prompt[-40:]
        if (tail, letters) not in self._known:
            self._known[tail, letters] = self._look_up(tail, letters)
        return self._known[tail, letters]

    def _look_up(self, tail: str, letters: tuple[str, str]) -> Forms | None:
        found: dict[tuple[int, ...], tuple[str, dict[int, None], dict[int, None]]] = {}
        for space in ("", " "):
            one, other = (self._behind(tail, space + letter) for letter in letters)
            if one is None or other is None:
                continue
            at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
            if at is None or self._tokenizer.unk_token_id in (one[at], other[at]):
                continue
            common = len(_common(letters))
            text, first, second = found.setdefault(tuple(one[:at]), (space + letters[0][:common], {}, {}))
            first[one[at]] = second[other[at]] = None
        if not found:
            return None
        prefix = min(found, key=len)
        text, first, second = found[prefix]
        return Forms(tuple(first), tuple(second), prefix, text if prefix else "")

    def _behind(self, tail: str, text: str) -> list[int] | None:
        """Return the tokens of a text behind a prompt; None where it merges with the prompt's own last token."""
        before: list[int] = self._tokenizer.encode(tail, add_special_tokens=False)
        both: list[int] = self._tokenizer.encode(tail + text, add_special_tokens=False)
        return both[len(before) :] if both[: len(before)] == before and len(both) > len(before) else None


def _common(letters: tuple[str, str]) -> str:
    """What both begin with: the bracket of "(a)" and "(b)"."""
    one, other = letters
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return one[:at]
