"""Which pattern a pair is judged with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from snellen.benchmarks import Benchmark
from snellen.diagnosis.answers import Asked
from snellen.errors import UsageError

ALL: Final = "all pairs"
"""The pattern of pairs without a tag."""


def tags_of(exam: Benchmark, wanted: str | None) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the tagset, and each tagged pair's patterns."""
    tags = exam.tags()
    known = sorted({tag.tagset for tag in tags})
    if wanted is None and len(known) == 1:
        wanted = known[0]
    if wanted is None and known:
        raise UsageError(f"{exam.folder} has several tagsets: name one with --tagset, {', '.join(known)}.")
    if wanted is not None and wanted not in known:
        raise UsageError(f"{exam.folder} has no tagset {wanted!r}: it has {', '.join(known) or 'none'}.")
    pair_of = {question.question_id: question.pair_id for question in exam.questions}
    found: dict[str, set[str]] = {}
    for tag in tags:
        if tag.tagset == wanted:
            found.setdefault(pair_of[tag.question_id], set()).update(tag.patterns)
    return wanted, {pair: tuple(sorted(patterns)) for pair, patterns in found.items()}


def grouped(tags: Mapping[str, Sequence[str]], pairs: Mapping[str, Asked]) -> dict[str, list[str]]:
    """Put every pair into one pattern: its own, or that of several which the most pairs have."""
    counts: dict[str, int] = {}
    for pair in pairs:
        for pattern in tags.get(pair) or (ALL,):
            counts[pattern] = counts.get(pattern, 0) + 1
    found: dict[str, list[str]] = {}
    for pair in sorted(pairs):
        found.setdefault(max(tags.get(pair) or (ALL,), key=lambda one: (counts[one], one)), []).append(pair)
    return dict(sorted(found.items()))
