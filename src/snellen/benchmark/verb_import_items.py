"""The verbs `import pope` and `import llava-bench`: questions that come in no pairs, to see what a remedy costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from snellen import jsonl
from snellen.benchmark.itemset_write import ItemSetResult, Source, write_itemset
from snellen.errors import SourceError, UsageError
from snellen.jsonl import Bad
from snellen.progress import SILENT, Progress
from snellen.study import Study

Made = TypeVar("Made")

POPE_SOURCE: Final = "files in the format of POPE (Li et al., EMNLP 2023, arXiv 2305.10355)"
LLAVA_SOURCE: Final = "a folder in the format of LLaVA-Bench in the wild (Liu et al., NeurIPS 2023, arXiv 2304.08485)"


def import_pope(
    study: str | Path,
    files: Sequence[str | Path],
    *,
    images: str | Path,
    name: str = "pope",
    version: str = "1",
    licence: str | None = None,
    progress: Progress = SILENT,
) -> ItemSetResult:
    """Make `itemsets/<name>/` of POPE's files.

    Each line: `{"question_id": 1, "image": "COCO_val2014_000000310196.jpg", "text": "Is there a snowboard in the
    image?", "label": "yes"}`. Images are found by their file names. Each file is a category, named after what is last
    in its name: `coco_pope_adversarial.json` is `adversarial`.

    Args:
        study: the study; it is begun if there is none.
        files: one or several, JSON lines.
        images: the folder of images.
        name: of the item set, and of its folder.
        version: of the item set.
        licence: of images and questions, in words.
        progress: told of every image.

    Raises:
        UsageError: there is no such file or folder, or two files are one category.
        SourceError: a line is not as above, or an image is missing.
        StudyError: there is another item set of this name.
        StorageError: the disk is full, or another process is writing to the study.
    """
    found: list[tuple[str, Mapping[str, Any]]] = []
    inputs: dict[str, str] = {}
    for file in map(Path, files):
        category = file.stem.rpartition("_")[2] or file.stem
        if category in inputs:
            raise UsageError(f"Two files are called {category!r}, the last word of their names: import them apart.")
        lines, inputs[category] = _lines(file, POPE, _pope(category))
        found += lines
    settings = _settings(name, "yes_no", version, licence, POPE_SOURCE)
    return write_itemset(Study(Path(study)), settings, _source(images), found, inputs, progress)


def import_llava_bench(
    study: str | Path,
    folder: str | Path,
    *,
    name: str = "llava-bench",
    version: str = "1",
    licence: str | None = None,
    reference: str = "answers_gpt4.jsonl",
    progress: Progress = SILENT,
) -> ItemSetResult:
    """Make `itemsets/<name>/` of LLaVA-Bench's folder: questions, reference answers, contexts and images.

    `questions.jsonl` (question_id, image, category, text), the reference answers (question_id, text) and
    `context.jsonl` (id, image, caption: what a judge, who sees no image, is told of it) are joined by question_id and
    by the image's name, never by position.

    Args:
        study: the study; it is begun if there is none.
        folder: as published.
        name: of the item set, and of its folder.
        version: of the item set.
        licence: of images and questions, in words.
        reference: the file of reference answers.
        progress: told of every image.

    Raises:
        UsageError: there is no such folder.
        SourceError: a file or line is not as above, or a question has no reference, context or image.
        StudyError: there is another item set of this name.
        StorageError: the disk is full, or another process is writing to the study.
    """
    root = Path(folder)
    questions, asked = _lines(root / "questions.jsonl", QUESTION, lambda line: line)
    answers, answered = _lines(root / reference, REFERENCE, lambda line: line)
    contexts, told = _lines(root / "context.jsonl", CONTEXT, lambda line: line)
    references = _by(answers, "question_id", root / reference)
    captions = _by(contexts, "image", root / "context.jsonl")
    found: list[tuple[str, Mapping[str, Any]]] = []
    for line in _by(questions, "question_id", root / "questions.jsonl").values():
        number, image = line["question_id"], line["image"]
        if number not in references:
            raise SourceError(f"{root / reference} has no answer to question {number}: get a whole copy.")
        if image not in captions:
            raise SourceError(f"{root / 'context.jsonl'} does not describe {jsonl.quoted(image)}: get a whole copy.")
        fields = {
            "item_id": number,
            "text": line["text"],
            "reference": references[number]["text"],
            "context": captions[image]["caption"],
            "category": line["category"],
            "source_id": f"LLaVA-Bench:{number}",
        }
        found.append((image, fields))
    settings = _settings(name, "free", version, licence, LLAVA_SOURCE)
    inputs = {"questions.jsonl": asked, "reference": answered, "context.jsonl": told}
    return write_itemset(Study(Path(study)), settings, _source(root / "images"), found, inputs, progress)


def _settings(name: str, kind: str, version: str, licence: str | None, source: str) -> dict[str, Any]:
    for option, text in (("version", version), ("licence", licence)):
        try:
            jsonl.nullable(jsonl.text)(text)
        except Bad as bad:
            raise UsageError(f"--{option} {jsonl.quoted(text)} {bad}: say it in words, or leave it out.") from None
    return {"name": name, "kind": kind, "version": version, "licence": licence, "source": source}


def _source(folder: str | Path) -> Source:
    if not Path(folder).is_dir():
        raise UsageError(f"There is no folder of images {folder}: say where they are.")
    return Source(Path(folder))


def _lines(
    path: Path, checks: Mapping[str, jsonl.Check], make: Callable[[dict[str, Any]], Made]
) -> tuple[list[Made], str]:
    """Read JSON lines, of which other fields than those named do not matter; return them, and the file's sha256."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}: get a whole copy, or say where it is.")
    digest = sha256(path.read_bytes()).hexdigest()
    lines = []
    with path.open("rb") as file:
        for number, found in jsonl.read(file, lambda line: make(_fields(line, checks))):
            if isinstance(found, Bad):
                raise SourceError(f"{path}, line {number}, {found}: get a whole copy.")
            lines.append(found)
    if not lines:
        raise SourceError(f"{path} is empty: get a whole copy.")
    return lines, digest


def _fields(line: Mapping[str, Any], checks: Mapping[str, jsonl.Check]) -> dict[str, Any]:
    return jsonl.fields({name: value for name, value in line.items() if name in checks}, checks)


def _by(lines: Sequence[dict[str, Any]], key: str, path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line[key] in found:
            raise SourceError(f"{path} has {key} {jsonl.quoted(line[key])} twice: get a whole copy.")
        found[line[key]] = line
    return found


def _pope(category: str) -> Callable[[dict[str, Any]], tuple[str, Mapping[str, Any]]]:
    def make(line: dict[str, Any]) -> tuple[str, Mapping[str, Any]]:
        fields = {
            "item_id": f"{category}-{line['question_id']}",
            "text": line["text"],
            "answer": line["label"],
            "category": category,
            "source_id": f"POPE:{category}:{line['question_id']}",
        }
        return line["image"], fields

    return make


def _name(value: object) -> str:
    """A number or a text, as text: files spell question_id both ways."""
    return str(value) if type(value) is int else jsonl.text(value)


def _label(value: object) -> str:
    """`yes` or `no`, in any case."""
    return str(jsonl.one_of("yes", "no")(value.strip().lower() if isinstance(value, str) else value))


POPE: Final[dict[str, jsonl.Check]] = {
    "question_id": _name,
    "image": jsonl.text,
    "text": jsonl.text,
    "label": _label,
}
QUESTION: Final[dict[str, jsonl.Check]] = {
    "question_id": _name,
    "image": jsonl.text,
    "category": jsonl.text,
    "text": jsonl.text,
}
REFERENCE: Final[dict[str, jsonl.Check]] = {"question_id": _name, "text": jsonl.text}
CONTEXT: Final[dict[str, jsonl.Check]] = {"image": jsonl.text, "caption": jsonl.text}
"""The fields of each file's lines that are read, and what each may hold."""
