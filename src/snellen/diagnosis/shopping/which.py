"""Which benchmark, which of its runs and which of its tagsets are meant: where that is not clear, we ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from snellen import benchmarks
from snellen.benchmarks import Benchmark
from snellen.benchmarks.files import BENCHMARK
from snellen.diagnosis.shopping.nouns import in_order
from snellen.errors import StudyError, UsageError
from snellen.jsonl import quoted
from snellen.runs import Run
from snellen.study import Study


def chosen_runs(
    study: Study, there: list[Run], benchmark: str | Path | None, wanted: Sequence[str]
) -> tuple[Benchmark | None, list[Run]]:
    """Return the benchmark, where its folder is found, and the runs on it.

    Raises:
        UsageError: there is no such benchmark or run, or several and none is named.
        StudyError: the runs did not ask what the benchmark holds.
    """
    opened, name = None, None
    if benchmark is not None:
        opened = benchmarks.read(benchmark if "/" in str(benchmark) else _folder(study, str(benchmark)))
        name = opened.name
    names = sorted({run.benchmark for run in there})
    if name is None and len(names) > 1:
        raise UsageError(f"Encoders were matched on several benchmarks: name one of {', '.join(names)}.")
    name = name or (names[0] if names else None)
    chosen = [run for run in there if run.benchmark == name]
    if wanted:
        for begin in wanted:
            if not any(run.run_id.startswith(begin) for run in chosen):
                ids = ", ".join(run.run_id for run in chosen) or "none"
                raise UsageError(f"No encoder's run on {name} begins with {quoted(begin)}: there are {ids}.")
        chosen = [run for run in chosen if any(run.run_id.startswith(begin) for begin in wanted)]
    if opened is None and name is not None and (study.benchmarks / name / BENCHMARK).is_file():
        opened = benchmarks.read(study.benchmarks / name)
    contents = {run.content_sha256 for run in chosen} | ({opened.content_sha256} if opened else set())
    if len(contents) > 1:
        raise StudyError(
            f"Runs on {name} asked different content than the benchmark now has, or than one another: match again."
        )
    return opened, chosen


def _folder(study: Study, name: str) -> Path:
    folder = study.benchmark(name)
    if not folder.is_dir():
        there = sorted(path.name for path in study.benchmarks.glob("*") if path.is_dir())
        known = f"there are {', '.join(there)}" if there else "`snellen build` or `snellen import` makes one"
        raise UsageError(f"There is no benchmark {name!r} in {study.root}: {known}.")
    return folder


def patterns_of(benchmark: Benchmark, wanted: str | None) -> tuple[str | None, dict[str, frozenset[str]]]:
    """Return the tagset and the pairs of every pattern: those of which one question at least is tagged with it.

    Raises:
        UsageError: there is no such tagset, or several and none is named.
    """
    pair_of = {question.question_id: question.pair_id for question in benchmark.questions}
    tagsets = sorted({tag.tagset for tag in benchmark.tags()})
    if wanted is None and len(tagsets) > 1:
        raise UsageError(f"{benchmark.name} has several tagsets: name one of {', '.join(tagsets)} with --tagset.")
    if wanted is not None and wanted not in tagsets:
        raise UsageError(f"{benchmark.name} has no tagset {quoted(wanted)}: {', '.join(tagsets) or 'none'} is there.")
    name = wanted or (tagsets[0] if tagsets else None)
    found: dict[str, set[str]] = {}
    for tag in benchmark.tags(name) if name is not None else ():
        for pattern in tag.patterns:
            found.setdefault(pattern, set()).add(pair_of[tag.question_id])
    return name, {pattern: frozenset(found[pattern]) for pattern in in_order(found)}
