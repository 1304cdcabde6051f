"""Multimodal LLMs behind an OpenAI-compatible endpoint: OpenAI, vLLM, SGLang, Ollama, llama.cpp, Gemini, OpenRouter.

    openai/gpt-5-mini     openai/qwen/qwen3-vl@openrouter     openai/llava@http://127.0.0.1:8000/v1

`endpoints` knows their names and keys, `chat` what is sent and read, `faults` what errors mean, `traffic` how often is
tried and what may be spent; here they come together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Final

from snellen.encoders.fingerprint import of_recipe
from snellen.errors import Incomplete, SnellenError
from snellen.mllms.background import Background
from snellen.mllms.base import Compute, Decoding, Supports, Traffic
from snellen.mllms.chat import Dialect
from snellen.mllms.desk import Contact, Desk, client_for
from snellen.mllms.endpoints import endpoint_named, key_for
from snellen.mllms.traffic import Meter, Pace, checked
from snellen.records import Ask, Response
from snellen.study import software

DOWN: Final = 10
"""Questions that may fail one after the other, with no answer between them, before the endpoint is taken to be down."""


def load(
    name: str, model: str, weights: str | None, *, decoding: Decoding, compute: Compute, traffic: Traffic
) -> EndpointModel:
    """Prepare to ask `openai/<model>[@<endpoint>]`; nothing is sent yet.

    Args:
        name: What is recorded.
        model: The model's name at the endpoint.
        weights: The endpoint: a short name of `endpoints.ENDPOINTS`, a URL, or None: OpenAI itself.
        decoding: How answers are drawn.
        compute: Not needed: the endpoint computes.
        traffic: How the endpoint is treated.

    Raises:
        UsageError: there is no such endpoint, or a number in `traffic` is out of range.
        ModelError: there is no key.
    """
    import openai  # noqa: F401 - whether it is installed is told before anything else

    endpoint = endpoint_named(name, weights)
    traffic = checked(traffic)
    contact = Contact(
        name=name,
        model=model,
        endpoint=endpoint,
        key=key_for(name, endpoint, traffic.key_variable),
        key_variable=traffic.key_variable or endpoint.key_variable,
        decoding=decoding,
        traffic=traffic,
        dialect=Dialect(endpoint.is_openai),
        meter=Meter(traffic, decoding.max_tokens),
        pace=Pace(traffic.per_minute),
    )
    return EndpointModel(contact)


class EndpointModel:
    """A model behind an endpoint; see `MultimodalModel`.

    What is spent counts for as long as this object lives, over all calls of `answer`.
    """

    def __init__(self, contact: Contact) -> None:
        self._contact = contact
        self.name = contact.name
        self.decoding = contact.decoding
        self.fingerprint = of_recipe(
            {"provider": "openai", "base_url": contact.endpoint.base_url, "model": contact.model}
        )
        self.template: str | None = None
        self.software: Mapping[str, str] = {"openai": software("openai")["openai"]}

    @property
    def supports(self) -> Supports:
        """Log-probabilities are asked for until the endpoint refuses them."""
        return Supports(logprobs=self._contact.dialect.top is not None)

    def answer(self, asks: Iterable[Ask]) -> Iterator[Response]:
        """Answer every question; see `MultimodalModel.answer`.

        `asks` is drawn from in the caller's thread, never more than `traffic.concurrency` ahead of what was handed out.

        Raises:
            ModelError: nothing can be answered: no server, a wrong key, an unknown model, one that takes no images.
            Incomplete: the budget or the credit is spent, or the endpoint has failed ten times without an answer.
        """
        drawn = iter(asks)
        came: SimpleQueue[Future[Response | None]] = SimpleQueue()
        client = client_for(self._contact)
        stopped: SnellenError | None = None
        came_now: Response | None = None
        under_way = failed = 0
        with Background(client) as background:
            desk = Desk(self._contact, client)
            while True:
                while stopped is None and under_way < self._contact.traffic.concurrency:
                    ask = _next(drawn)
                    if not isinstance(ask, Ask):
                        stopped = ask
                        break
                    background.submit(desk.put(ask)).add_done_callback(came.put)
                    under_way += 1
                if came_now is not None:
                    yield came_now
                if not under_way:
                    break
                outcome = _outcome(came.get())
                under_way -= 1
                came_now = outcome if isinstance(outcome, Response) else None
                if came_now is not None:
                    failed = failed + 1 if came_now.finish == "error" else 0
                    if failed == DOWN:
                        outcome = self._down(came_now)
                if isinstance(outcome, SnellenError):
                    stopped = stopped or outcome
                    background.loop.call_soon_threadsafe(desk.close)
        if stopped is not None:
            raise stopped

    def _down(self, last: Response) -> Incomplete:
        return Incomplete(
            f"{self._contact.endpoint.base_url} failed {DOWN} questions in a row, the last with {last.error!r}: see "
            "that it is up, and takes such questions"
        )


def _next(drawn: Iterator[Ask]) -> Ask | SnellenError | None:
    """Draw a question; one that cannot be made costs none of those under way, so its error comes as a value."""
    try:
        return next(drawn, None)
    except SnellenError as error:
        return error


def _outcome(future: Future[Response | None]) -> Response | SnellenError | None:
    try:
        return future.result()
    except SnellenError as error:
        return error
