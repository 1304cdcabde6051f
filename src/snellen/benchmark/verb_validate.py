"""The verb `validate`: can this benchmark be trusted?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from snellen import benchmarks
from snellen.benchmarks import Benchmark


@dataclass(frozen=True)
class Validation:
    """What is wrong with a benchmark, a sentence each; `benchmark` is None where it cannot be read.

    `notes` are no faults: that the key of a benchmark that is as published (`option_seed` is null) can be guessed.
    """

    folder: Path
    problems: tuple[str, ...]
    benchmark: Benchmark | None
    notes: tuple[str, ...] = ()


def validate(folder: str | Path) -> Validation:
    """Check a benchmark that anybody may have made, and list everything that is wrong with it.

    Fields and types; images by their hashes, inside the folder and behind no link; pairs of two questions with the same
    text and options, and with different images and answers; the content hash; overlays; and whether the answers can be
    guessed from slots, lines or file names (exact binomial tests): a note, where the key is as somebody published it.

    Args:
        folder: the benchmark's folder, in a study or anywhere else.

    Raises:
        UsageError: the folder holds no benchmark.
    """
    loaded = benchmarks.load(folder)
    return Validation(
        Path(folder), tuple(benchmarks.problems(loaded)), loaded.benchmark, tuple(benchmarks.notes(loaded))
    )
