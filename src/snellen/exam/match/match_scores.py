"""What the matches of a benchmark come to: every number with its interval, its n and its chance."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from snellen.benchmarks import Benchmark
from snellen.exam.scores import groups
from snellen.exam.tally import Group, Tally
from snellen.records import Match, Score
from snellen.runs import matched


def match_scores(
    benchmark: Benchmark, matches: Mapping[str, Match], published: Collection[str], order: str
) -> list[Score]:
    """Score matches, over all pairs and those of every visual pattern, as published and with the errata corrected.

    `image_score` (each text picks its own image; MMVP-VLM's official rule), `text_score` (each image picks its own
    text), `group_score` (both; Thrush et al., CVPR 2022, section 3.3). `image_choice_accuracy` and
    `text_choice_accuracy` are the shares of single choices that are right, clustered by pair. `tie_rate` is the share
    of pairs in which cosines that are compared are equal; a tie picks nothing, so it counts as wrong.

    A pair that is not among the matches is left out, and its two questions are counted as not covered (`n_error`).

    An erratum `drop` leaves its pair out. An erratum `swap` exchanges the two statements of a pair where they were
    published with the benchmark, since they claim what its answers claim. Statements of the overlay were written or
    confirmed later, of the image as it is: a swap changes nothing of them.

    Args:
        benchmark: What was matched, with its tags and errata.
        matches: By pair_id.
        published: The pairs whose statements are the benchmark's own.
        order: Put into every score: how it was matched.
    """
    found: list[Score] = []
    for group in groups(_as_choices(benchmark)):
        there = {
            name: crossed(matches[name]) if asked.answer_a == 1 and name in published else matches[name]
            for name, asked in group.pairs.items()
            if name in matches
        }
        found += _of_group(group, order, there)
    return found


def crossed(match: Match) -> Match:
    """Return the match with the two texts exchanged: what was text a is held to be image b's."""
    (aa, ab), (ba, bb) = match.cosine
    return matched(match.pair_id, ((ab, aa), (bb, ba)))


def _as_choices(benchmark: Benchmark) -> Benchmark:
    """Take a pair's answers to be which of its two statements is each image's own: 0 is a's, and an erratum swaps."""
    questions = tuple(replace(one, answer=0 if one.slot == "a" else 1) for one in benchmark.questions)
    return replace(benchmark, questions=questions)


def _of_group(group: Group, order: str, matches: Mapping[str, Match]) -> list[Score]:
    tally = Tally(group, order)
    tally.uncovered = 2 * (len(group.pairs) - len(matches))
    pairs = list(matches.values())
    names = [pair.pair_id for pair in pairs for _ in "ab"]
    tally.share("image_score", [pair.image_score for pair in pairs], 1 / 4)
    tally.share("text_score", [pair.text_score for pair in pairs], 1 / 4)
    tally.share("group_score", [pair.group_score for pair in pairs], 1 / 6)
    tally.clustered("image_choice_accuracy", [hit for pair in pairs for hit in pair.image_correct], names, 1 / 2)
    tally.clustered("text_choice_accuracy", [hit for pair in pairs for hit in pair.text_correct], names, 1 / 2)
    tally.share("tie_rate", [pair.tie for pair in pairs], None)
    return tally.scores
