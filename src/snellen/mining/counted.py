"""All of `mine` but the writing: copies collapsed, thresholds resolved, pairs joined, the collection surveyed.

`mining.json` has exactly these keys, always all of them:

    {"blind":     {"name": str, "slug": str, "fingerprint": str},
     "reference": {"name": str, "slug": str, "fingerprint": str},
     "asked":     {"blind": str, "reference": str,              names, as studies record them
                   "blind_min": float | "q0.9999", "reference_max": float | "q0.5",
                   "max_pairs": int | "all" | null, "max_per_image": int | null, "top_k": int | null,
                   "collapse_copies": float | null, "labels": "any" | "within" | "across", "seed": int},
     "resolved":  {"blind_min":     {"value": float,            what the pairs were compared with
                                     "method": "absolute" | "all pairs" | "sample",
                                     "quantile": float | null,  what was asked, if it was a quantile
                                     "n_pairs": int | null,     pairs that the quantile was taken over
                                     "low": float | null, "high": float | null},   95 % interval, "sample" only
                   "reference_max": {the same}},
     "counts":    {"images": int, "ok": int, "distinct": int, "after_collapse": int,        images
                   "pairs": int, "above_blind_min": int, "below_reference_max": int,        pairs, each of those before
                   "after_labels": int, "after_max_per_image": int, "after_top_k": int, "written": int},
     "images_without_label": int | null,                        among after_collapse; null where labels is "any"
     "truncated": {"max_per_image": int, "top_k": int, "max_pairs": int,    pairs dropped by each cap; 0 without
                   "images_capped": int},                       images at max_per_image that had more pairs
     "histogram": {"blind_edges": [float] * (nb + 1), "reference_edges": [float] * (nr + 1),     nb <= 81, nr <= 80
                   "counts": [[int] * nr] * nb,                 row: blind bin, column: reference bin
                   "exact_from": int,                           blind bins from this index on count all pairs
                   "sampled": bool,                             whether those before it count a sample
                   "scale": float,                              of which each pair stands for so many; 1 if not sampled
                   "n_pairs": int},                             sum of counts
     "near_misses": null | {"sampled": bool, "n_pairs": int,    null unless after_labels is 0; n_pairs looked at
                   "pairs": [{"pair_id", "image_a", "image_b", "row_a", "row_b", "blind_cosine", "reference_cosine",
                              "miss": float}]},                 up to 50, smallest miss first; 0 = exactly on it
     "suggestions": null | [{"change": "blind_min" | "reference_max" | "both",
                   "blind_min": float, "reference_max": float,  both given, also where one is unchanged
                   "n_pairs": int,                              pairs they give before caps: exact, or an estimate
                   "sampled": bool, "low": int | null, "high": int | null}],     95 % interval where sampled
     "above_cells": {"cells": [int], "counts": [int]}}          all pairs above blind_min by fine cell

Bins are [low, high), and edges multiples of 1/256, so that binning float64 cosines is exact. Where the histogram is
sampled, the blind minimum is an edge as well: the bin before it is [low, minimum], the one after it (minimum, high).
A fine cell is 1/256 wide on either side; its number is 544 i + j for blind bin i and reference bin j, bin 0 beginning
at -1.0625. A suggestion that cannot be made (no pair at all is above blind_min, say) is left out.

`counts.json`, of `mine --count-only`, has the same keys but `truncated`, and in `counts` nothing after `after_labels`.
"""

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
