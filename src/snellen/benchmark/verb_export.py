"""The verb `export`: any benchmark in the layouts of MMVP and MMVP-VLM, for tools that read those.

The official scripts open `<number>.jpg` and go by its content, so that is what every image is called here, whatever its
format: its bytes stay as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from snellen import benchmarks, storage
from snellen.benchmark import mmvp, mmvp_vlm
from snellen.benchmark.mmvp_folder import TABLE
from snellen.benchmarks import Benchmark
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad, quoted
from snellen.progress import SILENT, Progress
from snellen.records import Question

Pairs = list[tuple[Question, Question]]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export wrote."""

    folder: Path
    n_pairs: int


def export_mmvp(benchmark: str | Path, out: str | Path, *, progress: Progress = SILENT) -> ExportResult:
    """Write `Questions.csv` and `MMVP Images/<number>.jpg`.

    Pairs keep their published numbers where they were imported, else they are numbered in the order of their lines;
    slot a has the odd number. Answers are those of the questions: errata are not applied.

    Args:
        benchmark: the benchmark's folder.
        out: a folder that is empty or not there; or holds what an export of this benchmark wrote or began.
        progress: told of every image.

    Raises:
        UsageError: there is no benchmark, or `out` holds other things.
        StudyError: the benchmark is wrong, or a question does not survive in this layout.
    """
    loaded = benchmarks.read(benchmark)
    pairs = _published(loaded, mmvp.DATASET) or _in_order(loaded)
    rows = [["Index", "Question", "Options", "Correct Answer"]]
    images = {}
    for number, question in _numbered(pairs):
        if question.text is None or question.options is None or question.answer is None:
            raise StudyError(
                f"The question {question.question_id} has no text and options, and MMVP's layout has nothing else: "
                "export it as mmvp-vlm."
            )
        try:
            options = _plain(mmvp.options_text(question.options))
            text = _plain(question.text)
        except Bad as bad:
            raise StudyError(
                f"The question {question.question_id} {bad}: it cannot be written in this layout."
            ) from None
        rows.append([str(number), text, options, "(a)" if question.answer == 0 else "(b)"])
        images[f"MMVP Images/{number}.jpg"] = question
    return _write(loaded, Path(out), rows, images, progress)


def export_mmvp_vlm(
    benchmark: str | Path, out: str | Path, *, tagset: str | None = None, progress: Progress = SILENT
) -> ExportResult:
    """Write `Questions.csv` and `MLLM_VLM Images/<Type>/<number>.jpg`.

    Imported pairs keep their published numbers; others are numbered pattern by pattern in the order of publication,
    because the official script takes each fifteen pairs for one pattern, by their place.

    Args:
        benchmark: the benchmark's folder; every question has a statement, and one of the nine visual patterns.
        out: as for `export_mmvp`.
        tagset: whose patterns; None: the only tagset that there is.
        progress: told of every image.

    Raises:
        UsageError: there is no benchmark, `tagset` is not there or not said, or `out` holds other things.
        StudyError: the benchmark is wrong, or a question does not survive in this layout.
    """
    loaded = benchmarks.read(benchmark)
    patterns = _patterns(loaded, tagset)
    order = list(mmvp_vlm.PUBLISHED)
    pairs = _published(loaded, mmvp_vlm.DATASET) or sorted(
        _in_order(loaded), key=lambda pair: order.index(patterns[pair[0].question_id])
    )
    rows = [["Question ID", "Type", "Statement"]]
    images = {}
    for number, question in _numbered(pairs):
        if question.statement is None:
            raise StudyError(
                f"The question {question.question_id} has no statement, and MMVP-VLM's layout has nothing else: "
                "export it as mmvp."
            )
        try:
            statement = _plain(question.statement)
        except Bad as bad:
            raise StudyError(
                f"The question {question.question_id} {bad}: it cannot be written in this layout."
            ) from None
        name = mmvp_vlm.PUBLISHED[patterns[question.question_id]]
        rows.append([str(number), name, statement])
        images[f"MLLM_VLM Images/{name}/{number}.jpg"] = question
    return _write(loaded, Path(out), rows, images, progress)


def _plain(text: str) -> str:
    if text != text.strip() or "\0" in text or "\r" in text:
        raise Bad(f"has the text {quoted(text)}, and white space at its ends or a carriage return would be lost")
    return text


def _numbered(pairs: Pairs) -> list[tuple[int, Question]]:
    return list(enumerate((question for pair in pairs for question in pair), 1))


def _in_order(loaded: Benchmark) -> Pairs:
    """The pairs in the order of the first line of each."""
    return [loaded.pairs[name] for name in dict.fromkeys(question.pair_id for question in loaded.questions)]


def _published(loaded: Benchmark, dataset: str) -> Pairs | None:
    """The pairs in the order of their published numbers, where every question has its own, 1 to 2k; else None."""
    numbers = {question.source_id: question for question in loaded.questions}
    wanted = [f"{dataset}:{number}" for number in range(1, len(loaded.questions) + 1)]
    if set(numbers) != set(wanted):
        return None
    asked = [numbers[name] for name in wanted]
    pairs = list(zip(asked[::2], asked[1::2], strict=True))
    return pairs if all((a.pair_id, a.slot) == (b.pair_id, "a") for a, b in pairs) else None


def _patterns(loaded: Benchmark, tagset: str | None) -> dict[str, str]:
    """The one visual pattern of each question."""
    tags = loaded.tags()
    there = sorted({tag.tagset for tag in tags})
    if tagset is None and len(there) == 1:
        tagset = there[0]
    if tagset is None or tagset not in there:
        raise UsageError(
            f"{loaded.folder} has {'the tagsets ' + ', '.join(map(quoted, there)) if there else 'no tags'}: MMVP-VLM's "
            "layout needs the pattern of every question; name the tagset that has them with --tagset."
        )
    patterns = {tag.question_id: tag.patterns for tag in tags if tag.tagset == tagset}
    for a, b in loaded.pairs.values():
        found = set(patterns.get(a.question_id, ())) | set(patterns.get(b.question_id, ()))
        if len(found) != 1 or not found <= set(mmvp_vlm.PUBLISHED) or len(patterns.keys() & _ids(a, b)) < 2:
            raise StudyError(
                f"The pair {a.pair_id} has the patterns {quoted(sorted(found))} in the tagset {quoted(tagset)}: "
                f"MMVP-VLM's layout needs one for both questions, of {', '.join(mmvp_vlm.PUBLISHED)}."
            )
    return {name: found[0] for name, found in patterns.items()}


def _ids(a: Question, b: Question) -> set[str]:
    return {a.question_id, b.question_id}


def _write(
    loaded: Benchmark, out: Path, rows: Sequence[Sequence[str]], images: Mapping[str, Question], progress: Progress
) -> ExportResult:
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(rows)
    content = table.getvalue().encode()
    hashes = {path: question.image_id for path, question in images.items()} | {TABLE: sha256(content).hexdigest()}
    _refuse_others(out, hashes)
    progress.start("copying images", len(images), "images")
    for path, question in images.items():
        if not (out / path).exists():
            storage.write_bytes(out / path, loaded.image(question))
        progress.advance()
    progress.finish()
    if not (out / TABLE).exists():
        storage.write_bytes(out / TABLE, content)  # last: an export with its table is whole
    return ExportResult(out, len(images) // 2)


def _refuse_others(out: Path, hashes: Mapping[str, str]) -> None:
    """Make sure that nothing is written over, and that nothing else would lie among what is written."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out} is not a folder: name one that is empty or not there yet.")
    for path in sorted(out.rglob("*")) if out.is_dir() else ():
        name = path.relative_to(out).as_posix()
        ours = path.is_file() and not path.is_symlink() and hashes.get(name) == storage.sha256_of_file(path)
        left = name.endswith(storage.TEMPORARY_SUFFIX) and name.removesuffix(storage.TEMPORARY_SUFFIX) in hashes
        if not ours and not left and not (path.is_dir() and not path.is_symlink() and _leads_to(name, hashes)):
            raise UsageError(f"{out} holds {quoted(name)}, which this export would not write: name an empty folder.")


def _leads_to(name: str, hashes: Mapping[str, str]) -> bool:
    return any(path.startswith(f"{name}/") for path in hashes)
