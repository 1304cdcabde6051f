"""From a question to a join that can be run: thresholds resolved, images ordered, a filter chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from snellen.mining.asked import question as of
from snellen.mining.asked.options import Options
from snellen.mining.asked.question import Question
from snellen.mining.earlier.study import check_thresholds
from snellen.mining.filters.choose import choose_filter, usable_kernel
from snellen.mining.join.exact import Side
from snellen.mining.join.order import Order, drawn_first
from snellen.mining.join.tiles import Filter, Positions, pairs_of_rows
from snellen.mining.join.two_sided import Condition, Join, Labels
from snellen.mining.survey.stream import survey_stream
from snellen.mining.survey.thresholds import as_json, resolve_threshold
from snellen.progress import SILENT, Progress

QUANTILE_SAMPLE = 10_000_000
"""Pairs drawn for a quantile, above ALL_PAIRS_IMAGES images."""

NOT_BUILT = (
    "the compiled kernels were not built (no C compiler at installation), so the portable filter is used, which takes "
    "several times as long"
)


def said_of_backend(options: Options) -> str | None:
    """Return what the user should know of the backend, or None."""
    return NOT_BUILT if options.backend == "auto" and usable_kernel(options.backend) is None else None


def sides(question: Question, rows: Positions) -> tuple[Side, Side]:
    """Return both encoders' vectors of some images, by position."""
    compiled = question.options.backend != "portable"
    blind, reference = (
        Side(embedding.vectors, rows, compiled=compiled) for embedding in (question.blind, question.reference)
    )
    return blind, reference


def resolve(question: Question, rows: Positions, progress: Progress = SILENT) -> dict[str, Any]:
    """Turn both thresholds into cosines; quantiles are taken over the pairs of the given images.

    Returns:
        The entry `resolved` of `mining.json`.

    Raises:
        UsageError: a quantile of no pairs; a threshold is not that of the earlier study.
    """
    options = question.options
    stream = survey_stream(*sides(question, rows), options.seed, QUANTILE_SAMPLE)
    resolved = {
        "blind_min": as_json(resolve_threshold(options.blind_min, stream, "blind", "--blind-min", progress)),
        "reference_max": as_json(
            resolve_threshold(options.reference_max, stream, "reference", "--reference-max", progress)
        ),
    }
    earlier = question.earlier
    if earlier is not None:
        check_thresholds(earlier.study, earlier.resolved, {name: entry["value"] for name, entry in resolved.items()})
    return resolved


def ordered(question: Question, rows: Positions) -> Order:
    """Put the images that are mined in the order in which they are joined.

    Args:
        question: what is asked; where an earlier study is, only pairs with a new image are joined.
        rows: int64 [n], of the images that are mined, in row order.
    """
    if question.earlier is None:
        return drawn_first(rows, question.options.seed)
    return drawn_first(question.earlier.order, question.options.seed, question.earlier.n_new)


def condition_of(question: Question, resolved: Mapping[str, Any], rows: Positions) -> Condition:
    """Return what pairs of the given images must meet."""
    labels = Labels(question.options.labels, question.collection.labels[rows])
    return Condition(resolved["blind_min"]["value"], resolved["reference_max"]["value"], labels)


def filter_for(options: Options, scratch: Path, pairs: int | None = None) -> Callable[[Side, float], Filter]:
    """Return what chooses and prepares a filter, given the blind encoder's vectors and a blind minimum.

    Args:
        options: what was asked.
        scratch: folder for arrays that are too large for memory.
        pairs: how many the filter is for; None: all.
    """

    def choose(side: Side, blind_min: float) -> Filter:
        return choose_filter(
            side, blind_min, options.seed, scratch, pairs, backend=options.backend, threads=options.threads
        ).filter

    return choose


def join_of(question: Question, order: Order, resolved: Mapping[str, Any], scratch: Path) -> Join:
    """Return the join of the images in an order, its filter prepared.

    Args:
        question: what is asked.
        order: the images; positions of the join are those of it.
        resolved: both thresholds, from `resolve`.
        scratch: folder for arrays that are too large for memory.
    """
    blind, reference = sides(question, order.rows)
    condition = condition_of(question, resolved, order.rows)
    pairs = pairs_of_rows(0, order.stop, len(order.rows))
    chosen = filter_for(question.options, scratch, pairs)(blind, condition.blind_min)
    return Join(blind, reference, chosen, condition, of.TILING, question.options.threads, order.stop)
