"""Multimodal LLMs behind an OpenAI-compatible endpoint: OpenAI, vLLM, SGLang, Ollama, llama.cpp, Gemini, OpenRouter.

    openai/gpt-5-mini     openai/qwen/qwen3-vl@openrouter     openai/llava@http://127.0.0.1:8000/v1

`endpoints` knows their names and keys, `chat` what is sent and read, `faults` what errors mean, `traffic` how often is
tried and what may be spent; here they come together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from queue import SimpleQueue

from snellen.encoders.fingerprint import of_recipe
from snellen.errors import Incomplete, SnellenError
from snellen.mllms.background import Background
from snellen.mllms.base import Compute, Decoding, Supports, Traffic
from snellen.mllms.chat import Dialect
from snellen.mllms.desk import Desk, client_for
from snellen.mllms.endpoints import Endpoint, endpoint_named, key_for
from snellen.mllms.traffic import Meter, Pace, checked
from snellen.records import Ask, Response
from snellen.study import software

DOWN = 10
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
    return EndpointModel(name, model, endpoint, key_for(name, endpoint, traffic.key_variable), decoding, traffic)


class EndpointModel:
    """A model behind an endpoint; see `MultimodalModel`.

    What is spent counts for as long as this object lives, over all calls of `answer`.
    """

    def __init__(
        self, name: str, model: str, endpoint: Endpoint, key: str | None, decoding: Decoding, traffic: Traffic
    ) -> None:
        self.name = name
        self.model = model
        self.endpoint = endpoint
        self.key = key
        self.decoding = decoding
        self.traffic = traffic
        self.fingerprint = of_recipe({"provider": "openai", "base_url": endpoint.base_url, "model": model})
        self.template: str | None = None
        self.software: Mapping[str, str] = {"openai": software("openai")["openai"]}
        self.dialect = Dialect(endpoint.is_openai)
        self.meter = Meter(traffic, decoding.max_tokens)
        self.pace = Pace(traffic.per_minute)
        self.reached = False
        """Has anything ever answered there?"""

    @property
    def supports(self) -> Supports:
        """Log-probabilities are asked for until the endpoint refuses them."""
        return Supports(logprobs=self.dialect.top is not None)

    def answer(self, asks: Iterable[Ask]) -> Iterator[Response]:
        """Answer every question; see `MultimodalModel.answer`.

        `asks` is drawn from in the caller's thread, never more than `traffic.concurrency` ahead of what was handed out.

        Raises:
            ModelError: nothing can be answered: no server, a wrong key, an unknown model, one that takes no images.
            Incomplete: the budget or the credit is spent, or the endpoint has failed ten times without an answer.
        """
        drawn = iter(asks)
        came: SimpleQueue[Future[Response | None]] = SimpleQueue()
        stopped: SnellenError | None = None
        under_way = failed = answered = 0
        with Background(client_for(self)) as background:
            desk = Desk(self)

            def draw() -> SnellenError | None:
                nonlocal under_way
                try:
                    while under_way < self.traffic.concurrency and (ask := next(drawn, None)) is not None:
                        background.submit(desk.put(ask)).add_done_callback(came.put)
                        under_way += 1
                except SnellenError as error:  # a question that cannot be made costs none that are under way
                    return error
                return None

            stopped = draw()
            while under_way and not (stopped and not answered):
                try:
                    response = came.get().result()
                except SnellenError as error:
                    response, stopped = None, stopped or error
                under_way -= 1
                if response is not None:
                    failed = failed + 1 if response.finish == "error" else 0
                    answered += response.finish != "error"
                    if failed >= DOWN:
                        stopped = stopped or Incomplete(
                            f"{self.endpoint.base_url} failed {failed} times in a row, last with {response.error!r}: "
                            "see that it is up, and go on"
                        )
                if stopped:
                    background.loop.call_soon_threadsafe(desk.close)
                else:
                    stopped = draw()
                if response is not None:
                    yield response
        if stopped:
            raise stopped
