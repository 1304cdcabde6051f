"""The blind pairs of one stripe after another, each kept on disk as soon as it is whole.

The first stripe is the sample (`order`): when it is done, it is known about how many pairs there will be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from snellen.mining.estimates.interval import Estimate
from snellen.mining.estimates.limit import Limit
from snellen.mining.estimates.sample import ENOUGH_ROWS, Sample
from snellen.mining.found.merge import merged
from snellen.mining.found.parts import PAIR, Parts, Records
from snellen.mining.found.prune import pruning_from_json
from snellen.mining.found.sinks import Sink
from snellen.mining.found.sort import by_rows, sort_records
from snellen.mining.join.cells import CellCounts
from snellen.mining.join.order import Order
from snellen.mining.join.tiles import pairs_of_rows
from snellen.mining.join.two_sided import Found, Join
from snellen.progress import SILENT, Progress

LONG_SECONDS = 10.0
"""A join that takes longer says beforehand what it will find, and when."""


class Totals(NamedTuple):
    """Exact totals of a join: pairs that passed each test, and how those above the blind minimum spread."""

    above_blind_min: int
    below_reference_max: int
    after_labels: int
    above: CellCounts


@dataclass(frozen=True)
class Stripes:
    """A join, and where its stripes are kept.

    join: its positions are those of `order`; sink: says what of a found pair is stored; limit: on how many may pass;
    seed: of the estimate's interval; old: how many pairs an earlier study has found, None if there is none.
    """

    join: Join
    order: Order
    parts: Parts
    sink: Sink
    limit: Limit
    seed: int
    old: int | None = None

    def run(self, progress: Progress = SILENT) -> Totals:
        """Run the join, stripe by stripe, skipping those that an earlier run finished and that hold what is needed.

        Raises:
            UsageError: more pairs pass than may be, by the estimate or in fact; finished stripes stay.
        """
        n = len(self.order.rows)
        numbered = dict(enumerate(self.order.stripes(self.join.tiling)))
        progress.start("mining", self.join.pairs, "pairs")
        found = self.old or 0
        for number, rows in list(numbered.items()):
            counts = self.parts.finished(_name(number))
            if counts is not None and self.sink.accepts(pruning_from_json(counts["pruned"])):
                found += counts["passed"][2]
                progress.advance(pairs_of_rows(rows.start, rows.stop, n))
                del numbered[number]
        if not self.order.drawn:
            self.limit.check(found, Sample(self.join, self.order, self.seed, self.old).estimate)
        else:
            is_new = numbered.pop(0, None) is not None
            found += self._sampled(found, progress) if is_new else 0
            estimate = Estimate.from_json(self._finished(0)["sample"])
            self.limit.check_estimate(estimate)
            self.limit.check(found, lambda: estimate)
            if is_new and estimate.seconds_left > LONG_SECONDS:
                progress.note(estimate.text_with_time(estimate.seconds_left))
            with closing(self.join.blocks(numbered.values(), progress)) as blocks:
                for number, rows in numbered.items():
                    found += self._write(number, rows, blocks, found, lambda: estimate)
                next(blocks, None)  # it tells of the last block's progress when asked for more
        progress.finish()
        return self._sum()

    def records(self) -> Iterator[Records]:
        """Yield all that was stored, as PAIR records in row order, once the join has been run."""
        numbers = range(self._count())
        # Without the sample, positions are in row order; unless some images come last, whatever their rows.
        ordered = numbers[1:] if self.order.stop == len(self.order.rows) else numbers[:0]
        others = numbers[: len(numbers) - len(ordered)]
        return merged(sort_records(self._read(others), by_rows, self.parts.scratch), self._read(ordered))

    def _count(self) -> int:
        return sum(1 for _ in self.order.stripes(self.join.tiling))

    def _read(self, numbers: Iterable[int]) -> Iterator[Records]:
        for number in numbers:
            yield from self.parts.read(_name(number), PAIR)

    def _sampled(self, found_before: int, progress: Progress) -> int:
        sample = Sample(self.join, self.order, self.seed, self.old)
        with closing(sample.blocks(progress)) as blocks:
            written = self._write(
                0,
                range(self.order.drawn),
                self._watched(sample, blocks),
                found_before,
                sample.estimate,
                lambda: {"sample": sample.estimate().as_json()},
            )
            next(blocks, None)
        return written

    def _watched(self, sample: Sample, blocks: Iterator[tuple[range, Found]]) -> Iterator[tuple[range, Found]]:
        """Pass blocks on, and look after every doubling whether there will be far too many pairs."""
        ahead = ENOUGH_ROWS
        for rows, found in blocks:
            if rows.stop >= ahead and self.limit.most is not None:
                ahead = 2 * rows.stop
                self.limit.check_estimate(sample.estimate())
            yield rows, found

    def _write(
        self,
        number: int,
        rows: range,
        blocks: Iterator[tuple[range, Found]],
        found_before: int,
        estimate: Callable[[], Estimate],
        more: Callable[[], dict[str, Any]] = dict,
    ) -> int:
        """Write one stripe, with `more` beside its counts, and return how many pairs passed in it."""
        passed = np.zeros(3, dtype=np.int64)
        above = CellCounts.empty()

        def records() -> Iterator[Records]:
            nonlocal above
            for block, found in blocks:
                passed[:] += (found.above_blind_min, found.below_reference_max, len(found.a))
                above = above.joined(found.cells)
                self.limit.check(found_before + int(passed[2]), estimate)
                yield self.sink.records(self.join, found)
                if block.stop == rows.stop:
                    return

        def counts() -> dict[str, Any]:
            pruned = None if self.sink.pruned is None else self.sink.pruned.as_json()
            return {"passed": passed.tolist(), "above": above.as_json(), "pruned": pruned} | more()

        self.parts.write(_name(number), records(), counts)
        return int(passed[2])

    def _sum(self) -> Totals:
        passed = np.zeros(3, dtype=np.int64)
        above = CellCounts.empty()
        for number in range(self._count()):
            stored = self._finished(number)
            passed += stored["passed"]
            above = above.joined(CellCounts.from_json(stored["above"]))
        return Totals(int(passed[0]), int(passed[1]), int(passed[2]), above)

    def _finished(self, number: int) -> dict[str, Any]:
        stored = self.parts.finished(_name(number))
        assert stored is not None
        return stored


def _name(number: int) -> str:
    return f"pairs-{number:06d}"
