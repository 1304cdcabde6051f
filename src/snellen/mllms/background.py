"""An asyncio loop in a daemon thread: work goes on while the caller does something else, and Ctrl-C waits for none."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, TypeVar

Made = TypeVar("Made")

PARTING: Final = 1.0
"""Seconds that leaving waits at most for what was cancelled."""


class Background:
    """Runs coroutines while its `with` block lasts; what is unfinished then is cancelled.

    Args:
        held: Opened in the loop before anything runs, and closed in it after all has ended: a client, say.
    """

    def __init__(self, held: AbstractAsyncContextManager[Any]) -> None:
        self._held = held
        self._ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._live()), name="snellen-endpoint", daemon=True)
        self.loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Event

    def __enter__(self) -> Background:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(PARTING)

    def submit(self, work: Coroutine[Any, Any, Made]) -> Future[Made]:
        """Begin something."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    async def _live(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        async with self._held:
            self._ready.set()
            await self._ended.wait()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
