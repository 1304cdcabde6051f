"""Reading a benchmark that anybody may have made: everything is checked, nothing is followed or run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from snellen import jsonl
from snellen.benchmarks import overlays
from snellen.benchmarks.files import BENCHMARK, IMAGES, QUESTIONS, content_sha256, hash_inside, opened, read_inside
from snellen.benchmarks.questions import EXTENSIONS, pair_problems, question
from snellen.errors import StudyError, UsageError
from snellen.images.base import TooManyBytes
from snellen.images.sniff import sniff
from snellen.jsonl import Bad
from snellen.records import Erratum, Question, Statement, Tag

MAX_PROBLEMS: Final = 1000
"""A file in which more than this is wrong is not read to its end."""

MAX_SEED: Final = 2**53 - 1

HEADER: Final[dict[str, jsonl.Check]] = {
    "name": jsonl.text,
    "version": jsonl.text,
    "content_sha256": jsonl.digits(64),
    "licence": jsonl.nullable(jsonl.text),
    "source": jsonl.nullable(jsonl.text),
    "n_pairs": jsonl.integer(1, 2**31),
    "option_seed": jsonl.nullable(jsonl.integer(0, MAX_SEED)),
}
"""The fields of `benchmark.json`; `option_seed` is null where the order of options is as it was published."""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark's questions, in the order of its file, and where its images are.

    `content_sha256` names what is asked: every score that is published should name it too.
    """

    folder: Path
    name: str
    version: str
    content_sha256: str
    licence: str | None
    source: str | None
    option_seed: int | None
    questions: tuple[Question, ...]

    @cached_property
    def pairs(self) -> Mapping[str, tuple[Question, Question]]:
        """The questions of slot a and slot b, by pair_id, sorted by pair_id."""
        by_id = {one.question_id: one for one in self.questions}
        return {name: (by_id[f"{name}-a"], by_id[f"{name}-b"]) for name in sorted({q.pair_id for q in by_id.values()})}

    def image(self, question: Question) -> bytes:
        """Read a question's image.

        Raises:
            StudyError: it is gone, or is no longer the one that the question names.
        """
        try:
            data = read_inside(self.folder, question.image)
        except (Bad, TooManyBytes) as bad:
            raise StudyError(f"{self.folder / question.image} {bad}: put the benchmark back as it was.") from None
        if sha256(data).hexdigest() != question.image_id:
            raise StudyError(f"{self.folder / question.image} was changed: put the benchmark back as it was.")
        return data

    def tags(self, tagset: str | None = None) -> tuple[Tag, ...]:
        """Read `tags.jsonl`, or one tagset of it; empty where there is none.

        Raises:
            StudyError: a line is wrong, or names no question of this benchmark.
        """
        found = overlays.read(self.folder, "tags.jsonl", Tag, self.questions)
        return tuple(tag for tag in found if tagset in (None, tag.tagset))

    def statements(self) -> tuple[Statement, ...]:
        """Read `statements.jsonl`; empty where there is none. Raises as `tags` does."""
        return overlays.read(self.folder, "statements.jsonl", Statement, self.questions)

    def errata(self) -> tuple[Erratum, ...]:
        """Read `errata.jsonl`; empty where there is none. Raises as `tags` does.

        Both questions of a pair have the same action, so that corrected answers differ too.
        """
        return overlays.read(self.folder, "errata.jsonl", Erratum, self.questions)


def read(folder: str | Path) -> Benchmark:
    """Read a benchmark, all of it checked: fields, pairs, images by their hashes, and the content hash.

    Example:
        for question in read("study/benchmarks/blind-pairs").questions:
            print(question.image, question.text, question.options)

    Raises:
        UsageError: the folder holds no benchmark.
        StudyError: something is wrong with it; `snellen validate` lists everything that is.
    """
    loaded = load(folder)
    if loaded.benchmark is None:
        more = f" ({len(loaded.problems) - 1} more by `snellen validate`)" if len(loaded.problems) > 1 else ""
        raise StudyError(f"{loaded.folder} is not a whole benchmark{more}: {loaded.problems[0]}")
    return loaded.benchmark


@dataclass
class Loaded:
    """A benchmark as far as it can be read, and what is wrong with it; `benchmark` is None where anything is."""

    folder: Path
    problems: list[str] = field(default_factory=list)
    benchmark: Benchmark | None = None


def load(folder: str | Path) -> Loaded:
    """Read a benchmark and gather what is wrong with it, in whole sentences.

    Raises:
        UsageError: the folder holds no benchmark.
    """
    loaded = Loaded(Path(folder))
    if not (loaded.folder / BENCHMARK).exists() and not (loaded.folder / QUESTIONS).exists():
        raise UsageError(
            f"There is no benchmark in {folder}: name a folder with a {BENCHMARK} (STUDY/benchmarks/NAME)."
        )
    header = _header(loaded)
    questions, digest = _questions(loaded)
    for name, pair in _in_pairs(questions).items():
        loaded.problems += pair_problems(name, pair)
    images = _images(loaded, questions)
    if header is not None and not loaded.problems:
        _compare(loaded, header, questions, content_sha256(digest, images))
    if header is not None and not loaded.problems:
        del header["n_pairs"]
        loaded.benchmark = Benchmark(folder=loaded.folder, questions=tuple(questions), **header)
    return loaded


def _header(loaded: Loaded) -> dict[str, Any] | None:
    try:
        with opened(loaded.folder, BENCHMARK) as file:
            return jsonl.fields(jsonl.parse(file.read(jsonl.MAX_LINE + 2)), HEADER)
    except Bad as bad:
        loaded.problems.append(f"{BENCHMARK} {bad}.")
        return None


def _questions(loaded: Loaded) -> tuple[list[Question], str]:
    """Read `questions.jsonl`, and hash it."""
    questions: list[Question] = []
    first: dict[str, int] = {}
    try:
        digest, _ = hash_inside(loaded.folder, QUESTIONS)
        with opened(loaded.folder, QUESTIONS) as file:
            for number, found in jsonl.read(file, question):
                if isinstance(found, Question) and found.question_id in first:
                    found = Bad(f"asks the question {found.question_id}, as line {first[found.question_id]} does")
                if isinstance(found, Bad):
                    loaded.problems.append(f"{QUESTIONS}, line {number}, {found}.")
                    if len(loaded.problems) >= MAX_PROBLEMS:
                        loaded.problems.append(f"{QUESTIONS} was not read further: {MAX_PROBLEMS} problems are enough.")
                        break
                else:
                    first[found.question_id] = number
                    questions.append(found)
    except Bad as bad:
        loaded.problems.append(f"{QUESTIONS} {bad}.")
        return [], ""
    if not questions and not loaded.problems:
        loaded.problems.append(f"{QUESTIONS} holds no question.")
    return questions, digest


def _images(loaded: Loaded, questions: list[Question]) -> dict[str, str]:
    """Hash every image that a question names; look for others."""
    hashes: dict[str, str] = {}
    for path, image_id in sorted({one.image: one.image_id for one in questions}.items()):
        try:
            hashes[path], head = hash_inside(loaded.folder, path)
        except Bad as bad:
            loaded.problems.append(f"{path} {bad}.")
            continue
        kind = sniff(head)
        if hashes[path] != image_id:
            loaded.problems.append(f"{path} was changed: its sha256 is {hashes[path]}.")
        elif kind is None or kind == "unsupported":
            loaded.problems.append(f"{path} is not an image in a format that is decoded.")
        elif not path.endswith("." + EXTENSIONS[kind]):
            loaded.problems.append(f"{path} is a {kind} file: its name must end in .{EXTENSIONS[kind]}.")
    folder = loaded.folder / IMAGES
    if folder.is_dir() and not folder.is_symlink():
        named = {one.image for one in questions}
        others = sorted(entry.name for entry in folder.iterdir() if f"{IMAGES}/{entry.name}" not in named)
        if others:
            loaded.problems.append(
                f"{IMAGES}/ holds {len(others)} file(s) that no question shows, the first {jsonl.quoted(others[0])}."
            )
    return hashes


def _compare(loaded: Loaded, header: Mapping[str, Any], questions: list[Question], content: str) -> None:
    if header["n_pairs"] * 2 != len(questions):
        loaded.problems.append(
            f"{BENCHMARK} says {header['n_pairs']} pairs, and {QUESTIONS} holds {len(questions) // 2}."
        )
    if header["content_sha256"] != content:
        loaded.problems.append(
            f"The content hash is {content}, and {BENCHMARK} says {header['content_sha256']}: {QUESTIONS} was changed "
            "after it was built."
        )


def _in_pairs(questions: list[Question]) -> dict[str, list[Question]]:
    pairs: dict[str, list[Question]] = {}
    for one in questions:
        pairs.setdefault(one.pair_id, []).append(one)
    return pairs
