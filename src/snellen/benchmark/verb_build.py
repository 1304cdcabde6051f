"""The verb `build`: from accepted pairs to a benchmark that others can use."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from snellen import accepted as accepted_pairs
from snellen import jsonl, storage
from snellen.benchmark.datasheet import datasheet
from snellen.benchmark.folder import Folder
from snellen.benchmark.images import copy_images, find_images
from snellen.benchmark.lots import questions_of, shuffled
from snellen.benchmarks.files import BENCHMARK, QUESTIONS, content_sha256
from snellen.benchmarks.reader import MAX_SEED
from snellen.errors import StudyError, UsageError
from snellen.progress import SILENT, Progress
from snellen.records import AcceptedPair, Question, Tag
from snellen.study import Study, software

NAME: Final = "blind-pairs"

TAGSET: Final = "accepted"
"""What the patterns that came with the accepted pairs are called among a benchmark's tagsets."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What `build` wrote; `reused` says that an earlier run with the same inputs and settings had done so already."""

    folder: Path
    name: str
    version: str
    n_pairs: int
    content_sha256: str
    option_seed: int
    reused: bool


def build(
    study: str | Path,
    *,
    accepted: str | Path | None = None,
    name: str = NAME,
    version: str = "1",
    option_seed: int | None = None,
    licence: str | None = None,
    source: str | None = None,
    images: str | Path | None = None,
    progress: Progress = SILENT,
) -> BuildResult:
    """Make `benchmarks/<name>/` of the accepted pairs: questions, images, tags and a datasheet.

    Which image is slot a, which option comes first and the order of the lines are drawn by lot. Run again with nothing
    changed, it verifies what is there; run again after a kill, it goes on, and leaves the same bytes.

    Args:
        study: the study that the pairs were mined in.
        accepted: the accepted pairs; None: the study's own `accepted.jsonl`.
        name: of the benchmark, and of its folder.
        version: a benchmark of this name made from other pairs or with other settings is replaced only by another
            version, and only while its folder holds nothing that others added or changed.
        option_seed: what is drawn by lot is drawn from it; None: that of the benchmark that is there, or a random one.
        licence: of images and questions, for those who use the benchmark.
        source: where the images come from, in words.
        images: where the images are now; None: where they were when they were embedded.
        progress: told of every image.

    Raises:
        UsageError: an option is wrong, there is no such study, or its images are not found.
        StudyError: an accepted pair is wrong or its images are not in the study; or the benchmark is another one.
        StorageError: the disk is full, or another process is writing to the study.
    """
    for option, text in (("version", version), ("licence", licence), ("source", source)):
        try:
            jsonl.nullable(jsonl.text)(text)
        except jsonl.Bad as bad:
            raise UsageError(f"--{option} {jsonl.quoted(text)} {bad}: say it in words, or leave it out.") from None
    if option_seed is not None and not 0 <= option_seed <= MAX_SEED:
        raise UsageError(f"--option-seed {option_seed} is out of range: give an integer from 0 to {MAX_SEED}.")
    if accepted is not None and not Path(accepted).is_file():
        raise UsageError(f"--accepted {accepted} is not a file: give a file as accepted.jsonl is.")
    opened = Study.existing(study)
    folder = Folder(opened, name)
    settings = {"name": name, "version": version, "licence": licence, "source": source, "option_seed": option_seed}
    with opened.lock([opened.benchmarks, folder.path, folder.images]):
        return _Build(opened, folder, Path(accepted or opened.accepted), settings, images, progress).run()


class _Build:
    """One run, step by step."""

    def __init__(
        self,
        study: Study,
        folder: Folder,
        accepted: Path,
        settings: dict[str, Any],
        where: str | Path | None,
        progress: Progress,
    ) -> None:
        self.study = study
        self.folder = folder
        self.where = where
        self.progress = progress
        self.pairs = accepted_pairs.read(accepted)
        if not self.pairs:
            raise StudyError(f"{accepted} holds no pair: accept some first.")
        self.settings = settings
        if settings["option_seed"] is None:
            stored = folder.stored_seed()
            self.settings = settings | {"option_seed": secrets.randbits(32) if stored is None else stored}
        self.mining, mined = self._mining()
        self.inputs = {self._name(accepted): storage.sha256_of_file(accepted), **self._verified(study.images), **mined}

    def run(self) -> BuildResult:
        """Do what is not done yet."""
        finished = self.folder.finished(self.settings, self.inputs)
        if finished is not None and not self.folder.missing(finished):
            self.folder.plan.unlink(missing_ok=True)  # killed between the manifest and tidying up
            return self._result(storage.read_json(self.folder.path / BENCHMARK), reused=True)
        rows = find_images(self.study, self.pairs)
        if finished is None:
            self.folder.begin(self.settings, self.inputs)
        paths = copy_images(self.study, self.where, self.pairs, rows, self.folder.path, self.progress)
        questions = [one for pair in self.pairs for one in questions_of(pair, self.settings["option_seed"], paths)]
        questions = shuffled(questions, self.settings["option_seed"])
        header, files = self._files(questions, [rows[image] for image in sorted(rows)])
        hashes = {path: image for image, path in paths.items()}
        if finished is not None:
            self.folder.mend(finished, files, hashes)
            return self._result(header, reused=True)
        outputs = self.folder.fill(files, hashes)
        self.study.write_manifest(
            self.folder.path,
            verb="build",
            settings=self.settings,
            software=software("pillow", "pyarrow"),
            inputs=self.inputs,
            outputs=outputs,
            counts={"pairs": len(self.pairs), "questions": len(questions), "images": len(rows)},
        )
        self.folder.plan.unlink(missing_ok=True)
        return self._result(header, reused=False)

    def _files(self, questions: Sequence[Question], rows: Sequence[Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Make everything but the images: the content of `benchmark.json`, and bytes by path."""
        lines = jsonl.lines_of(questions)
        header = {
            "name": self.settings["name"],
            "version": self.settings["version"],
            "content_sha256": content_sha256(sha256(lines).hexdigest(), {one.image: one.image_id for one in questions}),
            "licence": self.settings["licence"],
            "source": self.settings["source"],
            "n_pairs": len(self.pairs),
            "option_seed": self.settings["option_seed"],
        }
        files = {
            QUESTIONS: lines,
            "tags.jsonl": jsonl.lines_of(_tags(self.pairs, questions)),
            "DATASHEET.md": datasheet(header, self.pairs, rows, self.mining).encode(),
            BENCHMARK: storage.json_bytes(header),
        }
        return header, files

    def _result(self, header: dict[str, Any], *, reused: bool) -> BuildResult:
        names = ("name", "version", "n_pairs", "content_sha256", "option_seed")
        return BuildResult(folder=self.folder.path, **{name: header[name] for name in names}, reused=reused)

    def _mining(self) -> tuple[dict[str, Any] | None, dict[str, str]]:
        """Read `mining.json`, where `mine` has finished, for the datasheet."""
        if self.study.read_manifest(self.study.pairs) is None:
            return None, {}
        hashes = self._verified(self.study.pairs)
        return storage.read_json(self.study.mining), {path: hashes[path] for path in hashes if path == "mining.json"}

    def _verified(self, artefact: Path) -> dict[str, str]:
        """Compare an artefact's files with its manifest; return sha256 by path relative to the study."""
        manifest = self.study.read_manifest(artefact)
        verb = "embed" if artefact == self.study.images else "mine"
        if manifest is None:
            raise StudyError(f"{artefact} is not finished: run `snellen {verb} {self.study.root}` first.")
        outputs: dict[str, str] = manifest["outputs"]
        for path, expected in outputs.items():
            file = self.study.root / path
            if not file.is_file() or storage.sha256_of_file(file) != expected:
                raise StudyError(
                    f"{file} was changed after it was written: run `snellen {verb} {self.study.root}` again."
                )
        return outputs

    def _name(self, accepted: Path) -> str:
        """Name the file of accepted pairs as manifests may: relative to the study, or by its last name."""
        try:
            return accepted.resolve().relative_to(self.study.root.resolve()).as_posix()
        except ValueError:
            return re.sub(r"[^A-Za-z0-9._-]", "-", accepted.name)


def _tags(pairs: Sequence[AcceptedPair], questions: Sequence[Question]) -> list[Tag]:
    """Tag each question with its pair's patterns; where nobody gave any, nothing is said."""
    by_id = {pair.pair_id: pair for pair in pairs}
    return [
        Tag(question.question_id, TAGSET, pair.patterns, ", ".join(pair.decided_by))
        for question in questions
        if (pair := by_id[question.pair_id]).patterns
    ]
