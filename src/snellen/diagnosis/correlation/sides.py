"""A finished run as right or wrong, a pair at a time, whoever was examined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from snellen import benchmarks, storage
from snellen.benchmarks import Benchmark
from snellen.errors import StudyError, UsageError
from snellen.runs import Run
from snellen.runs.files import PLAIN
from snellen.study import BENCHMARK_NAME, Study

Metric = Literal["image", "text", "group"]

METRICS: Final[Mapping[Metric, str]] = {"image": "image score", "text": "text score", "group": "group score"}
"""What counts as right for an encoder. Chance is 1/4, 1/4 and 1/6; of pair accuracy it is 1/4."""


@dataclass(frozen=True)
class Side:
    """A run with the benchmark it was asked, and what it has right, by pair_id, sorted.

    `metric` is the encoder's score, or `pair accuracy`. `left_out` are pairs of the benchmark without a match, or with
    an answer that is missing or an error. What is unparsed or refused is wrong.
    """

    run: Run
    benchmark: Benchmark
    metric: str
    right: Mapping[str, bool]
    left_out: tuple[str, ...]

    def tagged(self, tagset: str) -> dict[str, list[str]]:
        """Return the pair_ids of every visual pattern of a tagset; a pair has those of both its questions."""
        pair_of = {question.question_id: question.pair_id for question in self.benchmark.questions}
        found: dict[str, set[str]] = {}
        for tag in self.benchmark.tags(tagset):
            for pattern in tag.patterns:
                found.setdefault(pattern, set()).add(pair_of[tag.question_id])
        return {pattern: sorted(names) for pattern, names in sorted(found.items())}

    def tagsets(self) -> tuple[str, ...]:
        """Return the names of the benchmark's tagsets, sorted."""
        return tuple(sorted({tag.tagset for tag in self.benchmark.tags()}))

    def overlay(self) -> dict[str, str]:
        """Return the sha256 of the benchmark's own files that a correlation depends on, as manifests name them."""
        paths = [self.benchmark.folder / name for name in ("benchmark.json", "tags.jsonl")]
        return {
            f"benchmarks/{self.benchmark.folder.name}/{path.name}": storage.sha256_of_file(path)
            for path in paths
            if path.is_file()
        }


def find(runs: Sequence[Run], unfinished: Sequence[str], name: str, *, encoder: bool) -> Run:
    """Find a finished run by its run_id, or by how it begins, among encoders or among all others.

    Raises:
        UsageError: there is none, or several begin like that.
        StudyError: it is not finished.
    """
    option, verb = ("--encoder-run", "match") if encoder else ("--run", "grade")
    fit = [run for run in runs if (run.kind == "encoder") == encoder]
    found = [run for run in fit if run.run_id == name] or [run for run in fit if run.run_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if name in unfinished:
        raise StudyError(f"The run {name} is not finished: run `snellen {verb}` first.")
    if len(found) > 1:
        raise UsageError(f"{option} {name!r} is how {len(found)} runs begin: {', '.join(run.run_id for run in found)}.")
    of_kind = "of an image-text encoder" if encoder else "with graded answers"
    known = ", ".join(run.run_id for run in fit)
    raise UsageError(
        f"{option} {name!r} is no finished run {of_kind}: "
        + (f"choose {known}." if known else f"the study has none, and `snellen {verb}` makes one.")
    )


def benchmark_of(study: Study, run: Run) -> Benchmark:
    """Read the benchmark that a run was asked.

    Raises:
        StudyError: it is not in the study, or is another one of that name.
    """
    if BENCHMARK_NAME.fullmatch(run.benchmark) and study.benchmark(run.benchmark).is_dir():
        found = benchmarks.read(study.benchmark(run.benchmark))
        if found.content_sha256 == run.content_sha256:
            return found
        raise StudyError(
            f"{found.folder} is not the benchmark of the run {run.run_id} (content {found.content_sha256[:16]}, and "
            f"the run has {run.content_sha256[:16]}): put that one there, or repeat the exam."
        )
    raise StudyError(
        f"The benchmark of the run {run.run_id} is not in the study, and without it pairs have neither visual patterns "
        f"nor images: put its folder into {study.benchmarks}."
    )


def side_of(benchmark: Benchmark, run: Run, metric: Metric, *, allow_incomplete: bool) -> Side:
    """Say what a run has right of its benchmark.

    Raises:
        StudyError: it was not asked as published, or, unless `allow_incomplete`, an answer is missing or an error; or
            no pair is left.
    """
    found = _matched(run, benchmark, metric) if run.kind == "encoder" else _answered(run, benchmark)
    left_out = tuple(name for name in benchmark.pairs if name not in found)
    if run.kind != "encoder" and left_out and not allow_incomplete:
        raise StudyError(
            f"{len(left_out):,} of {len(benchmark.pairs):,} pairs have a question without an answer, or with an error, "
            f"in {run.run_id}, the first {left_out[0]}: finish the run, or give --allow-incomplete to leave them out."
        )
    if not found:
        raise StudyError(f"The run {run.run_id} has no pair of {benchmark.folder}: there is nothing to correlate.")
    right = {name: found[name] for name in benchmark.pairs if name in found}
    return Side(run, benchmark, METRICS[metric] if run.kind == "encoder" else "pair accuracy", right, left_out)


def _matched(run: Run, benchmark: Benchmark, metric: Metric) -> dict[str, bool]:
    strange = sorted(set(run.matches) - set(benchmark.pairs))
    if strange:
        raise StudyError(f"The run {run.run_id} matches the pair {strange[0]}, which its benchmark has not got.")
    return {name: bool(getattr(match, f"{metric}_score")) for name, match in run.matches.items()}


def _answered(run: Run, benchmark: Benchmark) -> dict[str, bool]:
    if PLAIN not in run.sittings:
        raise StudyError(f"The run {run.run_id} was not asked with options as published: ask it in the order ab, too.")
    verdicts = {grade.question_id: grade.verdict for grade in run.grades if grade.plain}
    right = {}
    for name, questions in benchmark.pairs.items():
        both = [verdicts.get(question.question_id, "error") for question in questions]
        if "error" not in both:
            right[name] = both == ["correct", "correct"]
    return right
