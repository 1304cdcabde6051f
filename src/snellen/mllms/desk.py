"""One question at an endpoint: its tries, one after the other, until there is an answer or no hope of one."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, Final

from snellen.errors import Incomplete, ModelError
from snellen.mllms import chat
from snellen.mllms.base import respond
from snellen.mllms.endpoints import NO_KEY, one_line, redacted
from snellen.mllms.faults import Again, Hopeless, NotTaken, Refused, Sent, fault
from snellen.mllms.pictures import data_uri
from snellen.mllms.traffic import patience
from snellen.records import Ask, Response

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

    from snellen.mllms.openai import EndpointModel

LARGEST: Final = 64 * 2**20
"""Bytes of the largest answer that is read."""

UNREACHED: Final = 3
"""Tries at an endpoint at which nothing has ever answered."""

_OURS: Final = {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host"}
_OPENAIS: Final = {"openai-organization", "openai-project"}


class _Closed(Exception):
    """Asking has stopped before this question was sent."""


class Desk:
    """Puts questions to an endpoint, many at a time, within one event loop."""

    def __init__(self, model: EndpointModel) -> None:
        self._model = model
        self._client: AsyncOpenAI = model.client
        self._closed = asyncio.Event()
        self._settled = asyncio.Event()

    def close(self) -> None:
        """Begin nothing more; tries that are under way end by themselves."""
        self._closed.set()
        self._settled.set()

    async def put(self, ask: Ask) -> Response | None:
        """Return the answer to a question, or the error after which it was given up; None: it was not asked.

        Raises:
            ModelError: none can be answered.
            Incomplete: nothing more may be spent.
        """
        began = time.monotonic()
        image = None
        if ask.image is not None:
            image = await asyncio.to_thread(data_uri, ask.image, f"The image of question {ask.question_id}")
        tries = 0
        while True:
            started = time.monotonic()
            try:
                return await self._try(ask, image)
            except _Closed:
                return None
            except NotTaken as fault:
                if not self._model.dialect.drop(fault.parameter, self._sent(ask, image).parameters):
                    raise ModelError(f"{self._model.name} takes no limit on its answer's length ({fault}).") from None
            except Refused as fault:
                text = chat.whole(redacted(str(fault), self._model.key))
                return respond(ask, began=started, text=text, finish="refusal")
            except Hopeless as fault:
                return respond(ask, began=began, text=None, finish="error", error=self._said(fault))
            except Again as fault:
                tries += 1
                self._model.reached |= fault.reached
                if not self._model.reached and tries >= UNREACHED:
                    raise ModelError(
                        f"Nothing answers at {self._model.endpoint.base_url} ({self._said(fault)}): start the server "
                        "there, or check the address."
                    ) from None
                if tries > self._model.traffic.retries or await self._closes_within(patience(tries, fault.after)):
                    error = f"{self._said(fault)} (tried {tries:,} times)"
                    return respond(ask, began=began, text=None, finish="error", error=error)
