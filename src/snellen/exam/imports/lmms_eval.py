"""lmms-eval's samples: `<date>_samples_mmvp.jsonl`, which `--log_samples` writes.

Its doc_id is the place in the data set, from 0, and names nothing. The question's own number is `doc["Index"]`, from 1,
where the file still has `doc`; the versions that leave it out have it in what the task's metric notes,
`mmvp_accuracy["index"]`, from 0 (EvolvingLMMs-Lab/lmms-eval, tasks/mmvp/utils.py and loggers/evaluation_tracker.py).
`input` is the prompt as it was shown. `resps` is left out where `filtered_resps` says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from snellen.exam.imports.foreign import Foreign, letter, number
from snellen.exam.imports.lines import read_lines, text_of
from snellen.jsonl import Bad

INDEX: Final = ("Index", "index", "idx")
METRICS: Final = ("mmvp_accuracy", "mmvp_pair_accuracy")

DEPTH: Final = 3
"""Of lists within lists: requests of a question, repeats of a request."""


def read(path: Path) -> list[Foreign]:
    """Read every line; of several answers to one question each is a repeat.

    Raises:
        StudyError: a line is not as lmms-eval writes it, or does not say which question it answers.
    """
    return read_lines(path, _answers)


def _answers(line: dict[str, Any], where: str) -> list[Foreign]:
    found, counted_from = _number(line)
    prompt = _prompt(line)
    texts = list(_texts(line["resps"] if line.get("resps") is not None else line.get("filtered_resps")))
    if not texts:
        raise Bad("has neither resps nor filtered_resps")
    return [
        Foreign(
            where=where,
            text=text,
            number=found,
            counted_from=counted_from,
            prompt=prompt,
            answer=letter(line.get("target")),
            repeat=repeat,
        )
        for repeat, text in enumerate(texts)
    ]


def _number(line: dict[str, Any]) -> tuple[int, tuple[int, ...]]:
    doc = line.get("doc")
    for name in INDEX:
        if isinstance(doc, dict) and doc.get(name) is not None:
            found = number(doc[name])
            assert found is not None
            return found, (1,)
    for name in METRICS:
        noted = line.get(name)
        if isinstance(noted, dict) and noted.get("index") is not None:
            found = number(noted["index"])
            assert found is not None
            return found, (0, 1)  # from 0; a version before that left the number as it was
    raise Bad(
        "does not say which question it answers: it has neither a doc with an Index nor mmvp_accuracy, and its doc_id "
        "is only a place"
    )


def _prompt(line: dict[str, Any]) -> str | None:
    shown = line.get("input")
    if isinstance(shown, list | tuple) and shown:
        shown = shown[0]
    if isinstance(shown, str):
        return shown
    doc = line.get("doc")
    if not isinstance(doc, dict):
        return None
    question, options = doc.get("Question", doc.get("question")), doc.get("Options", doc.get("options"))
    if not isinstance(question, str) or not isinstance(options, str):
        return None
    if options.count("(") > 2:
        raise Bad(
            "has options with a bracket, of which that tool shows a part only, and no input to see what was shown"
        )
    return f"{question}\n{options}"


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Yield every text of `[["A"]]` or `["A"]`."""
    if isinstance(value, list) and depth < DEPTH:
        for each in value:
            yield from _texts(each, depth + 1)
    elif value is not None:
        yield text_of(value, "resps")
