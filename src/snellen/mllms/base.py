"""What a multimodal LLM is to Snellen: something that answers questions about images, one at a time or many at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from snellen.records import Ask, Finish, Response

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Decoding:
    """How answers are drawn from the model; part of what names a run.

    `temperature` 0 is greedy. `seed` goes to engines that take one, and counts only above temperature 0. `max_tokens`
    is the longest answer.
    """

    temperature: float = 0.0
    max_tokens: int = 1024
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what `run.json` records."""
        return {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}


@dataclass(frozen=True, slots=True)
class Compute:
    """Where and in what a model in this process computes; no part of what names a run.

    `batch_size` None: 1 on a CPU, 8 elsewhere.
    """

    device: str = "auto"
    dtype: str = "float32"
    batch_size: int | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """How an endpoint is treated; no part of what names a run.

    `concurrency` questions are under way at a time, at most `per_minute` are begun in any minute (None: no limit), each
    has `timeout` seconds a try and `retries` more tries. Prices are US dollars for a million tokens; None: not known.
    Nothing more is begun once `budget_usd` might be exceeded. `key_variable` is the environment variable that holds the
    key, where it is not the endpoint's usual one.
    """

    concurrency: int = 8
    per_minute: int | None = None
    timeout: float = 120.0
    retries: int = 6
    price_in: float | None = None
    price_out: float | None = None
    budget_usd: float | None = None
    key_variable: str | None = None


@dataclass(frozen=True, slots=True)
class Supports:
    """What an engine can do besides answering: letter log-probabilities, hidden states."""

    logprobs: bool = False
    hidden: bool = False


@runtime_checkable
class MultimodalModel(Protocol):
    """A multimodal LLM, ready to answer.

    Attributes:
        name: as recorded in runs: no path, no key, no host of this machine.
        fingerprint: 64 hex digits over what makes the model another one: weights, or endpoint and model name.
        decoding: how its answers are drawn.
        supports: what it can do besides answering.
        template: sha256 of the chat template that is applied here; None where the endpoint applies its own.
        software: versions of the libraries that take part, by distribution name.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102
    @property
    def decoding(self) -> Decoding: ...  # noqa: D102
    @property
    def supports(self) -> Supports: ...  # noqa: D102
    @property
    def template(self) -> str | None: ...  # noqa: D102
    @property
    def software(self) -> Mapping[str, str]: ...  # noqa: D102

    def answer(self, asks: Iterable[Ask]) -> Iterator[Response]:
        """Answer every question alone, without history; responses may come in any order, each as soon as it is there.

        The engine owns batching and concurrency, and draws from `asks` no faster than it needs to. A question that
        cannot be answered after bounded retries gives a response with finish `error`. An engine that has to stop early
        (budget spent, endpoint down) hands out what is under way, and then raises `Incomplete`.

        Raises:
            ModelError: nothing can be answered at all: no key, a wrong key, a model that takes no images.
            Incomplete: it stopped before all were answered.
        """
        ...


@runtime_checkable
class Transparent(MultimodalModel, Protocol):
    """A multimodal LLM whose hidden states can be seen; `supports.hidden` says so."""

    @property
    def stops(self) -> tuple[str, ...]:
        """The stops that there are, in the order of the way (`snellen.mllms.hidden`)."""

    def hidden(self, asks: Sequence[Ask], stops: Sequence[str]) -> list[dict[str, NDArray[np.float32]]]:
        """Return what the model holds at the stops while it reads each question: float32 [tokens, width] each.

        Raises:
            Unsupported: the architecture's parts are not known, or a stop has nothing.
        """

    def random_encoder(self, seed: int) -> AbstractContextManager[None]:
        """Have an encoder of the same architecture with random weights, for as long as this lasts: a control."""


def respond(
    ask: Ask,
    *,
    began: float,
    text: str | None,
    finish: Finish,
    prompt: str | None = None,
    error: str | None = None,
    logprobs: Mapping[str, float] | None = None,
    tokens_in: int | None = None,
    tokens_out: int | None = None,
    cost_usd: float | None = None,
    model_reported: str | None = None,
    seconds: float | None = None,
) -> Response:
    """Make the response to a question.

    Args:
        ask: What was asked.
        began: `time.monotonic()` when it was sent.
        text: The raw answer; None with finish `error`.
        finish: Why it ended.
        prompt: The text that was sent, where it is not `ask.prompt`.
        error: What went wrong, with finish `error`.
        logprobs: See `Response`.
        tokens_in: Tokens read, images among them where the engine counts them.
        tokens_out: Tokens written.
        cost_usd: What it cost.
        model_reported: What the endpoint says it is.
        seconds: How long it took, where that is not the time since `began` (a share of a batch).
    """
    return Response(
        question_id=ask.question_id,
        order=ask.order,
        repeat=ask.repeat,
        control=ask.control,
        variant=ask.variant,
        prompt=ask.prompt if prompt is None else prompt,
        text=text,
        finish=finish,
        error=error,
        logprobs=logprobs,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_usd=cost_usd,
        seconds=round(time.monotonic() - began if seconds is None else seconds, 6),
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        model_reported=model_reported,
    )
