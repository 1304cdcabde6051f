"""Every stop of one pattern: where on the way is the asked thing there, and where is it lost? With controls.

Decodable is not used: a probe that reads it says that it is there, not that the model looks at it (docs/probes.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from snellen.diagnosis.hidden import FloatArray, Held
from snellen.diagnosis.readouts import SHUFFLES
from snellen.probes import ProbePair, ProbeResult, compare, control_task, pair_probe, questions_only, selectivity


def stations(
    pairs: Sequence[ProbePair], held: Mapping[str, Held], random: Mapping[str, FloatArray] | None, *, seed: int
) -> dict[str, Any]:
    """Probe one pattern at every stop.

    Args:
        pairs: Of one pattern.
        held: By stop, in the order of the way. Inside the language model a picture is held with one question's words;
            its vector there is that of the first question about it.
        random: The tap of the same model with random weights in its encoder; None: not available.
        seed: Of folds and shuffles.

    Returns:
        By stop `{value, low, high, n_pairs, p_value, selectivity, minus_tap}`; and `random encoder`, `questions only`.
    """
    results = {stop: pair_probe(pairs, _of(pairs, rows), seed=seed, shuffles=SHUFFLES) for stop, rows in held.items()}
    found: dict[str, Any] = {}
    tap = results.get("tap")
    for stop, result in results.items():
        line = _line(result)
        if result.readable is not None:
            control = control_task(pairs, _of(pairs, held[stop]), seed=seed)
            if control.readable is not None:
                line["selectivity"] = selectivity(result.readable, control.readable, seed=seed)._asdict()
            if tap is not None and tap.readable is not None and stop != "tap":
                line["minus_tap"] = compare(tap.readable, result.readable, seed=seed).difference._asdict()
        found[stop] = line
    if random is not None:
        found["random encoder"] = _line(pair_probe(pairs, _images(pairs, random), seed=seed, shuffles=SHUFFLES))
    found["questions only"] = _line(questions_only(pairs, seed=seed))
    return found


def _of(pairs: Sequence[ProbePair], held: Held) -> dict[str, Any]:
    return {image: held.vectors[image][0] for pair in pairs for image in (pair.image_a, pair.image_b)}


def _images(pairs: Sequence[ProbePair], rows: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {image: rows[image] for pair in pairs for image in (pair.image_a, pair.image_b)}


def _line(result: ProbeResult) -> dict[str, Any]:
    if result.readable is None:
        return {"value": None, "why_not": result.why_not}
    return {key: value for key, value in asdict(result.readable).items() if key != "right"}
