"""The stand-in's way: ask what is not answered yet, grade everything, score. The real exam deletes it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from snellen import benchmarks, jsonl, storage
from snellen.benchmarks.files import BENCHMARK as HEADER
from snellen.encoders import fingerprint
from snellen.errors import EncoderError, StudyError, UsageError
from snellen.progress import SILENT, Progress
from snellen.runs import GRADES, RESPONSES, RUN, SCORES, run_id, write_scores
from snellen.study import Study, software
from snellen.world.exam.engine import DECODING, Engine
from snellen.world.exam.scores import grade, scores

PROFILE: Final = "world-letter@1"
"""Text, then both options: `Which way does the dog look? (a) left (b) right`."""


def examine(
    benchmark: Path, model: Path, study: Study, *, name: str, batch_size: int = 64, progress: Progress = SILENT
) -> Path:
    """Ask a model every question of a benchmark, grade the answers, and write `runs/<run_id>/`.

    Run again after a kill, it asks what has not been answered yet; run again with nothing changed, it asks nothing.

    Args:
        benchmark: a benchmark's folder.
        model: a local folder that `AutoModelForImageTextToText` and `AutoProcessor` can load.
        study: where the run is written.
        name: what the model is called.
        batch_size: questions that are computed together; no part of the settings.
        progress: told of every answer.

    Returns:
        The run's folder.

    Raises:
        UsageError: there is no such benchmark, or it has no questions for an MLLM.
        StudyError: the benchmark is damaged, or an unfinished run was begun with other software.
        EncoderError: the model cannot be loaded, or its weights do not fit.
        StorageError: the disk is full, or another process is writing to the study.
    """
    asked = benchmarks.read(benchmark)
    if any(question.text is None for question in asked.questions):
        raise UsageError(f"{benchmark} has pairs with statements only, which cannot be asked: name another benchmark.")
    digest = _fingerprint(model)
    settings = {
        "kind": "mllm",
        "model": name,
        "fingerprint": digest,
        "benchmark": {"name": asked.name, "content_sha256": asked.content_sha256},
        "profile": PROFILE,
        "decoding": DECODING,
        "template": None,
    }
    folder = study.run(run_id(name, digest, asked.name, settings))
    with study.lock([study.runs, folder]):
        answers = _answered(folder / RESPONSES)
        missing = [question for question in asked.questions if question.question_id not in answers]
        if missing:
            _begin(study, folder, settings)
            progress.start(f"asking {name}", len(missing), "questions")
            for responses in Engine(model).answers(asked, missing, batch_size):
                _append(folder / RESPONSES, responses)
                progress.advance(len(responses))
            progress.finish()
            answers = _answered(folder / RESPONSES)
        graded = [grade(question, answers[question.question_id]) for question in asked.questions]
        storage.write_bytes(folder / GRADES, jsonl.lines_of(graded))
        write_scores(folder / SCORES, scores(asked, graded))
        outputs = [folder / one for one in (RUN, GRADES, SCORES)]
        study.write_manifest(
            folder,
            verb="world exam",
            settings=settings,
            software=software("numpy", "scipy"),
            inputs={f"benchmarks/{asked.name}/{HEADER}": storage.sha256_of_file(asked.folder / HEADER)},
            outputs={study.relative(path): storage.sha256_of_file(path) for path in outputs},
            counts={"questions": len(graded), "unparsed": sum(one.choice is None for one in graded)},
        )
    return folder


def _fingerprint(model: Path) -> str:
    """Return 64 hex digits over the names and contents of a model's files."""
    if not (model / "config.json").is_file():
        raise EncoderError(f"{model} holds no config.json: name a folder that save_pretrained wrote.")
    files = sorted(path for path in model.rglob("*") if path.is_file())
    return fingerprint.of_files({"files": [path.relative_to(model).as_posix() for path in files]}, files)


def _begin(study: Study, folder: Path, settings: Mapping[str, Any]) -> None:
    header = {**settings, "software": software("pillow", "tokenizers", "torch", "transformers")}
    path = folder / RUN
    if (folder / RESPONSES).exists() and path.exists() and storage.read_json(path) != header:
        raise StudyError(f"{folder} was begun with other software: go on with that, or delete the folder.")
    with storage.storage_errors(path):
        study.manifest_path(folder).unlink(missing_ok=True)
    storage.write_json(path, header)


def _append(path: Path, responses: Sequence[Mapping[str, Any]]) -> None:
    with storage.storage_errors(path), path.open("ab") as file:
        file.writelines((json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n").encode() for one in responses)
        file.flush()
        os.fsync(file.fileno())


def _answered(path: Path) -> dict[str, str]:
    """Read the answers so far, by question_id; a last line that a kill cut short is taken off, and asked again."""
    if not path.exists():
        return {}
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        storage.write_bytes(path, whole)
    try:
        lines = [jsonl.parse(line) for line in whole.splitlines()]
        return {line["question_id"]: line["text"] for line in lines}
    except (jsonl.Bad, KeyError) as error:
        raise StudyError(f"{path} is damaged (a line {error}): delete it, and everything is asked again.") from None
