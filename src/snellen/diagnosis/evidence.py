"""What a diagnosis says: a line a pair, a sum a pattern, a sum of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from snellen.diagnosis.answers import GUESSER, Said
from snellen.diagnosis.organs import Fitted
from snellen.diagnosis.readouts import Distance
from snellen.diagnosis.verdicts import BAD, CONNECTOR, EYES, LANGUAGE, ORGANS, SEES, VERDICTS, Judged
from snellen.probes import ProbeResult
from snellen.runs import Run
from snellen.stats import wilson_interval

READABLE: Final = 0.5
"""Chance of a readout, and of the contrast."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was measured: `value` between `null_low` and `null_high` would say nothing; `n` measurements."""

    value: float
    null_low: float | None
    null_high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """One line of `diagnosis/<run_id>.jsonl`.

    `certainty` is the posterior of the verdict (for an organ, among the organs), None where none was computed. `note`
    says why, and what a pooled vector lost.
    """

    pair_id: str
    verdict: str
    certainty: float | None
    note: str
    evidence: Mapping[str, Evidence]


@dataclass(frozen=True)
class Pattern:
    """What was found on the pairs of one pattern: readouts by stop, and the classes' shares.

    `other` is the other encoder from whose vectors most is read; `why_not` says why the readouts decide nothing, None
    where they do.
    """

    name: str
    n_pairs: int
    probes: Mapping[str, ProbeResult]
    fitted: Fitted
    other: tuple[str, ProbeResult] | None = None
    why_not: str | None = None


def pair_verdict(
    pair: str,
    judged: Judged,
    said: Said,
    probes: Mapping[str, ProbeResult],
    distance: Distance | None,
    margin: float | None,
) -> PairVerdict:
    """Write down one pair's verdict with all of its evidence."""
    evidence = {"answers": Evidence(said.both_right / said.ways if said.ways else 0.0, 0.0, GUESSER, said.ways)}
    if said.ways:
        evidence["same_letter"] = Evidence(said.same_letter / said.ways, None, None, said.ways)
    if said.as_without[1]:
        evidence["as_without_image"] = Evidence(said.as_without[0] / said.as_without[1], None, None, said.as_without[1])
    if margin is not None:
        evidence["image_text_margin"] = Evidence(margin, None, 0.0, 1)
    if said.contrasts:
        right = sum(one > 0 for one in said.contrasts) / len(said.contrasts)
        evidence["contrast"] = Evidence(right, *_null(len(said.contrasts)), len(said.contrasts))
        mean = sum(said.contrasts) / len(said.contrasts)
        evidence["contrast_nats"] = Evidence(mean, None, None, len(said.contrasts))
    if distance is not None:
        low, high = (min(distance.null), max(distance.null)) if distance.null else (None, None)
        evidence["tap_distance"] = Evidence(distance.value, low, high, len(distance.null))
    for stop, result in probes.items():
        margins = result.variant_margins.get(pair)
        if margins:
            right = sum(one > 0 for one in margins) / len(margins)
            evidence[f"readout_{stop}"] = Evidence(right, *_null(len(margins)), len(margins))
    note = judged.because
    if judged.verdict not in (SEES, BAD) and _lost_in_pooling(pair, probes):
        note += "; its encoder's pooled vector has lost it, the tokens at the tap have not"
    return PairVerdict(pair, judged.verdict, judged.certainty, note, evidence)


def _null(n: int) -> tuple[float, float]:
    """Return between which shares of n an exact one-sided test at 5 % says nothing."""
    from scipy.stats import binom

    high = int(binom.isf(0.05, n, 0.5))
    return (n - high) / n, high / n


def _lost_in_pooling(pair: str, probes: Mapping[str, ProbeResult]) -> bool:
    pooled, tap = (probes[stop].variant_margins.get(pair) if stop in probes else None for stop in ("pooled", "tap"))
    return bool(pooled and tap) and all(one <= 0 for one in pooled or ()) and all(one > 0 for one in tap or ())


def summed_up(
    run: Run, pairs: Sequence[PairVerdict], patterns: Sequence[Pattern], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Sum up: how many pairs got each verdict, with intervals; readouts by pattern and stop; what cannot be said."""
    by_pattern = {pattern.name: pattern for pattern in patterns}
    counts = Counter(pair.verdict for pair in pairs)
    return {
        **settings,
        "model": run.model,
        "benchmark": run.benchmark,
        "verdicts": {name: counts[name] for name in VERDICTS},
        "shares": {name: _share(counts[name], len(pairs)) for name in VERDICTS},
        "of_failures": _of_failures(counts),
        "readouts": {
            name: {
                **{stop: _readout(result) for stop, result in pattern.probes.items()},
                **({} if pattern.other is None else {pattern.other[0]: _readout(pattern.other[1])}),
            }
            for name, pattern in by_pattern.items()
        },
        "classes": {
            name: {
                "n_pairs": pattern.n_pairs,
                "shares": pattern.fitted.shares,
                "slips": pattern.fitted.slips,
            }
            for name, pattern in by_pattern.items()
        },
        "cannot_say": cannot_say(pairs, patterns, hidden=bool(settings["hidden"])),
    }


def _share(count: int, n: int) -> dict[str, Any]:
    low, high = wilson_interval(count, n)
    return {"value": count / n if n else None, "low": low, "high": high, "n": n}


def _of_failures(counts: Mapping[str, int]) -> dict[str, Any]:
    """Share the pairs that have an organ's verdict among the organs."""
    n = sum(counts[name] for name in ORGANS)
    return {name: _share(counts[name], n) for name in (EYES, CONNECTOR, LANGUAGE)}


def _readout(result: ProbeResult) -> dict[str, Any]:
    if result.readable is None:
        return {"value": None, "why_not": result.why_not}
    return {key: value for key, value in asdict(result.readable).items() if key != "right"}


def cannot_say(pairs: Sequence[PairVerdict], patterns: Sequence[Pattern], *, hidden: bool) -> list[str]:
    """Say in whole sentences what this diagnosis cannot say, and why."""
    said: list[str] = []
    if not hidden:
        said.append(
            "The model's hidden states were not looked at: eyes and connector cannot be told from a language model "
            "that uses nothing, and only a bias that outweighs what reaches the answer can be blamed: the weaker "
            "diagnosis."
        )
    for pattern in patterns:
        if pattern.why_not is not None:
            begin = f"{pattern.name}: "
            said.append(pattern.why_not if pattern.why_not.startswith(begin) else begin + pattern.why_not)
    if len(patterns) == 1:
        said.append(
            f"All {len(pairs)} pairs are of one pattern ({patterns[0].name}): whether a model fails on it more than on "
            "others cannot be said."
        )
    short = sum(pair.note.startswith("it was asked in") for pair in pairs)
    if short:
        said.append(
            f"{short} of {len(pairs)} pairs were asked in too few ways: `snellen diagnose STUDY --model NAME` asks in "
            "both orders and with five variants."
        )
    if not any("contrast" in pair.evidence for pair in pairs):
        said.append(
            "There are no log-probabilities of the letters: whether the pictures move the answer cannot be said."
        )
    return said
