"""The verb `grade`: from raw answers to verdicts and scores. It never asks the examined model anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from snellen import benchmarks, jsonl, storage
from snellen.benchmarks import Benchmark
from snellen.benchmarks.files import BENCHMARK
from snellen.errors import StudyError, UsageError
from snellen.exam import grade_pairs, verdicts
from snellen.exam.judge import Agreement, Judged, Unread
from snellen.exam.rating import Rated
from snellen.exam.verb_items import grade_items, is_of_items, itemset_of
from snellen.itemsets import ItemSet
from snellen.itemsets.nouns import ITEMSET
from snellen.mllms.base import MultimodalModel
from snellen.progress import SILENT, Progress
from snellen.records import Score
from snellen.runs import GRADES, RESPONSES, RUN, SCORES, Header, read_header, read_responses, write_scores
from snellen.study import Study, software

Asked = TypeVar("Asked", Benchmark, ItemSet)

INPUTS = (BENCHMARK, ITEMSET, "tags.jsonl", "errata.jsonl")
"""Files of what was asked, and of its overlays, that the scores depend on."""


@dataclass(frozen=True)
class GradeResult:
    """What `grade` made of a run; `counts` are verdicts.

    `cut` counts answers that were cut off by the limit on their length, of which only what is explicit is read.
    `judged` says what the judge did, where there was one, and `checked` how often it says what a person says of the
    same answers.
    """

    folder: Path
    header: Header
    scores: tuple[Score, ...]
    counts: Mapping[str, int]
    cut: int
    judged: Judged | Rated | None
    checked: Agreement | None


def grade(
    study: str | Path,
    run: str | Path,
    *,
    benchmark: str | Path | None = None,
    judge_model: MultimodalModel | None = None,
    allow_incomplete: bool = False,
    progress: Progress = SILENT,
) -> GradeResult:
    """Grade a run's answers and score them; run again, it does so anew from the raw answers.

    Rules read what is clearly said. What a person has decided (`snellen grade --hand`) goes before them; what they
    leave unparsed is the judge's, where one is given; else it stays unparsed, which counts as wrong and is shown.

    Args:
        study: the study.
        run: a run_id, how it begins, or the path of a run's folder.
        benchmark: where the folder of the benchmark or item set is, if not in the study.
        judge_model: reads what the rules cannot, and rates free answers; each once, replies are kept beside the run.
        allow_incomplete: score although answers are missing or ended in errors; their pairs are left out, and counted.
        progress: told of what the judge does.

    Raises:
        UsageError: there is no such run, its benchmark is not found, or free answers are to be rated by nobody.
        StudyError: answers or benchmark are damaged, or the benchmark is not the one that was asked.
        Incomplete: answers are missing or ended in errors, or the judge did not reply to all.
        ModelError: the judge cannot be reached.
        StorageError: the disk is full, or another process is writing to the run.
    """
    opened = Study(Path(study))
    folder = run_folder(opened, run)
    with opened.lock_run(folder):
        header = read_header(folder / RUN)
        responses = read_responses(folder / RESPONSES)
        asked: Benchmark | ItemSet
        if is_of_items(header):
            asked = _matching(itemset_of(opened, str(benchmark or header.benchmark)), header)
            made = grade_items(folder, asked, responses, judge_model, allow_incomplete, progress)
        else:
            asked = _benchmark(opened, header, benchmark)
            made = grade_pairs.grade_pairs(folder, asked, header, responses, judge_model, allow_incomplete, progress)
        storage.write_bytes(folder / GRADES, jsonl.lines_of(made.grades))
        write_scores(folder / SCORES, made.scores)
        files = [asked.folder / name for name in INPUTS if (asked.folder / name).is_file()]
        outputs = [folder / name for name in (RUN, GRADES, SCORES)]
        counts = verdicts.counted(made.grades)
        judge = made.judged and made.judged.grader
        kind = opened.benchmarks.name if isinstance(asked, Benchmark) else opened.itemsets.name
        opened.write_manifest(
            folder,
            verb="grade",
            settings={**header.settings(), "judge": judge, "allow_incomplete": allow_incomplete},
            software=software("numpy", "scipy"),
            inputs={f"{kind}/{asked.name}/{one.name}": storage.sha256_of_file(one) for one in files},
            outputs={opened.relative(one): storage.sha256_of_file(one) for one in outputs},
            counts=counts,
        )
    cut = sum(one.finish == "length" for one in responses.values())
    return GradeResult(folder, header, tuple(made.scores), counts, cut, made.judged, made.checked)


def run_folder(study: Study, run: str | Path) -> Path:
    """Find a run by its run_id, by the beginning of it, or by the path of its folder.

    Raises:
        UsageError: there is none, or several begin like that.
    """
    if Path(run).is_dir() and (Path(run) / RUN).is_file() and Path(run).resolve().parent == study.runs.resolve():
        return study.runs / Path(run).name
    there = sorted(path.name for path in study.runs.glob("*") if (path / RUN).is_file())
    found = [name for name in there if name == str(run)] or [name for name in there if name.startswith(str(run))]
    if len(found) == 1:
        return study.run(found[0])
    known = f"there are {', '.join(there)}" if there else "`snellen ask` makes one"
    said = f"{len(found)} begin like that: {', '.join(found)}" if found else known
    raise UsageError(f"There is no one run {str(run)!r} in {study.root}: {said}.")


def unparsed(study: Study, folder: Path, benchmark: str | Path | None = None) -> list[Unread]:
    """List what the rules leave unparsed in a run of a benchmark; of an item set, nothing.

    Raises:
        UsageError: its benchmark is not found.
        StudyError: answers or benchmark are damaged, or the benchmark is not the one that was asked.
    """
    header = read_header(folder / RUN)
    if is_of_items(header):
        return []
    asked = _benchmark(study, header, benchmark)
    return grade_pairs.unparsed(folder, asked, header, read_responses(folder / RESPONSES))


def _benchmark(study: Study, header: Header, where: str | Path | None) -> Benchmark:
    return _matching(benchmarks.read(where if where is not None else study.benchmark(header.benchmark)), header)


def _matching(found: Asked, header: Header) -> Asked:
    """Return what was asked.

    Raises:
        StudyError: it is another one of that name.
    """
    if found.content_sha256 != header.content_sha256:
        raise StudyError(
            f"{found.folder} is not the benchmark that was asked (content {found.content_sha256[:16]}, and the run has "
            f"{header.content_sha256[:16]}): say where that one is with --benchmark."
        )
    return found
