"""Benchmarks as they lie on disk: reading, checking, hashing. The stage that builds them is `snellen.benchmark`."""

from pathlib import Path

from snellen.benchmarks import overlays
from snellen.benchmarks.files import content_sha256
from snellen.benchmarks.leaks import leaks
from snellen.benchmarks.reader import Benchmark, Loaded, load, read

read_benchmark = read
"""`read` by the name under which `snellen` itself exports it."""


def check(folder: str | Path) -> list[str]:
    """Return everything that is wrong with a benchmark, a sentence each; none: it can be trusted.

    That is everything that `read` refuses, wrong overlays, and answers that can be guessed from how the benchmark was
    put together (`leaks`), unless it is as somebody published it (`notes`).

    Raises:
        UsageError: the folder holds no benchmark.
    """
    return problems(load(folder))


def problems(loaded: Loaded) -> list[str]:
    """Return everything that is wrong with a benchmark as it was loaded, a sentence each."""
    if loaded.benchmark is None:
        return loaded.problems
    questions = loaded.benchmark.questions
    guesses = [] if loaded.benchmark.option_seed is None else leaks(questions)
    return [*overlays.problems(loaded.folder, questions), *guesses]


def notes(loaded: Loaded) -> list[str]:
    """Return what is no fault and should be known: by which rules a key that is as published can be guessed."""
    if loaded.benchmark is None or loaded.benchmark.option_seed is not None:
        return []
    return leaks(loaded.benchmark.questions, published=True)


__all__ = ["Benchmark", "check", "content_sha256", "leaks", "load", "notes", "problems", "read", "read_benchmark"]
