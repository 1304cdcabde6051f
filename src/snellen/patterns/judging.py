"""Tagging by a model: each pair is put to it once, every raw reply is on disk as it comes, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from snellen import jsonl
from snellen.errors import Incomplete, StudyError
from snellen.mllms.base import MultimodalModel
from snellen.patterns.reply import TRIES
from snellen.progress import Progress
from snellen.records import Ask, Response
from snellen.runs import append, read_responses
from snellen.runs.responses import mend

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Replies(Generic[Read]):
    """What a model replied: what could be read, by name; names whose replies were unreadable; names without a reply.

    `new` replies came now, errors aside; tokens and `cost_usd` (None: no price known) are theirs. `failed` says why
    some are missing.
    """

    read: Mapping[str, Read]
    unread: tuple[str, ...]
    missing: tuple[str, ...]
    new: int
    tokens: int
    cost_usd: float | None
    failed: str | None


def replies(
    path: Path,
    names: Collection[str],
    make: Callable[[str, int], Ask],
    read: Callable[[str | None], Read | None],
    model: MultimodalModel,
    progress: Progress,
    label: str,
) -> Replies[Read]:
    """Ask until every name has a reply that can be read, or three that cannot.

    Args:
        path: where responses are kept; those that are there are not asked for again.
        names: what is asked, once each.
        make: makes the `Ask` of a name's attempt, 0, 1 or 2, with `question_id` the name and `repeat` the attempt.
        read: reads a reply; None: it cannot be read.
        model: who is asked.
        progress: told of every reply.
        label: says to it what is done.

    Raises:
        StudyError: the file is damaged, or an image is gone.
        ModelError: the model cannot be asked at all.
        StorageError: the disk is full or not writable.
    """
    mend(path)
    there = {(one.question_id, one.repeat): one for one in read_responses(path).values() if one.finish != "error"}
    came: list[Response] = []
    failed: str | None = None
    progress.start(label, len(names), "pairs")
    progress.advance(len(names) - len(_left(names, there, read)))
    for attempt in range(TRIES):
        pending = [name for name, at in _left(names, there, read).items() if at == attempt]
        if not pending or failed is not None:
            continue
        asks = _Asks(pending, attempt, make)
        try:
            for response in model.answer(asks):
                append(path, [response])
                came.append(response)
                if response.finish != "error":
                    there[response.question_id, response.repeat] = response
                    progress.advance(response.question_id not in _left([response.question_id], there, read))
        except Incomplete as stopped:
            failed = str(stopped).rstrip(".")
        if asks.failed is not None:
            raise asks.failed
    progress.finish()
    left = _left(names, there, read)
    found = {name: value for name in names if (value := _value(name, there, read)) is not None}
    errors = [one.error for one in came if one.error is not None and one.question_id in left]
    if left and failed is None and errors:
        failed = f"{len(errors):,} ended in errors, the first in {jsonl.quoted(errors[0])}"
    costs = [one.cost_usd for one in came if one.cost_usd is not None]
    return Replies(
        read=found,
        unread=tuple(name for name in names if name not in found and name not in left),
        missing=tuple(left),
        new=sum(one.finish != "error" for one in came),
        tokens=sum((one.tokens_in or 0) + (one.tokens_out or 0) for one in came),
        cost_usd=sum(costs) if costs else None,
        failed=failed,
    )


def finished(path: Path, names: Collection[str], read: Callable[[str | None], Read | None]) -> bool:
    """Tell whether every name has a reply that can be read, or three that cannot.

    Raises:
        StudyError: the file is damaged.
    """
    there = {(one.question_id, one.repeat): one for one in read_responses(path).values() if one.finish != "error"}
    return not _left(names, there, read)


Attempts = Mapping[tuple[str, int], Response]


def _left(names: Iterable[str], there: Attempts, read: Callable[[str | None], Read | None]) -> dict[str, int]:
    """Return the next attempt of every name that has neither a readable reply nor three that are not."""
    left = {}
    for name in names:
        tried = next((attempt for attempt in range(TRIES) if (name, attempt) not in there), TRIES)
        if tried < TRIES and _value(name, there, read) is None:
            left[name] = tried
    return left


def _value(name: str, there: Attempts, read: Callable[[str | None], Read | None]) -> Read | None:
    """Return the first reply that can be read; one that was cut off by the limit on its length cannot."""
    for attempt in range(TRIES):
        one = there.get((name, attempt))
        value = read(one.text) if one is not None and one.finish == "stop" else None
        if value is not None:
            return value
    return None


class _Asks:
    """The `Ask`s of one attempt, as the engine draws them; an image that is gone ends them, and `failed` says so.

    So what is under way is not lost: whoever asks raises it once the engine has handed out the rest.
    """

    def __init__(self, names: Sequence[str], attempt: int, make: Callable[[str, int], Ask]) -> None:
        self.failed: StudyError | None = None
        self._names, self._attempt, self._make = names, attempt, make

    def __iter__(self) -> Iterator[Ask]:
        for name in self._names:
            try:
                ask = self._make(name, self._attempt)
            except StudyError as error:
                self.failed = error
                return
            yield ask
