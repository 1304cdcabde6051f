"""A multimodal LLM that says what a function tells it to, and what is asked of it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from snellen.errors import SnellenError
from snellen.mllms.base import Decoding, Supports, respond
from snellen.records import Ask, Finish, Response


@dataclass
class Fake:
    """`say` returns the answer's text, None for an error; after `stop_after` answers, `stop_with` is raised."""

    say: Callable[[Ask], str | None]
    name: str = "openai/fake"
    fingerprint: str = "f" * 64
    decoding: Decoding = field(default_factory=Decoding)
    supports: Supports = field(default_factory=Supports)
    template: str | None = None
    software: Mapping[str, str] = field(default_factory=dict)
    finish: Finish = "stop"
    logprobs: Callable[[Ask], Mapping[str, float]] | None = None
    stop_after: int | None = None
    stop_with: SnellenError | None = None
    asked: list[Ask] = field(default_factory=list)

    def answer(self, asks: Iterable[Ask]) -> Iterator[Response]:
        for count, ask in enumerate(asks):
            if self.stop_with is not None and count == self.stop_after:
                raise self.stop_with
            self.asked.append(ask)
            text = self.say(ask)
            yield respond(
                ask,
                began=time.monotonic(),
                text=text,
                finish="error" if text is None else self.finish,
                error="the line was cut" if text is None else None,
                logprobs=self.logprobs(ask) if self.logprobs else None,
                tokens_in=10,
                tokens_out=1,
            )
