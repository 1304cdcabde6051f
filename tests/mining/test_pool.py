"""Work on threads: in order, few at a time, and nothing left running whatever happens."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from snellen.mining.join.pool import TooLarge, cores, in_order, one_blas_thread

WAIT = 20.0
"""Seconds after which a test gives up waiting."""


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("snellen-mine")]


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    assert running() == []


def halved(task: range, error: TooLarge) -> list[range]:
    middle = (task.start + task.stop) // 2
    return [range(task.start, middle), range(middle, task.stop)]


@pytest.mark.parametrize("threads", [1, 2, 3])
class TestOrder:
    def test_results_come_in_the_order_of_tasks(self, threads: int) -> None:
        delays = np.random.default_rng(0).uniform(0, 0.01, 30)

        def work(task: int) -> int:
            time.sleep(delays[task])
            return task * task

        assert list(in_order(range(30), work, threads)) == [(task, task * task) for task in range(30)]

    def test_no_tasks(self, threads: int) -> None:
        assert list(in_order([], abs, threads)) == []

    @pytest.mark.parametrize("limit", [1, 3, 50])
    def test_what_is_too_much_is_split_in_place(self, threads: int, limit: int) -> None:
        tasks = [range(0, 16), range(16, 17), range(17, 60), range(60, 61)]

        def work(task: range) -> int:
            if len(task) > limit:
                raise TooLarge
            return sum(task)

        found = list(in_order(tasks, work, threads, halved))
        assert [row for task, _ in found for row in task] == list(range(61))
        assert all(len(task) <= limit and result == sum(task) for task, result in found)

    def test_tasks_are_taken_as_they_are_needed(self, threads: int) -> None:
        taken = 0

        def tasks() -> Iterator[int]:
            nonlocal taken
            for task in range(100):
                taken += 1
                yield task

        started: list[int] = []
        for task, _ in in_order(tasks(), started.append, threads):
            assert taken <= task + 2 * threads
            assert len(started) <= task + 2 * threads
        assert taken == 100

    def test_an_error_comes_out_and_ends_the_rest(self, threads: int) -> None:
        started: list[int] = []
        release = threading.Event()

        def work(task: int) -> int:
            started.append(task)
            if task == 3:
                release.set()
                raise ValueError("task 3")
            if task > 3:
                release.wait(WAIT)
            return task

        found = []
        with pytest.raises(ValueError, match="task 3"):
            for task, _ in in_order(range(1000), work, threads):
                found.append(task)
        assert found == [0, 1, 2]
        assert max(started) < 3 + 2 * threads

    def test_an_error_that_is_not_split(self, threads: int) -> None:
        def work(task: range) -> int:
            raise (TooLarge if len(task) > 2 else ZeroDivisionError)

        with pytest.raises(ZeroDivisionError):
            list(in_order([range(8)], work, threads, halved))

    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    def test_a_consumer_that_fails(self, threads: int, error: type[BaseException]) -> None:
        started: list[int] = []

        def work(task: int) -> None:
            started.append(task)
            time.sleep(0.001)

        def consume() -> None:
            for task, _ in in_order(range(10_000), work, threads):
                if task == 5:
                    raise error

        with pytest.raises(error):
            consume()
        assert running() == []
        assert len(started) <= 6 + 2 * threads

    def test_a_consumer_that_stops(self, threads: int) -> None:
        started: list[int] = []
        results = in_order(range(10_000), started.append, threads)
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert running() == []
        assert len(started) <= 1 + 2 * threads

    def test_interrupted_while_it_waits(self, threads: int) -> None:
        """Ctrl-C reaches the main thread while it waits for a result."""
        main = threading.main_thread().ident
        assert main is not None
        if threading.current_thread() is not threading.main_thread():
            pytest.skip("signals reach the main thread only")
        started: list[int] = []

        def work(task: int) -> None:
            started.append(task)
            time.sleep(0.05)  # by then all threads are up, and the main one waits
            if task == 1:
                signal.pthread_kill(main, signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            list(in_order(range(1000), work, threads))
        assert running() == []
        assert len(started) <= 2 + 2 * threads


def test_threads_work_at_the_same_time() -> None:
    meet = threading.Barrier(3, timeout=WAIT)
    assert [result for _, result in in_order(range(3), lambda task: meet.wait() >= 0, 3)] == [True] * 3


def test_one_thread_works_in_the_caller() -> None:
    found = [name for _, name in in_order(range(3), lambda task: threading.current_thread().name, 1)]
    assert found == [threading.current_thread().name] * 3


@pytest.mark.parametrize("threads", [2, 3])
def test_results_that_wait_are_few_after_splits_too(threads: int) -> None:
    held, most = set[range](), 0
    lock = threading.Lock()

    def work(task: range) -> range:
        nonlocal most
        if len(task) > 1:
            raise TooLarge
        with lock:
            held.add(task)
            most = max(most, len(held))
        return task

    def singles(task: range, error: TooLarge) -> list[range]:
        return [range(row, row + 1) for row in task]

    found = []
    for task, _ in in_order([range(start, start + 64) for start in range(0, 256, 64)], work, threads, singles):
        time.sleep(0.0005)  # slower than the work
        held.remove(task)
        found.append(task.start)
    assert found == list(range(256))
    assert 1 < most <= 4 * threads


@pytest.mark.parametrize("threads", [2, 3])
def test_what_has_not_begun_is_not_begun_after_an_error(threads: int) -> None:
    started: list[int] = []
    release = threading.Event()

    def work(task: int) -> None:
        started.append(task)
        if task > 0:
            release.wait(WAIT)

    def consume() -> None:
        for _ in in_order(range(1000), work, threads):
            raise RuntimeError

    timer = threading.Timer(0.3, release.set)
    timer.start()
    with pytest.raises(RuntimeError):
        consume()
    timer.join()
    assert len(started) <= 1 + threads


def test_one_blas_thread() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    with one_blas_thread():
        found = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        assert found and set(found) == {1}


def test_cores() -> None:
    assert cores() == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
