"""Work on many threads, its results in order and few of them waiting; and one thread for each BLAS call."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep matrix products from starting threads of their own while ours run."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


class TooLarge(Exception):
    """Raised by work whose task should be done in smaller parts."""


@dataclass
class _Waiting(Generic[Task, Result]):
    task: Task
    future: Future[Result] | None = None


def in_order(
    tasks: Iterable[Task],
    work: Callable[[Task], Result],
    threads: int,
    split: Callable[[Task, TooLarge], list[Task]] | None = None,
) -> Iterator[tuple[Task, Result]]:
    """Yield each task with its result, in the order of the tasks, at most 4 * threads results waiting.

    Args:
        tasks: taken as they are needed.
        work: called in a thread; in this one where `threads` is 1.
        threads: how many at a time.
        split: given a task that was TooLarge, and that error, returns tasks to do in its place; None: no task is.
    """
    if threads == 1:
        yield from _one_by_one(tasks, work, split)
        return
    more = iter(tasks)
    waiting: deque[_Waiting[Task, Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="snellen-mine") as pool:
        try:
            while True:
                while len(waiting) < 2 * threads and (task := next(more, None)) is not None:
                    waiting.append(_Waiting(task))
                # Parts of a split task wait their turn, too: results are held, and must stay few.
                for each in islice(waiting, 2 * threads):
                    each.future = each.future or pool.submit(work, each.task)
                if not waiting:
                    return
                first = waiting.popleft()
                assert first.future is not None
                error = first.future.exception()
                if error is None:
                    yield first.task, first.future.result()
                    continue
                if split is None or not isinstance(error, TooLarge):
                    raise error
                waiting.extendleft(_Waiting(part) for part in reversed(split(first.task, error)))
        finally:
            for each in waiting:
                if each.future is not None:
                    each.future.cancel()


def _one_by_one(
    tasks: Iterable[Task],
    work: Callable[[Task], Result],
    split: Callable[[Task, TooLarge], list[Task]] | None,
) -> Iterator[tuple[Task, Result]]:
    for first in tasks:
        waiting = deque([first])
        while waiting:
            task = waiting.popleft()
            try:
                result = work(task)
            except TooLarge as error:
                if split is None:
                    raise
                waiting.extendleft(reversed(split(task, error)))
                continue
            yield task, result
