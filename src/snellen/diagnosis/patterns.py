"""Judging the pairs of one pattern: readouts, whether they say anything, and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from snellen.diagnosis.answers import LEAST_VARIANTS, LEVEL, Asked, Said
from snellen.diagnosis.evidence import PairVerdict, Pattern, pair_verdict
from snellen.diagnosis.hidden import FloatArray, Held
from snellen.diagnosis.organs import ORGANS, Observed
from snellen.diagnosis.readouts import Distance, distance, probe_pairs, read, readout, still_learning
from snellen.diagnosis.verdicts import Case, judged
from snellen.probes import ProbePair, ProbeResult, compare, pair_probe

LEAST_SEEN: Final = 10
"""Pairs answered rightly that it takes to see whether the null at the tap holds."""

TOO_WIDE: Final = 0.05
"""Share of them within their null from which on it does not."""

PLAIN: Final = 0.9
"""From this share of pairs read right on, what is asked is there, and what is misread is the probe's slip."""


@dataclass(frozen=True)
class Seen:
    """What was seen of the pictures.

    Attributes:
        stops: The model's own, by name.
        others: Vectors of other encoders by name and image, to see whether so many pairs are enough to learn from.
        lessons: More pairs of each pattern, of other benchmarks, that probes learn from.
        null_holds: Whether pairs that the model tells apart lie outside their null at the tap.
    """

    stops: Mapping[str, Held]
    null_holds: bool
    others: Mapping[str, Mapping[str, FloatArray]]
    lessons: Mapping[str, Sequence[ProbePair]]


def pattern(
    name: str,
    pairs: Mapping[str, Asked],
    answers: Mapping[str, Said],
    seen: Seen | None,
    margins: Mapping[str, float],
    seed: int,
) -> tuple[Pattern, dict[str, PairVerdict]]:
    """Judge the pairs of one pattern."""
    probes: dict[str, ProbeResult] = {}
    distances: dict[str, Distance] = {}
    why_not = None
    other: tuple[str, ProbeResult] | None = None
    if seen is not None:
        own = probe_pairs(pairs)
        known = {pair.pair_id for pair in own}
        taught = {pair.pair_id: pair for pair in seen.lessons.get(name, ()) if pair.pair_id not in known}
        probed = [*own, *taught.values()]
        probes = {stop: readout(probed, held, known, seed=seed) for stop, held in seen.stops.items()}
        distances = {pair: distance(seen.stops["tap"], one) for pair, one in pairs.items()}
        other = _best(probed, seen.others, seed)
        learning = still_learning(probed, seen.stops["tap"], probes["tap"], seed=seed)
        why_not = uninformative(name, probes["tap"], other, learning)
    told = why_not is None
    near = distances if seen is not None and seen.null_holds else {}
    cases = {pair: _case(pair, pairs[pair], answers[pair], probes, near, told=told) for pair in pairs}
    verdicts, fitted = judged(cases, _suspects(probes) if told else tuple(ORGANS))
    found = Pattern(name, len(pairs), probes, fitted, other, why_not)
    return found, {
        pair: pair_verdict(pair, verdicts[pair], answers[pair], probes, distances.get(pair), margins.get(pair))
        for pair in pairs
    }


def _suspects(probes: Mapping[str, ProbeResult]) -> tuple[str, ...]:
    """Name the organs that may be at fault: where nearly all pairs of a pattern are read, misread ones are slips."""
    tap, projector = (_value(probes[stop]) >= PLAIN if stop in probes else False for stop in ("tap", "projector"))
    cleared = {"eyes": tap or projector, "connector": projector}
    return tuple(organ for organ in ORGANS if not cleared.get(organ, False))


def _best(
    probed: Sequence[ProbePair], others: Mapping[str, Mapping[str, FloatArray]], seed: int
) -> tuple[str, ProbeResult] | None:
    """Return the other encoder from which most pairs are read, and its probe."""
    images = {image for pair in probed for image in (pair.image_a, pair.image_b)}
    results: dict[str, ProbeResult] = {}
    for name, rows in others.items():
        if images <= rows.keys():
            result = pair_probe(probed, {image: rows[image] for image in images}, seed=seed, shuffles=200)
            if result.readable is not None:
                results[name] = result
    best = max(results, key=lambda name: (_value(results[name]), name), default=None)
    return None if best is None else (best, results[best])


def _value(result: ProbeResult) -> float:
    return -1.0 if result.readable is None else result.readable.value


def uninformative(
    name: str, tap: ProbeResult, other: tuple[str, ProbeResult] | None, learning: bool | None
) -> str | None:
    """Say why a pattern's readouts decide nothing, in a sentence; None where they do.

    A probe that reads little at the tap may have had too little to learn from. That the tap has lost something is shown
    only where more pairs would not show more (`learning`), and the same probe reads more from another encoder's vectors
    of the same pictures.
    """
    if tap.readable is None:
        return tap.why_not
    if tap.readable.value >= PLAIN:
        return None
    begin = f"{name}: from the tap {tap.readable.value:.0%} of {tap.readable.n_pairs} pairs are read"
    if learning is not False:
        why = "twice as many might show more" if learning else "whether more would show more is not known"
        return f"{begin}, and {why}, so that it may be there: no eyes can be blamed."
    if other is None or other[1].readable is None:
        return f"{begin}, and nothing shows that so many pairs are enough to learn it from: no eyes can be blamed."
    more = compare(tap.readable, other[1].readable).difference
    if more.low > 0:
        return None
    return (
        f"{begin}, and hardly more ({other[1].readable.value:.0%}) from {other[0]}, so that it may be too few pairs to "
        "learn from, and no eyes can be blamed."
    )


def reads(result: ProbeResult) -> bool:
    """Does a probe read the pattern, by its permutation test?"""
    found = result.readable
    return found is not None and found.p_value is not None and found.p_value <= LEVEL


def _probed(probes: Mapping[str, ProbeResult]) -> bool:
    return "tap" in probes and probes["tap"].readable is not None


def null_holds(answers: Mapping[str, Said], distances: Mapping[str, Distance]) -> bool | None:
    """Do pairs that are answered rightly in most ways lie outside their null? None: too few to say.

    Where the model tells pairs apart that lie within, the null is too wide to call anything the same.
    """
    seen = [distances[pair].within for pair, said_of in answers.items() if said_of.answers and pair in distances]
    return None if len(seen) < LEAST_SEEN else sum(seen) <= TOO_WIDE * len(seen)


def _case(
    pair: str,
    one: Asked,
    said_of: Said,
    probes: Mapping[str, ProbeResult],
    distances: Mapping[str, Distance],
    *,
    told: bool,
) -> Case:
    tap, projector = (read(probes[stop], pair) if told and probes else None for stop in ("tap", "projector"))
    bad = one.bad
    if bad is None and said_of.solved_blind:
        bad = "both answers are right without the image, more often than a guesser's"
    short = None
    if said_of.ways < 2 * (1 + LEAST_VARIANTS):
        short = (
            f"it was asked in {said_of.ways} ways, and fewer than {2 * (1 + LEAST_VARIANTS)} (both orders, the picture "
            f"and {LEAST_VARIANTS} variants) prove nothing"
        )
    within = None
    if pair in distances and (told or not _probed(probes)):
        # where the tap reads the pattern, or the pictures move the answer, what is that near is told apart all the same
        learned = "tap" in probes and reads(probes["tap"])
        within = distances[pair].within and not said_of.moved and not learned
    return Case(Observed(tap, projector, said_of.contrast, said_of.answers), within, bad, short)
