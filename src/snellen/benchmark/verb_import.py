"""The verb `import`: MMVP and MMVP-VLM, from their folders as published to benchmarks of a study."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from snellen import jsonl, storage
from snellen.benchmark import errata as known_errata
from snellen.benchmark import mmvp, mmvp_vlm
from snellen.benchmark.mmvp_csv import MAX_BYTES, Table
from snellen.benchmark.mmvp_csv import read as read_table
from snellen.benchmark.mmvp_datasheet import PAPER, datasheet
from snellen.benchmark.mmvp_folder import Layout, look
from snellen.benchmark.mmvp_images import Picture, read_all
from snellen.benchmark.mmvp_write import write
from snellen.benchmarks.files import BENCHMARK, QUESTIONS, content_sha256, read_inside
from snellen.errors import SourceError, UsageError
from snellen.images.base import TooManyBytes
from snellen.images.paths import to_uri
from snellen.jsonl import Bad
from snellen.progress import SILENT, Progress
from snellen.records import Erratum, Question, Tag
from snellen.study import Study

Errata = Literal["known", "none"]
"""Whether the label errors that are known are written beside the questions."""

ERRATA: Final[tuple[Errata, ...]] = ("known", "none")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import wrote; `reused` says that an earlier one had written this very benchmark already."""

    folder: Path
    name: str
    version: str
    n_pairs: int
    content_sha256: str
    n_errata: int
    reused: bool


def import_mmvp(
    study: str | Path,
    folder: str | Path,
    *,
    name: str = "mmvp",
    version: str = "1",
    licence: str | None = None,
    errata: Errata = "known",
    by_row: bool = False,
    progress: Progress = SILENT,
) -> ImportResult:
    """Make `benchmarks/<name>/` of MMVP's folder: `Questions.csv` and `MMVP Images/1.jpg` to `300.jpg`.

    Images are matched by the number in their names and rows by the number in theirs, never by position. What is known
    to be wrong with the published answers is written as the overlay `errata.jsonl`; the questions stay as published.

    Args:
        study: the study; it is begun if there is none.
        folder: as published, or its folder of images.
        name: of the benchmark, and of its folder.
        version: of the benchmark.
        licence: of images and questions, in words.
        by_row: the table has no numbers, and its rows are 1, 2, 3 and on, as the official script has it; the manifest
            says so.
        errata: `known`, or `none` for data that were corrected already or are others in the same layout.
        progress: told of every image.

    Raises:
        UsageError: an option is wrong, or there is no such folder.
        SourceError: the folder is not whole, or which image belongs to which question cannot be said; or the data are
            not those that the errata are about.
        StudyError: there is another benchmark of this name.
        StorageError: the disk is full, or another process is writing to the study.
    """
    if errata not in ERRATA:
        raise UsageError(f"--errata {errata!r} is not known: choose {', '.join(ERRATA)}.")
    _check(version, licence)
    target = Study(Path(study))
    target.benchmark(name)  # before anything is read: can it be called that?
    layout = look(Path(folder))
    table, inputs = _table(layout, mmvp.COLUMNS, by_row, progress)
    pictures = read_all(layout, progress)
    try:
        questions = mmvp.questions_of(table.rows, pictures)
    except Bad as bad:
        raise SourceError(f"{layout.root / layout.table} {bad}.") from None
    found = known_errata.known(mmvp.DATASET, dict(enumerate(questions, 1))) if errata == "known" else []
    settings: dict[str, Any] = {
        "format": "mmvp",
        "name": name,
        "version": version,
        "licence": licence,
        "errata": errata,
    }
    settings |= {"by_row": True} if by_row else {}
    return _write(target, settings, layout, pictures, inputs, questions, [], found)


def import_mmvp_vlm(
    study: str | Path,
    folder: str | Path,
    *,
    name: str = "mmvp-vlm",
    version: str = "1",
    licence: str | None = None,
    by_row: bool = False,
    progress: Progress = SILENT,
) -> ImportResult:
    """Make `benchmarks/<name>/` of MMVP-VLM's folder: `Questions.csv` and `MLLM_VLM Images/<Type>/1.jpg` to `270.jpg`.

    Each question is a statement; the tagset `mmvp-vlm` holds the pattern that its column Type says. The rest, and
    what is raised, is as for `import_mmvp`.
    """
    _check(version, licence)
    target = Study(Path(study))
    target.benchmark(name)
    layout = look(Path(folder), mmvp_vlm.pattern_of)
    table, inputs = _table(layout, mmvp_vlm.COLUMNS, by_row, progress)
    pictures = read_all(layout, progress)
    try:
        questions, tags = mmvp_vlm.questions_of(table.rows, pictures)
    except Bad as bad:
        raise SourceError(f"{layout.root / layout.table} {bad}.") from None
    settings: dict[str, Any] = {"format": "mmvp-vlm", "name": name, "version": version, "licence": licence}
    settings |= {"by_row": True} if by_row else {}
    return _write(target, settings, layout, pictures, inputs, questions, tags, [])


def _check(version: str, licence: str | None) -> None:
    for option, text in (("version", version), ("licence", licence)):
        try:
            jsonl.nullable(jsonl.text)(text)
        except Bad as bad:
            raise UsageError(f"--{option} {jsonl.quoted(text)} {bad}: say it in words, or leave it out.") from None


def _table(
    layout: Layout,
    columns: Any,  # noqa: ANN401
    by_row: bool,
    progress: Progress,
) -> tuple[Table, dict[str, str]]:
    """Read `Questions.csv`; return it and its hash, for the manifest."""
    path = layout.root / layout.table
    try:
        data = read_inside(layout.root, layout.table, MAX_BYTES)
        table = read_table(data, columns, by_row=by_row)
    except TooManyBytes:
        raise SourceError(f"{path} has more than {MAX_BYTES:,} bytes, so it is no such table.") from None
    except Bad as bad:
        raise SourceError(f"{path} {bad}.") from None
    if table.unread:
        progress.note(f"{path}: not read: the column(s) {', '.join(map(jsonl.quoted, table.unread[:10]))}")
    return table, {to_uri(os.fsencode(layout.table)): sha256(data).hexdigest()}


def _write(
    study: Study,
    settings: dict[str, Any],
    layout: Layout,
    pictures: dict[int, Picture],
    inputs: dict[str, str],
    questions: Sequence[Question],
    tags: Sequence[Tag],
    errata: Sequence[Erratum],
) -> ImportResult:
    what = "MMVP" if settings["format"] == "mmvp" else "MMVP-VLM"
    lines = jsonl.lines_of(questions)
    header = {
        "name": settings["name"],
        "version": settings["version"],
        "content_sha256": content_sha256(
            sha256(lines).hexdigest(), {one.path: one.image_id for one in pictures.values()}
        ),
        "licence": settings["licence"],
        "source": f"a folder in the layout of {what}: {PAPER}",
        "n_pairs": len(questions) // 2,
        "option_seed": None,
    }
    files = {
        QUESTIONS: lines,
        BENCHMARK: storage.json_bytes(header),
        "DATASHEET.md": datasheet(header, what, questions, tags, errata).encode(),
    }
    files |= {"tags.jsonl": jsonl.lines_of(tags)} if tags else {}
    files |= {"errata.jsonl": jsonl.lines_of(errata)} if errata else {}
    reused = write(
        study,
        settings["name"],
        settings,
        inputs | {to_uri(os.fsencode(one.source)): one.image_id for one in pictures.values()},
        files,
        layout,
        pictures,
        {
            "pairs": len(questions) // 2,
            "questions": len(questions),
            "images": len({one.path for one in pictures.values()}),
        },
    )
    return ImportResult(
        folder=study.benchmark(settings["name"]),
        name=settings["name"],
        version=settings["version"],
        n_pairs=len(questions) // 2,
        content_sha256=header["content_sha256"],
        n_errata=len(errata),
        reused=reused,
    )
