"""The overlay `tags.jsonl`: one tagset a tagger, and what most of them say, without touching what others wrote.

`nine@1/judge:openai/gpt-5-mini` and `nine@1/hand:ada` are taggers of the taxonomy `nine@1`; `nine@1` alone is what the
majority of them say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snellen import jsonl, storage
from snellen.benchmarks import Benchmark
from snellen.records import Tag

TAGS: Final = "tags.jsonl"

PERSON: Final = "hand:"
"""How the name of a tagger who is a person begins."""

Sets = Mapping[str, frozenset[str]]
"""One tagger's patterns, by pair_id; a pair that is not there was not tagged."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """What most taggers say: `sets` of the pairs on which there is a majority.

    `disputed` are pairs that several tagged without any majority, `single` those that fewer than two tagged; neither
    has a line. `by_people` counts pairs on which a tie was decided by what people say.
    """

    sets: Sets
    disputed: tuple[str, ...]
    single: tuple[str, ...]
    by_people: int


def majority(taggers: Mapping[str, Sets], people: Iterable[str], pairs: Iterable[str]) -> Consensus:
    """Find what most taggers say of each pair.

    A pattern is given where more than half of the taggers of the pair give it. Exactly half is no majority: then more
    than half of the people among them decide, and where these are tied too, or none, it is not given. A pair for which
    no pattern is given so is tagged with none only where most taggers said that none fits; else it is disputed. One
    tagger alone is no majority.

    Example:
        >>> a, b, c = ({"p": frozenset(said)} for said in (["count"], ["count", "text"], ["state"]))
        >>> dict(majority({"a": a, "b": b, "c": c}, [], ["p"]).sets)
        {'p': frozenset({'count'})}

    Args:
        taggers: what each says, by tagset.
        people: which of them are people.
        pairs: all pairs.
    """
    persons = set(people)
    sets: dict[str, frozenset[str]] = {}
    disputed, single, by_people = [], [], 0
    for pair in pairs:
        said = {name: sets_of[pair] for name, sets_of in taggers.items() if pair in sets_of}
        if len(said) < 2:
            single.append(pair)
            continue
        asked = [each for name, each in said.items() if name in persons]
        given, helped = set(), False
        for pattern in sorted({one for each in said.values() for one in each}):
            verdict = _most(pattern, list(said.values()))
            if verdict is None:
                verdict = bool(asked) and bool(_most(pattern, asked))
                helped |= verdict
            if verdict:
                given.add(pattern)
        none = sum(not each for each in said.values())
        none_by_people = 2 * none == len(said) and 2 * sum(not each for each in asked) > len(asked)
        if given or 2 * none > len(said) or none_by_people:
            sets[pair] = frozenset(given)
            by_people += helped or (none_by_people and not given)
        else:
            disputed.append(pair)
    return Consensus(sets, tuple(disputed), tuple(single), by_people)


def _most(pattern: str, said: Sequence[frozenset[str]]) -> bool | None:
    """Say whether more than half give a pattern; None: exactly half do."""
    twice = 2 * sum(pattern in each for each in said)
    return None if twice == len(said) else twice > len(said)


def sets_of(benchmark: Benchmark, tags: Iterable[Tag]) -> dict[str, frozenset[str]]:
    """Return a tagset's patterns by pair_id: those of either question, as where scores are grouped by them."""
    pair_of = {question.question_id: question.pair_id for question in benchmark.questions}
    found: dict[str, frozenset[str]] = {}
    for tag in tags:
        name = pair_of[tag.question_id]
        found[name] = found.get(name, frozenset()) | frozenset(tag.patterns)
    return found


def lines_for(
    benchmark: Benchmark, tagset: str, sets: Sets, order: Sequence[str], by: str, prompt_sha256: str | None
) -> list[Tag]:
    """Tag both questions of every pair, which share their text, in the order of the benchmark's lines."""
    return [
        Tag(
            question.question_id,
            tagset,
            tuple(name for name in order if name in sets[question.pair_id]),
            by,
            prompt_sha256,
        )
        for question in benchmark.questions
        if question.pair_id in sets
    ]


def replaced(old: Sequence[Tag], new: Mapping[str, Sequence[Tag]]) -> list[Tag]:
    """Put tagsets in the place of what they were before, or at the end; every other line stays where it is."""
    left = dict(new)
    found: list[Tag] = []
    for tag in old:
        if tag.tagset not in new:
            found.append(tag)
        else:
            found += left.pop(tag.tagset, ())
    for lines in left.values():
        found += lines
    return found


def write(folder: Path, tags: Sequence[Tag]) -> None:
    """Write `tags.jsonl` atomically, unless it holds just that.

    Raises:
        StorageError: the disk is full or not writable.
    """
    data = jsonl.lines_of(tags)
    path = folder / TAGS
    if path.is_file() and path.read_bytes() == data:
        return
    if data or path.exists():
        storage.write_bytes(path, data)
