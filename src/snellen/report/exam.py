"""What the page says of benchmarks and exams: one table of scores, and the question of every pair that has one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from snellen import benchmarks, storage, variants
from snellen.benchmarks import Benchmark
from snellen.benchmarks.files import BENCHMARK, QUESTIONS
from snellen.records import Question
from snellen.runs import Run, Score, read_runs
from snellen.study import Study

METRICS: Final = ("pair_accuracy", "question_accuracy", "same_answer_rate")
"""The columns of the table; pair and question accuracy never stand without each other."""


class Row(NamedTuple):
    """One model's line: its scores in the order of `METRICS`, and what of its answers could not be read.

    `note` says what is unusual about the scores (corrected errata, another order of options); it may be empty.
    """

    model: str
    fingerprint: str | None
    note: str
    scores: tuple[Score | None, ...]
    unparsed: int
    refused: int
    errors: int
    questions: int


class Group(NamedTuple):
    """The lines of one benchmark, or of one visual pattern (of `tagset`) in it."""

    title: str
    tagset: str | None
    rows: tuple[Row, ...]


class Section(NamedTuple):
    """One benchmark's scores: overall and by visual pattern; `here`: the benchmark itself is in the study."""

    overall: Group
    patterns: tuple[Group, ...]
    here: bool


class Asked(NamedTuple):
    """What a benchmark asks of a pair: the true answers stand in the order of the pictures.

    `right` names the models that got both questions right, of `examined`.
    """

    benchmark: str
    text: str
    options: tuple[str, str]
    answers: tuple[str, ...]
    right: tuple[str, ...]
    examined: int


@dataclass(frozen=True)
class Exam:
    """The benchmarks and finished runs of a study; `unfinished` names those that are not shown, `files` are hashed."""

    benchmarks: tuple[Benchmark, ...]
    runs: tuple[Run, ...]
    unfinished: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def chances(self) -> dict[str, float]:
        """What guessing gives, by metric."""
        return {score.metric: score.chance for run in self.runs for score in run.scores if score.chance is not None}

    def sections(self) -> list[Section]:
        """Return every benchmark's scores: those of the study first, then those that are known by their runs only."""
        names = {one.content_sha256: one.name for one in self.benchmarks}
        here = set(names)
        for run in sorted(self.runs, key=lambda run: (run.benchmark, run.content_sha256)):
            names.setdefault(run.content_sha256, run.benchmark)
        found = []
        for content, name in names.items():
            runs = self._runs_on(content)
            groups = dict.fromkeys((score.group, score.tagset) for run in runs for score in run.scores)
            overall = Group(name, None, _rows(runs, "all", None))
            patterns = [Group(group, tagset, _rows(runs, group, tagset)) for group, tagset in groups if tagset]
            if overall.rows:  # none for item sets, which have no pairs
                found.append(Section(overall, tuple(patterns), content in here))
        return found

    @property
    def without_pairs(self) -> list[str]:
        """What was asked that comes in no pairs, and is not on the page."""
        return sorted({run.benchmark for run in self.runs if not any(one.n_pairs for one in run.scores)})

    def asked(self, pair_id: str, image_ids: Sequence[str | None]) -> list[Asked]:
        """Return what the study's benchmarks ask of a pair whose pictures are shown in this order."""
        found = []
        for benchmark in self.benchmarks:
            questions = {one.image_id: one for one in benchmark.pairs.get(pair_id, ())}
            shown = [questions[image] for image in image_ids if image in questions]
            text, options = (shown[0].text, shown[0].options) if len(shown) == 2 else (None, None)
            if text is None or options is None:
                continue  # statements alone
            runs = self._runs_on(benchmark.content_sha256)
            right = [label for label, run in zip(_labels(runs), runs, strict=True) if _both_right(run, shown)]
            answers = tuple(options[one.answer] for one in shown if one.answer is not None)
            found.append(Asked(benchmark.name, text, options, answers, tuple(right), len(runs)))
        return found

    def _runs_on(self, content_sha256: str) -> list[Run]:
        runs = [run for run in self.runs if run.content_sha256 == content_sha256]
        return sorted(runs, key=lambda run: (run.model, run.run_id))


def read_exam(study: Study) -> Exam:
    """Read the benchmarks and the finished runs of a study, all of them checked.

    Raises:
        StudyError: one of them is damaged, or was changed after it was written.
    """
    runs, unfinished = read_runs(study)
    files = {path: digest for run in runs for path, digest in run.files.items()}
    found = []
    folders = sorted(study.benchmarks.iterdir()) if study.benchmarks.is_dir() else []
    for folder in (path for path in folders if (path / BENCHMARK).is_file() or (path / QUESTIONS).is_file()):
        if study.read_manifest(folder) is None and folder.with_name(f"{folder.name}.plan.json").exists():
            unfinished.append(folder.name)
            continue
        found.append(benchmarks.read(folder))
        for name in (BENCHMARK, QUESTIONS):
            files[study.relative(folder / name)] = storage.sha256_of_file(folder / name)
    return Exam(tuple(found), tuple(runs), tuple(unfinished), files)


def _rows(runs: Sequence[Run], group: str, tagset: str | None) -> tuple[Row, ...]:
    """Make the lines of one group: one a run, and one more for each way of scoring that is not the usual one.

    Variants of the images are left out: a run that was diagnosed has many, and `snellen grade` prints them.
    """
    rows = []
    for label, run in zip(_labels(runs), runs, strict=True):
        scores = [score for score in run.scores if (score.group, score.tagset) == (group, tagset)]
        for errata, order in sorted({(score.errata, score.order) for score in scores}, key=lambda way: way[0] + way[1]):
            by_metric = {score.metric: score for score in scores if (score.errata, score.order) == (errata, order)}
            varied = any(variants.NAME.fullmatch(part) for part in order.split(", "))
            if "pair_accuracy" in by_metric and not varied:  # no question accuracy without pair accuracy
                rows.append(_row(label, run.fingerprint, errata, order, by_metric))
    return tuple(rows)


def _row(label: str, fingerprint: str | None, errata: str, order: str, by_metric: Mapping[str, Score]) -> Row:
    notes = [f"errata {errata}"] * (errata != "published") + [f"asked: {order}"] * (order != "ab")
    fullest = max((by_metric[name] for name in METRICS if name in by_metric), key=lambda score: score.n_questions)
    return Row(
        model=label,
        fingerprint=fingerprint,
        note=", ".join(notes),
        scores=tuple(by_metric.get(name) for name in METRICS),
        unparsed=fullest.n_unparsed,
        refused=fullest.n_refused,
        errors=fullest.n_error,
        questions=fullest.n_questions,
    )


def _labels(runs: Iterable[Run]) -> list[str]:
    """Name runs by their models, and by their settings too where a model has several runs."""
    runs = list(runs)
    counts = Counter(run.model for run in runs)
    return [run.model if counts[run.model] == 1 else f"{run.model} ({run.run_id[-8:]})" for run in runs]


def _both_right(run: Run, questions: Sequence[Question]) -> bool:
    return all(run.verdicts.get(question.question_id) == "correct" for question in questions)
