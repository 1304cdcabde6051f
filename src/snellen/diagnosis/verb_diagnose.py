"""The verb `diagnose`: eyes or brain, a pair at a time, from answers and from what the model holds of each picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snellen import benchmarks, jsonl, storage
from snellen.benchmarks import Benchmark
from snellen.diagnosis.answers import LEAST_VARIANTS, LEVEL, Asked, Said, asked, said
from snellen.diagnosis.evidence import PairVerdict, Pattern, pair_verdict, summed_up
from snellen.diagnosis.hidden import Held
from snellen.diagnosis.looking import looker
from snellen.diagnosis.organs import Observed
from snellen.diagnosis.readouts import Distance, distance, probe_pairs, read, readout
from snellen.diagnosis.stations import stations
from snellen.diagnosis.swap import swapped
from snellen.diagnosis.verdicts import Case, judged
from snellen.errors import StudyError, UsageError
from snellen.mllms.base import MultimodalModel
from snellen.probes import ProbeResult
from snellen.progress import SILENT, Progress
from snellen.runs import RESPONSES, Run, read_responses
from snellen.runs.find import find_run
from snellen.study import Study, software

ALL: Final = "all pairs"
"""The pattern of pairs without a tag."""

FEW: Final = "few"
"""Patterns with too few pairs for an estimate of their own are judged together."""

LEAST_PAIRS: Final = 30


@dataclass(frozen=True)
class DiagnoseResult:
    """The files, the pairs' verdicts, and the sums of them."""

    path: Path
    pairs: tuple[PairVerdict, ...]
    patterns: tuple[Pattern, ...]
    summary: Mapping[str, Any]


def diagnose(
    study: str | Path,
    run: str,
    *,
    model: MultimodalModel | None = None,
    benchmark: str | Path | None = None,
    tagset: str | None = None,
    flagged: Mapping[str, str] | None = None,
    swaps: Sequence[str] = (),
    every_stop: bool = False,
    seed: int = 0,
    progress: Progress = SILENT,
) -> DiagnoseResult:
    """Say of every pair of a run where it fails: `eyes`, `connector`, `language model or bias`; or that it does not.

    Other verdicts are `sees it`, `unsure` and `bad item`.

    The run needs both orders and at least five variants, else everything is unsure. With a model whose hidden states
    can be seen, readouts at the tap and behind the projector separate the organs; without, only what the answers show
    can be said, and the diagnosis is marked as weaker.

    Args:
        study: The study.
        run: A run_id, or how one begins; graded.
        model: The run's model, loaded; None: its answers alone.
        benchmark: Where the benchmark's folder is, if it is not in the study.
        tagset: Whose tags say which pattern a pair belongs to; None: the only one.
        flagged: Pairs that people call bad items, with why.
        swaps: Runs of the same benchmark by models that were trained alike with another encoder.
        every_stop: Probe every layer too, with controls.
        seed: Of probes.
        progress: Told of every block of pictures.

    Raises:
        UsageError: there is no such run, tagset or benchmark; the model is another one than the run's.
        StudyError: the run or the benchmark is damaged.
    """
    opened = Study(Path(study))
    found = find_run(opened, run)
    exam = benchmarks.read(Path(benchmark) if benchmark is not None else opened.benchmark(found.benchmark))
    if exam.content_sha256 != found.content_sha256:
        raise StudyError(f"{exam.folder} is not the benchmark that {found.run_id} was asked: name the one that was.")
    pairs = asked(exam, flagged)
    answers = _said(opened, found, pairs)
    folder = opened.diagnosis
    look = None if model is None else looker(folder / f"{found.run_id}.hidden", found, model, exam, progress)
    held = None if look is None else look.needed()
    tagset, tags = _tags(exam, tagset)
    settings = {
        "run": found.run_id,
        "tagset": tagset,
        "seed": seed,
        "hidden": held is not None,
        "swaps": list(swaps),
        "every_stop": every_stop,
        "flagged": len(flagged or {}),
    }
    patterns: list[Pattern] = []
    verdicts: dict[str, PairVerdict] = {}
    for name, members in _grouped(tags, pairs).items():
        these = {pair: pairs[pair] for pair in members}
        pattern, judgements = _pattern(name, these, answers, held, seed)
        patterns.append(pattern)
        verdicts |= judgements
    ordered = tuple(verdicts[pair] for pair in sorted(verdicts))
    summary = summed_up(found, ordered, patterns, settings)
    groups = _grouped(tags, pairs)
    if every_stop and look is not None:
        everywhere, random = look.everywhere(), look.random(seed)
        summary["stations"] = {
            name: stations(probe_pairs({pair: pairs[pair] for pair in members}), everywhere, random, seed=seed)
            for name, members in groups.items()
        }
    if swaps:
        named = {pair.pair_id: pair.verdict for pair in ordered}
        summary["swaps"] = swapped(found, [find_run(opened, each) for each in swaps], named, groups)
    else:
        summary["cannot_say"].append(
            "Whether another encoder would mend it is not available: no run of a model that was trained alike with "
            "another encoder was named (--swap)."
        )
    path = folder / f"{found.run_id}.jsonl"
    with opened.lock_diagnosis(found.run_id):
        storage.write_bytes(path, b"".join(map(jsonl.line_of, ordered)))
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        storage.write_bytes(path.with_suffix(".json"), text.encode())
        opened.write_manifest(
            path,
            verb="diagnose",
            settings=settings,
            software=software("numpy", "scipy"),
            inputs=dict(found.files),
            outputs={opened.relative(each): storage.sha256_of_file(each) for each in (path, path.with_suffix(".json"))},
            counts=summary["verdicts"],
        )
    return DiagnoseResult(path, ordered, tuple(patterns), summary)


def _said(study: Study, run: Run, pairs: Mapping[str, Asked]) -> dict[str, Said]:
    grades = {grade.key: grade for grade in run.grades}
    responses = read_responses(study.run(run.run_id) / RESPONSES)
    return {name: said(pair, run.sittings, grades, responses) for name, pair in pairs.items()}


def _tags(exam: Benchmark, wanted: str | None) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the tagset, and each tagged pair's patterns."""
    tags = exam.tags()
    known = sorted({tag.tagset for tag in tags})
    if wanted is None and len(known) == 1:
        wanted = known[0]
    if wanted is None and known:
        raise UsageError(f"{exam.folder} has several tagsets: name one with --tagset, {', '.join(known)}.")
    if wanted is not None and wanted not in known:
        raise UsageError(f"{exam.folder} has no tagset {wanted!r}: it has {', '.join(known) or 'none'}.")
    pair_of = {question.question_id: question.pair_id for question in exam.questions}
    found: dict[str, set[str]] = {}
    for tag in tags:
        if tag.tagset == wanted:
            found.setdefault(pair_of[tag.question_id], set()).update(tag.patterns)
    return wanted, {pair: tuple(sorted(patterns)) for pair, patterns in found.items()}


def _grouped(tags: Mapping[str, Sequence[str]], pairs: Mapping[str, Asked]) -> dict[str, list[str]]:
    """Put every pair into one pattern: its own, or that of several which the most pairs have."""
    counts: dict[str, int] = {}
    for pair in pairs:
        for pattern in tags.get(pair, (ALL,)):
            counts[pattern] = counts.get(pattern, 0) + 1
    found: dict[str, list[str]] = {}
    for pair in sorted(pairs):
        found.setdefault(max(tags.get(pair) or (ALL,), key=lambda one: (counts[one], one)), []).append(pair)
    return dict(sorted(found.items()))


def _pattern(
    name: str,
    pairs: Mapping[str, Asked],
    answers: Mapping[str, Said],
    held: Mapping[str, Held] | None,
    seed: int,
) -> tuple[Pattern, dict[str, PairVerdict]]:
    """Judge the pairs of one pattern."""
    probes: dict[str, ProbeResult] = {}
    distances: dict[str, Distance] = {}
    if held is not None:
        probed = probe_pairs(pairs)
        probes = {stop: readout(probed, held[stop], seed=seed) for stop in held}
        distances = {pair: distance(held["tap"], one) for pair, one in pairs.items()}
    cases = {pair: _case(pair, pairs[pair], answers[pair], probes, distances) for pair in pairs}
    verdicts, fitted = judged(cases)
    return Pattern(name, len(pairs), probes, fitted), {
        pair: pair_verdict(pair, verdicts[pair], answers[pair], probes, distances.get(pair)) for pair in pairs
    }


def _reads(result: ProbeResult) -> bool:
    """Does a probe read the pattern, by its permutation test?"""
    found = result.readable
    return found is not None and found.p_value is not None and found.p_value <= LEVEL


def _case(
    pair: str, one: Asked, said_of: Said, probes: Mapping[str, ProbeResult], distances: Mapping[str, Distance]
) -> Case:
    tap, projector = (read(probes[stop], pair) if stop in probes else None for stop in ("tap", "projector"))
    bad = one.bad
    if bad is None and said_of.solved_blind:
        bad = "both answers are right without the image"
    short = None
    if said_of.ways < 2 * (1 + LEAST_VARIANTS):
        short = (
            f"it was asked in {said_of.ways} ways, and fewer than {2 * (1 + LEAST_VARIANTS)} (both orders, the picture "
            f"and {LEAST_VARIANTS} variants) prove nothing"
        )
    within = None
    if pair in distances:
        # where the tap reads the pattern, or the pictures move the answer, what is that near is told apart all the same
        within = distances[pair].within and not said_of.moved and not _reads(probes["tap"])
    return Case(Observed(tap, projector, said_of.contrast, said_of.answers), within, bad, short)
