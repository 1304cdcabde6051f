"""MMVP's own script: `answer.jsonl`.

A line holds question_id, prompt, answer, response, answer_id, model_id (tsb0601/MMVP, scripts/evaluate_mllm.py).
question_id is the row's place in the table, counted from 1, which also names the image that was shown; the prompt is
the row's question and options, so that a table in another order shows by its text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snellen.exam.imports.foreign import Foreign, letter, number
from snellen.exam.imports.lines import read_lines, text_of
from snellen.jsonl import Bad, quoted


def read(path: Path) -> list[Foreign]:
    """Read every line.

    Raises:
        StudyError: a line is not as that script writes it.
    """
    return read_lines(path, _answer)


def _answer(line: dict[str, Any], where: str) -> list[Foreign]:
    found = number(line.get("question_id"))
    if found is None:
        raise Bad("has no question_id")
    key = letter(line.get("answer"))
    if line.get("answer") is not None and key is None:
        raise Bad(f"has answer {quoted(line['answer'])}, which is neither (a) nor (b)")
    model = line.get("model_id")
    return [
        Foreign(
            where=where,
            text=text_of(line.get("response"), "response"),
            number=found,
            prompt=text_of(line.get("prompt"), "prompt"),
            answer=key,
            model=None if model is None else text_of(model, "model_id"),
        )
    ]
