"""The verb `diagnose`: eyes or brain, a pair at a time, from answers and from what the model holds of each picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from snellen import benchmarks, jsonl, storage
from snellen.benchmarks import Benchmark
from snellen.diagnosis.answers import Asked, Said, asked, said
from snellen.diagnosis.embedded import embedded
from snellen.diagnosis.evidence import PairVerdict, Pattern, summed_up
from snellen.diagnosis.grouping import grouped, tags_of
from snellen.diagnosis.hidden import FloatArray, Held
from snellen.diagnosis.looking import Looker, looker
from snellen.diagnosis.patterns import Seen, null_holds, pattern
from snellen.diagnosis.readouts import distance, probe_pairs
from snellen.diagnosis.stations import stations
from snellen.diagnosis.swap import swapped
from snellen.errors import StudyError, UsageError
from snellen.mllms.base import MultimodalModel
from snellen.probes import ProbePair
from snellen.progress import SILENT, Progress
from snellen.runs import RESPONSES, Run, read_responses
from snellen.runs.find import find_run
from snellen.study import Study, software

RANDOM: Final = "an encoder with random weights"


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
    encoder_run: str | None = None,
    lessons: Sequence[str] = (),
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
        encoder_run: A run of `match` on the same benchmark: its image-text margin goes along as evidence. It is of
            pooled vectors, and no verdict hangs on it.
        lessons: More benchmarks of the study with tags of the same tagset: their pairs teach the probes, too.
        swaps: Runs of the same benchmark by models that were trained alike with another encoder.
        every_stop: Probe every layer too, with controls.
        seed: Of probes.
        progress: Told of every block of pictures.

    Raises:
        UsageError: there is no such run, tagset or benchmark; the model is another one than the run's.
        StudyError: the run or the benchmark is damaged.
    """
    opened = Study(Path(study))
    found = examined(find_run(opened, run))
    exam = benchmarks.read(Path(benchmark) if benchmark is not None else opened.benchmark(found.benchmark))
    if exam.content_sha256 != found.content_sha256:
        raise StudyError(f"{exam.folder} is not the benchmark that {found.run_id} was asked: name the one that was.")
    pairs = asked(exam, flagged)
    answers = _said(opened, found, pairs)
    folder = opened.diagnosis
    look = None if model is None else looker(folder / f"{found.run_id}.hidden", found, model, exam, progress)
    tagset, tags = tags_of(exam, tagset)
    settings = {
        "run": found.run_id,
        "tagset": tagset,
        "seed": seed,
        "hidden": look is not None,
        "encoder_run": encoder_run,
        "lessons": list(lessons),
        "swap_runs": list(swaps),
        "every_stop": every_stop,
        "flagged": dict(flagged or {}),
        "answers": "errata applied",
    }
    groups = grouped(tags, pairs)
    seen = None if look is None else _seen(opened, look, pairs, answers, lessons, tagset, seed)
    margins = {} if encoder_run is None else margins_of(find_run(opened, encoder_run, "encoder"), found)
    patterns: list[Pattern] = []
    verdicts: dict[str, PairVerdict] = {}
    for name, members in groups.items():
        these = {pair: pairs[pair] for pair in members}
        found_here, judgements = pattern(name, these, answers, seen, margins, seed)
        patterns.append(found_here)
        verdicts |= judgements
    ordered = tuple(verdicts[pair] for pair in sorted(verdicts))
    summary = summed_up(found, ordered, patterns, settings)
    if every_stop and look is not None:
        everywhere, random = look.everywhere(), look.random(seed, {})
        summary["stations"] = {
            name: stations(probe_pairs({pair: pairs[pair] for pair in members}), everywhere, random, seed=seed)
            for name, members in groups.items()
        }
    if swaps:
        named = {pair.pair_id: pair.verdict for pair in ordered}
        summary["swaps"] = swapped(found, [examined(find_run(opened, each)) for each in swaps], named, groups)
    else:
        summary["cannot_say"].append(
            "Whether another encoder would mend it is not available: no run of a model that was trained alike with "
            "another encoder was named (--swap)."
        )
    name = found.run_id if look is not None else f"{found.run_id}--answers"
    path = folder / f"{name}.jsonl"
    with opened.lock_diagnosis(name):
        storage.write_bytes(path, b"".join(map(jsonl.line_of, ordered)))
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        storage.write_bytes(path.with_suffix(".json"), text.encode())
        opened.write_manifest(
            path,
            verb="diagnose",
            settings=settings,
            software=software("numpy", "scipy"),
            inputs=_inputs(opened, found, exam, lessons, [*swaps, *([] if encoder_run is None else [encoder_run])]),
            outputs={opened.relative(each): storage.sha256_of_file(each) for each in (path, path.with_suffix(".json"))},
            counts=summary["verdicts"],
        )
    return DiagnoseResult(path, ordered, tuple(patterns), summary)


def _said(study: Study, run: Run, pairs: Mapping[str, Asked]) -> dict[str, Said]:
    grades = {grade.key: grade for grade in run.grades}
    responses = read_responses(study.run(run.run_id) / RESPONSES)
    return {name: said(pair, run.sittings, grades, responses) for name, pair in pairs.items()}


def _seen(
    study: Study,
    look: Looker,
    pairs: Mapping[str, Asked],
    answers: Mapping[str, Said],
    lessons: Sequence[str],
    tagset: str | None,
    seed: int,
) -> Seen:
    """See the exam's pictures, those of the lessons, and all of them by other encoders."""
    taught: dict[str, list[ProbePair]] = {}
    more = {name: benchmarks.read(study.benchmark(name)) for name in lessons}
    for exam in more.values():
        theirs = asked(exam)
        for name, members in grouped(tags_of(exam, tagset)[1], theirs).items():
            taught.setdefault(name, []).extend(probe_pairs({pair: theirs[pair] for pair in members}))
    stops = look.needed()
    for name, exam in more.items():
        held = look.at(name, exam)
        stops = {stop: Held({**_repeated(held[stop], rows), **rows.vectors}) for stop, rows in stops.items()}
    others = dict(embedded(study))
    random = look.random(seed, more)
    if random is not None:
        others[RANDOM] = random
    distances = {pair: distance(stops["tap"], one) for pair, one in pairs.items()}
    return Seen(stops, bool(null_holds(answers, distances)), others, taught)


def _inputs(study: Study, run: Run, exam: Benchmark, lessons: Sequence[str], others: Sequence[str]) -> dict[str, str]:
    """Fingerprint what a diagnosis hangs on: the runs, and the files of benchmarks that lie in the study."""
    inputs = dict(run.files)
    for other in others:
        inputs |= find_run(study, other).files
    responses = study.run(run.run_id) / RESPONSES
    folders = [exam.folder, *(study.benchmark(name) for name in lessons)]
    files = [folder / name for folder in folders for name in ("questions.jsonl", "tags.jsonl", "errata.jsonl")]
    root = study.root.resolve()
    for path in (each.resolve() for each in (responses, *files)):
        if path.is_file() and path.is_relative_to(root):
            inputs[path.relative_to(root).as_posix()] = storage.sha256_of_file(path)
    return inputs


def margins_of(encoder: Run, run: Run) -> dict[str, float]:
    """Return an encoder's image-text margin of every pair: above 0 each text picks its own image.

    Raises:
        UsageError: it was matched on another benchmark.
    """
    if encoder.content_sha256 != run.content_sha256:
        raise UsageError(f"{encoder.run_id} was matched on another benchmark than {run.run_id}: name one on the same.")
    return {
        pair: min(one.cosine[0][0] - one.cosine[1][0], one.cosine[1][1] - one.cosine[0][1])
        for pair, one in encoder.matches.items()
    }


def examined(run: Run) -> Run:
    """Return the run of a multimodal LLM or a person.

    Raises:
        UsageError: it is an encoder's, which answers no questions.
    """
    if run.kind == "encoder":
        raise UsageError(
            f"{run.run_id} is an encoder's: name a run with answers, and see `snellen correlate` for both."
        )
    return run


def _repeated(plain: Held, like: Held) -> dict[str, FloatArray]:
    """Give pictures that have no variants as many rows as those that have: probes learn from the first alone."""
    count = max((len(rows) for rows in like.vectors.values()), default=1)
    return {name: np.repeat(rows[:1], count, axis=0) for name, rows in plain.vectors.items()}
