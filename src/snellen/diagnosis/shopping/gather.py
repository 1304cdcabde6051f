"""Every encoder of a study with all that is known of it: its run on one benchmark, zero-shot, costs, embedding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from snellen import storage
from snellen.benchmarks.files import BENCHMARK
from snellen.diagnosis.shopping.cost import Size
from snellen.diagnosis.shopping.cost_files import read_sizes
from snellen.diagnosis.shopping.nouns import Candidate, ZeroShot
from snellen.diagnosis.shopping.which import chosen_runs, patterns_of
from snellen.diagnosis.shopping.zeroshot_files import read_zeroshots
from snellen.errors import UsageError
from snellen.jsonl import quoted
from snellen.runs import Run, read_runs
from snellen.study import Study


@dataclass(frozen=True)
class Gathered:
    """The encoders of a study; `files` are sha256 by path relative to the study.

    `patterns` are the pair_ids of every visual pattern of `tagset`, patterns in order; `notes` are sentences.
    """

    candidates: tuple[Candidate, ...]
    benchmark: str | None
    content_sha256: str | None
    dataset: str | None
    tagset: str | None
    patterns: dict[str, frozenset[str]]
    files: dict[str, str]
    notes: tuple[str, ...]


def gather(
    study: Study,
    *,
    benchmark: str | Path | None = None,
    runs: Sequence[str] = (),
    dataset: str | None = None,
    tagset: str | None = None,
) -> Gathered:
    """Read what is known of a study's encoders; who has the same fingerprint is the same encoder.

    Args:
        study: the study.
        benchmark: its name, or the path of its folder; None: the only one that an encoder was matched on.
        runs: which runs, by run_id or how it begins; needed where an encoder has several on the benchmark.
        dataset: which zero-shot set; needed where there are several.
        tagset: whose visual patterns; needed where the benchmark has several.

    Raises:
        UsageError: what is to be compared is not clear, or not there; the message names the choices.
        StudyError: a file is damaged or was changed.
    """
    finished, unfinished = read_runs(study)
    notes = [f"The run {name} is unfinished, and left out." for name in unfinished]
    opened, chosen = chosen_runs(study, [run for run in finished if run.kind == "encoder"], benchmark, runs)
    zeroshots, files = read_zeroshots(study, dataset)
    sizes, size_files = read_sizes(study)
    files |= size_files
    for run in chosen:
        files |= run.files
    patterns: dict[str, frozenset[str]] = {}
    if opened is not None:
        tagset, patterns = patterns_of(opened, tagset)
        for path in (opened.folder / BENCHMARK, opened.folder / "tags.jsonl"):
            if path.is_file():
                files[f"{study.benchmarks.name}/{opened.name}/{path.name}"] = storage.sha256_of_file(path)
    elif tagset is not None:
        raise UsageError(f"The benchmark is not in the study, so there is no tagset {quoted(tagset)}: name its folder.")
    elif chosen:
        notes.append("The benchmark's folder is not in the study: visual patterns are not known.")
    return Gathered(
        candidates=_labelled(_known(study, chosen, zeroshots, sizes).values()),
        benchmark=chosen[0].benchmark if chosen else None,
        content_sha256=chosen[0].content_sha256 if chosen else None,
        dataset=zeroshots[0].dataset if zeroshots else None,
        tagset=tagset if patterns else None,
        patterns=patterns if chosen else {},
        files=files,
        notes=(*notes, *_ways(chosen)),
    )


def _known(
    study: Study, runs: Sequence[Run], zeroshots: Sequence[ZeroShot], sizes: Sequence[Size]
) -> dict[str, Candidate]:
    """Put together what is known of each encoder, by fingerprint."""
    known: dict[str, Candidate] = {}

    def of(name: str, fingerprint: str) -> Candidate:
        return known.get(fingerprint) or Candidate(name, name, fingerprint)

    for run in runs:
        fingerprint = run.fingerprint or run.run_id
        found = of(run.model, fingerprint)
        if found.run_id is not None:
            raise UsageError(
                f"{quoted(run.model)} has several runs on {run.benchmark}: say with --run which are meant, of "
                f"{found.run_id} and {run.run_id}."
            )
        known[fingerprint] = replace(found, run_id=run.run_id, profile=run.profile, matches=run.matches)
    for zeroshot in zeroshots:
        known[zeroshot.fingerprint] = replace(of(zeroshot.encoder, zeroshot.fingerprint), zeroshot=zeroshot)
    for slug, manifest in study.finished_embeddings().items():
        encoder = manifest["settings"]["encoder"]
        known[encoder["fingerprint"]] = replace(of(encoder["name"], encoder["fingerprint"]), slug=slug)
    for size in sizes:
        known[size.fingerprint] = replace(of(size.encoder, size.fingerprint), size=size)
    return known


def _ways(runs: Sequence[Run]) -> list[str]:
    """Say where encoders were not matched alike, or not on what was published."""
    said = []
    profiles = sorted({run.profile for run in runs})
    if len(profiles) > 1:
        said.append(f"Encoders were matched in different ways: {', '.join(map(quoted, profiles))}.")
    orders = sorted({score.order for run in runs for score in run.scores} - {"ab"})
    if orders:
        said.append(f"Some runs say of their scores: {', '.join(map(quoted, orders))}.")
    return said


def _labelled(known: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Give every encoder a name of its own, and sort by it."""
    found = list(known)
    names = Counter(each.encoder for each in found)
    labelled = [
        replace(each, label=f"{each.encoder} ({each.fingerprint[:8]})") if names[each.encoder] > 1 else each
        for each in found
    ]
    return tuple(sorted(labelled, key=lambda each: each.label))
