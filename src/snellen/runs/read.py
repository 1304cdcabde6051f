"""Reading finished runs strictly: everything is compared with the manifest beside the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from snellen import storage
from snellen.errors import StudyError
from snellen.records import Grade, Match, Score, Verdict
from snellen.runs.files import GRADES, RUN, SCORES, Sitting, read_grades, read_header, read_scores
from snellen.runs.matches import MATCHES, read_matches
from snellen.study import Study


@dataclass(frozen=True)
class Run:
    """One finished run: a model's exam on one benchmark.

    `run_id` is its folder's name, `benchmark` and `content_sha256` say what was asked, `profile` and `sittings` how,
    and `files` are sha256 by path relative to the study. An encoder's run (`kind` encoder) has `matches`, by pair_id,
    and no grades; every other has grades and no matches.
    """

    run_id: str
    kind: str
    model: str
    fingerprint: str | None
    benchmark: str
    content_sha256: str
    profile: str
    sittings: tuple[Sitting, ...]
    scores: tuple[Score, ...]
    grades: tuple[Grade, ...]
    matches: Mapping[str, Match]
    files: Mapping[str, str]

    @cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdict on each question as it was published, by question_id."""
        return {grade.question_id: grade.verdict for grade in self.grades if grade.plain}


def read_runs(study: Study) -> tuple[list[Run], list[str]]:
    """Read every finished run of a study.

    Returns:
        The runs, sorted by run_id, and the run_ids of those that are unfinished.

    Raises:
        StudyError: a run's files are missing or damaged, or are not those that its manifest describes.
    """
    finished: list[Run] = []
    unfinished: list[str] = []
    folders = sorted(study.runs.iterdir()) if study.runs.is_dir() else []
    for folder in (path for path in folders if path.is_dir()):
        run = read_run(study, folder)
        if run is None:
            unfinished.append(folder.name)
        else:
            finished.append(run)
    return finished, unfinished


def read_run(study: Study, folder: Path) -> Run | None:
    """Read one run; None while it is unfinished: without a manifest.

    Raises:
        StudyError: its files are missing or damaged, or are not those that its manifest describes.
    """
    manifest = study.read_manifest(folder)
    if manifest is None:
        return None
    files = {}
    header = read_header(folder / RUN)
    encoder = header.kind == "encoder"
    for name in (RUN, MATCHES if encoder else GRADES, SCORES):
        path = folder / name
        if not path.is_file():
            raise StudyError(f"{path} is missing: put it back, or delete {folder} and repeat the exam.")
        files[study.relative(path)] = storage.sha256_of_file(path)
        if files[study.relative(path)] != manifest["outputs"].get(study.relative(path)):
            raise StudyError(f"{path} was changed after it was written: put it back as it was, or repeat the exam.")
    return Run(
        run_id=folder.name,
        kind=header.kind,
        model=header.model,
        fingerprint=header.fingerprint,
        benchmark=header.benchmark,
        content_sha256=header.content_sha256,
        profile=header.profile,
        sittings=header.sittings,
        scores=read_scores(folder / SCORES),
        grades=() if encoder else read_grades(folder / GRADES),
        matches=read_matches(folder / MATCHES) if encoder else {},
        files=files,
    )
