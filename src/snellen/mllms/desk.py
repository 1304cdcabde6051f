"""One question at an endpoint: its tries, one after the other, until there is an answer or no hope of one."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from snellen.errors import Incomplete, ModelError
from snellen.mllms import chat
from snellen.mllms.base import Decoding, Traffic, respond
from snellen.mllms.endpoints import NO_KEY, Endpoint, one_line, redacted
from snellen.mllms.faults import Again, Fault, Hopeless, NotTaken, Refused, Sent, fault
from snellen.mllms.pictures import data_uri
from snellen.mllms.traffic import Meter, Pace, patience
from snellen.records import Ask, Response

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

LARGEST: Final = 64 * 2**20
"""Bytes of the largest answer that is read."""

CONNECTING: Final = 20.0
"""Seconds that making a connection takes at most."""

UNREACHED: Final = 3
"""Tries at an endpoint at which nothing has ever answered, at most."""

_OURS: Final = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "x-stainless-raw-response",  # how the library knows what its caller wants
}
_OPENAIS: Final = {"openai-organization", "openai-project"}


@dataclass
class Contact:
    """Who is asked, how, and what has been learnt of them so far.

    `name` is the recorded one, `model` the endpoint's own; `reached` tells whether anything has ever answered there.
    """

    name: str
    model: str
    endpoint: Endpoint
    key: str | None
    key_variable: str | None
    decoding: Decoding
    traffic: Traffic
    dialect: chat.Dialect
    meter: Meter
    pace: Pace
    reached: bool = field(default=False)


def client_for(contact: Contact) -> AsyncOpenAI:
    """Make a client that retries nothing, follows no redirection, and sends the endpoint's own key and nothing else.

    The library takes headers for OpenAI from the environment; they are not for others.
    """
    import httpx2
    from openai import AsyncOpenAI

    key = contact.key or NO_KEY
    kept = _OURS | (_OPENAIS if contact.endpoint.is_openai else set())

    async def keep_ours(request: httpx2.Request) -> None:
        for header in list(request.headers):
            if header.lower() not in kept:
                del request.headers[header]
        request.headers["Authorization"] = f"Bearer {key}"
        request.headers["User-Agent"] = "snellen"

    timeout = httpx2.Timeout(None, connect=min(CONNECTING, contact.traffic.timeout))
    return AsyncOpenAI(
        api_key=key,
        base_url=contact.endpoint.base_url,
        max_retries=0,
        timeout=timeout,
        http_client=httpx2.AsyncClient(
            timeout=timeout,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=contact.traffic.concurrency),
            event_hooks={"request": [keep_ours]},
            follow_redirects=False,
            trust_env=not contact.endpoint.is_loopback,  # no proxy stands between this machine and itself
        ),
    )


class _Closed(Exception):
    """Asking has stopped before this question was sent, or sent again."""


class Desk:
    """Puts questions to an endpoint, many at a time, within one event loop."""

    def __init__(self, contact: Contact, client: AsyncOpenAI) -> None:
        self._to = contact
        # looked up here, because the library imports much at the first use, which is not to count as waiting
        self._create: Any = client.chat.completions.with_streaming_response.create
        self._closed = asyncio.Event()
        self._settled = asyncio.Event()

    def close(self) -> None:
        """Begin nothing more; tries that are under way end by themselves."""
        self._closed.set()
        self._settled.set()

    async def put(self, ask: Ask) -> Response | None:
        """Return the answer to a question, or the error after which it was given up; None: asking stopped before.

        Raises:
            ModelError: none can be answered.
            Incomplete: nothing more may be spent.
        """
        began = time.monotonic()
        tries = 0
        try:
            image = None if ask.image is None else await asyncio.to_thread(data_uri, ask.image)
            while True:
                try:
                    return await self._try(ask, image)
                except Again as again:
                    tries += 1
                    await self._before_another(again, tries)
        except _Closed:
            return None
        except Refused as refused:
            text = chat.whole(redacted(str(refused), self._to.key))
            return respond(ask, began=began, text=text, finish="refusal")
        except (Again, Hopeless) as hopeless:
            error = self._said(hopeless) + (f" (tried {tries:,} times)" if tries > 1 else "")
            return respond(ask, began=began, text=None, finish="error", error=error)

    async def _before_another(self, again: Again, tries: int) -> None:
        """Wait before another try, or raise what there was where there is none."""
        to = self._to
        to.reached |= again.reached
        if not to.reached and tries >= min(UNREACHED, to.traffic.retries + 1):
            raise ModelError(
                f"Nothing answers at {to.endpoint.base_url} ({self._said(again)}): start the server there, or check "
                "the address."
            ) from again
        if tries > to.traffic.retries:
            raise again
        if await self._closes_within(patience(tries, again.after)):
            raise _Closed

    async def _try(self, ask: Ask, image: str | None) -> Response:
        """Send a question once, or as often as the endpoint's parameters have yet to be learnt."""
        to = self._to
        while True:
            parameters = to.dialect.parameters(ask, to.decoding)
            sent = Sent(to.name, to.endpoint.base_url, to.key, to.key_variable, parameters, image is not None)
            try:
                return await self._send(ask, image, sent)
            except NotTaken as refused:
                to.reached = True
                if not to.dialect.drop(refused.parameter, parameters):
                    raise Hopeless(f"neither max_tokens nor max_completion_tokens is taken: {refused}") from refused

    async def _send(self, ask: Ask, image: str | None, sent: Sent) -> Response:
        """Send a question once, as soon as budget and rate allow."""
        to = self._to
        if self._closed.is_set():
            raise _Closed
        # anew each time: what has come since says more of what a question costs
        while not to.meter.fits(estimate := to.meter.estimate(ask.prompt, image is not None)):
            if not to.meter.under_way:
                raise Incomplete(to.meter.exhausted(estimate))
            self._settled.clear()
            await self._settled.wait()
            if self._closed.is_set():
                raise _Closed
        to.meter.begin(estimate)
        try:
            while (wait := to.pace.turn()) > 0:
                if await self._closes_within(wait):
                    raise _Closed
            started = time.monotonic()
            body, content_type = await self._exchange(ask, image, sent)
            to.reached = True
            reply = chat.read(body, content_type, sent, ask.letters)
            cost = to.meter.cost(reply.tokens_in, reply.tokens_out, reply.cost)
            to.meter.pay(cost, estimate, reply.tokens_in, reply.tokens_out)
        except Fault as fault:
            if fault.charged:
                to.meter.lost += estimate
            raise
        finally:
            to.meter.end(estimate)
            self._settled.set()
        return respond(
            ask,
            began=started,
            text=redacted(reply.text, to.key),
            finish=reply.finish,
            logprobs=reply.logprobs,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            cost_usd=cost,
            model_reported=None if reply.model is None else redacted(reply.model, to.key),
        )

    async def _exchange(self, ask: Ask, image: str | None, sent: Sent) -> tuple[bytes, str]:
        """Return the body and the content type of a successful answer; the time-out holds for all of it."""
        import httpx2
        import openai

        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._to.traffic.timeout),
                self._create(model=self._to.model, messages=chat.messages(ask, image), **sent.parameters) as response,
            ):
                async for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise Again(f"the answer is longer than {LARGEST:,} bytes", charged=True)
                return bytes(body), response.headers.get("content-type", "")
        except TimeoutError as error:
            raise Again(f"no answer within {self._to.traffic.timeout:g} s", charged=True) from error
        except openai.APIStatusError as error:
            raise fault(
                error.status_code, _parsed(error.response.text), error.response.headers.get("retry-after"), sent
            ) from None
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
            reason = f"the connection failed: {type(cause or error).__name__} {cause or error}"
            connected = not isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
            raise Again(reason, charged=connected, reached=connected) from error

    async def _closes_within(self, seconds: float) -> bool:
        """Wait so long, or until asking stops; tell whether it has."""
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return False
        return True

    def _said(self, fault: Fault) -> str:
        return one_line(str(fault), self._to.key)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
