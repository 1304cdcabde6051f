"""All of `mine` but the writing: copies collapsed, thresholds resolved, pairs joined, the collection surveyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from snellen.mining.asked import question as of
from snellen.mining.asked.prepare import condition_of, filter_for, join_of, ordered, resolve, sides
from snellen.mining.asked.question import Question
from snellen.mining.copies import collapse
from snellen.mining.estimates.limit import Limit
from snellen.mining.found.parts import Parts, Records
from snellen.mining.found.sinks import Sink
from snellen.mining.found.stripe import Stripes, Totals
from snellen.mining.join.tiles import Positions, pairs_of
from snellen.mining.survey.entries import survey
from snellen.progress import Progress


@dataclass(frozen=True)
class Counted:
    """What was counted, and the pairs themselves where the sink stored them.

    rows: of the images that were mined; resolved: the thresholds; totals: of the join; surveyed: histogram, near
    misses and suggestions.
    """

    question: Question
    rows: Positions
    resolved: dict[str, Any]
    totals: Totals
    surveyed: dict[str, Any]
    stripes: Stripes

    def records(self) -> Iterator[Records]:
        """Yield the pairs as PAIR records, in row order."""
        earlier, new = self.question.earlier, self.stripes.records()
        return new if earlier is None else earlier.merged(new, self.stripes.parts.scratch / "earlier")

    def counts(self) -> dict[str, int]:
        """Return how many images and pairs every filter left, in order, up to the caps."""
        collection = self.question.collection
        return {
            "images": len(collection),
            "ok": int(np.count_nonzero(collection.ok)),
            "distinct": len(collection.distinct()),
            "after_collapse": len(self.rows),
            "pairs": pairs_of(len(self.rows)),
            "above_blind_min": self.totals.above_blind_min,
            "below_reference_max": self.totals.below_reference_max,
            "after_labels": self.totals.after_labels,
        }

    def details(self, counts: dict[str, int], truncated: dict[str, int] | None) -> dict[str, Any]:
        """Return the content of `mining.json`; without `truncated`, that of `counts.json`."""
        labels = self.question.collection.labels[self.rows]
        without = None if self.question.options.labels == "any" else int(np.count_nonzero(labels < 0))
        settings = self.question.settings
        return {
            "blind": settings["blind"],
            "reference": settings["reference"],
            "asked": settings["asked"],
            "resolved": self.resolved,
            "counts": counts,
            "images_without_label": without,
            **({} if truncated is None else {"truncated": truncated}),
            **self.surveyed,
            "above_cells": self.totals.above.as_json(),
        }


def count(question: Question, parts: Parts, sink: Sink, progress: Progress) -> Counted:
    """Do what is not done yet; every step is kept in `parts`, so that a killed run goes on.

    Raises:
        UsageError: a quantile of no pairs; or more pairs pass than may be without being told; or a threshold is not
            that of the earlier study.
    """
    options, collection, earlier = question.options, question.collection, question.earlier
    rows = _collapsed(question, parts, progress)
    resolved = parts.remembered("resolved", lambda: resolve(question, rows, progress))
    order = ordered(question, rows)
    join = join_of(question, order, resolved, parts.scratch)
    old = None if earlier is None else earlier.totals.after_labels
    stripes = Stripes(join, order, parts, sink, Limit(options.limit(len(rows))), options.seed, old)
    totals = stripes.run(progress)
    if earlier is not None:
        totals = earlier.with_new(totals)
    surveyed = parts.remembered(
        "survey",
        lambda: survey(
            *sides(question, rows),
            condition_of(question, resolved, rows),
            collection,
            options.seed,
            nothing_passed=totals.after_labels == 0,
            above=totals.above,
            progress=progress,
        ),
    )
    return Counted(question, rows, resolved, totals, surveyed, stripes)


def _collapsed(question: Question, parts: Parts, progress: Progress) -> Positions:
    """Return the rows of the images that are mined: ok, no exact duplicates, and no near-identical copies if asked."""
    options, rows = question.options, question.collection.distinct()
    if options.collapse_copies is None:
        return rows
    choose = filter_for(options, parts.scratch)
    limit, threads = options.collapse_copies, options.threads
    copies = collapse(*sides(question, rows), limit, parts, of.TILING, choose, threads, progress)
    return rows[~copies]
