"""What the collection looks like to both encoders: the histogram, and if nothing passed, what came nearest."""

from __future__ import annotations

from typing import Any

from snellen.mining.inputs.collection import Collection, pair_id_text, pair_ids
from snellen.mining.join.cells import CellCounts
from snellen.mining.join.exact import Side
from snellen.mining.join.tiles import Positions, pairs_of
from snellen.mining.join.two_sided import Condition
from snellen.mining.survey.histogram import Histogram
from snellen.mining.survey.looser import looser_reference
from snellen.mining.survey.misses import Misses, Suggestion, suggestions_as_json
from snellen.mining.survey.stream import Block, Stream, survey_stream, tracked
from snellen.progress import SILENT, Progress

HISTOGRAM_PAIRS = 1_000_000
"""Pairs looked at for the histogram alone: all where there are no more, else drawn."""

MISSES_SAMPLE = 10_000_000
"""Pairs drawn where near misses are looked for as well: they are rare."""


def survey(
    blind: Side,
    reference: Side,
    condition: Condition,
    collection: Collection,
    seed: int,
    *,
    nothing_passed: bool,
    above: CellCounts,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Go over all pairs, or a sample, once.

    Args:
        blind: vectors, by position.
        reference: vectors of the same images.
        condition: thresholds and label rule.
        collection: the images, for the names of pairs.
        seed: of the sample.
        nothing_passed: whether to look for near misses and suggestions.
        above: all pairs above the blind minimum, counted by the join.
        progress: told of pairs.

    Returns:
        The entries `histogram`, `near_misses` and `suggestions` of `mining.json`.
    """
    if nothing_passed:
        stream = survey_stream(blind, reference, seed, MISSES_SAMPLE)
    else:
        stream = Stream(blind, reference, None if pairs_of(len(blind)) <= HISTOGRAM_PAIRS else HISTOGRAM_PAIRS, seed)
    histogram = Histogram(condition.blind_min if stream.sampled else None)
    if stream.sampled:
        histogram.add_above(above)
    misses = Misses(condition.blind_min, condition.reference, condition.labels) if nothing_passed else None

    def consume(block: Block) -> None:
        histogram.add(block)
        if misses is not None:
            misses.add(block)

    tracked(stream, "surveying", progress, consume, blind=True, reference=True)
    result: dict[str, Any] = {
        "histogram": histogram.as_json(stream.population / stream.size if stream.sampled else 1.0),
        "near_misses": None,
        "suggestions": None,
    }
    if misses is not None:
        result["near_misses"] = {
            "sampled": stream.sampled,
            "n_pairs": stream.size,
            "pairs": _named(misses, blind.rows, collection),
        }
        result["suggestions"] = suggestions_as_json(_suggested(misses, stream, condition, above))
    return result


def _suggested(misses: Misses, stream: Stream, condition: Condition, above: CellCounts) -> list[Suggestion]:
    """Return what would give about a hundred pairs; of the reference threshold alone, exactly where that is known."""
    made = misses.suggestions(stream)
    if not stream.sampled or (condition.labels is not None and condition.labels.rule != "any"):
        return made
    exact = looser_reference(above, condition.blind_min)
    return [*([] if exact is None else [exact]), *(one for one in made if one.change != "reference_max")]


def _named(misses: Misses, rows: Positions, collection: Collection) -> list[dict[str, Any]]:
    named = []
    for a, b, blind, reference, miss in misses.near_misses():
        row_a, row_b = rows[[a]], rows[[b]]
        named.append(
            {
                "pair_id": pair_id_text(int(pair_ids(collection.ids, row_a, row_b)[0])),
                "image_a": collection.ids[row_a[0]].decode(),
                "image_b": collection.ids[row_b[0]].decode(),
                "row_a": int(row_a[0]),
                "row_b": int(row_b[0]),
                "blind_cosine": blind,
                "reference_cosine": reference,
                "miss": miss,
            }
        )
    return named
