"""Mined studies with benchmarks and runs, for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snellen import accepted, benchmarks
from snellen.benchmark import build
from snellen.exam.scores import scores
from snellen.exam.verdicts import by_rules
from snellen.records import Grade, Response
from snellen.runs.files import PLAIN
from snellen.study import Study
from tests.accepted_pairs import accepted_pair
from tests.report.test_report import study_of
from tests.test_runs import write_run


def with_benchmark(folder: Path, count: int = 12, name: str = "blind-pairs", **changes: Any) -> Path:
    """A mined study of which every pair is accepted: image_a is answered by the first option."""
    import pyarrow.parquet as pq

    study = study_of(folder, count)
    patterns = ("orientation", "color", "count")
    pairs = [
        accepted_pair(pair["image_a"], pair["image_b"], **{"patterns": (patterns[at % 3],)} | changes)
        for at, pair in enumerate(pq.read_table(study / "pairs.parquet").to_pylist())
    ]
    accepted.write(study / "accepted.jsonl", pairs)
    build(study, name=name, option_seed=1, licence="CC0-1.0")
    return study


def add_run(
    study: Path,
    model: str,
    texts: Mapping[str, str],
    benchmark: str = "blind-pairs",
    header: Mapping[str, Any] | None = None,
) -> Path:
    """A finished run: what a model said to each question ("right" and "wrong" are turned into letters)."""
    asked = benchmarks.read(study / "benchmarks" / benchmark)
    graded: list[Grade] = []
    for question in asked.questions:
        assert question.answer is not None
        right, wrong = ("(a)", "(b)")[:: -1 if question.answer else 1]
        text = texts.get(question.question_id, "right")
        said = {"right": right, "wrong": wrong}.get(text, text)
        response = Response(
            question.question_id, *PLAIN, "", said, "stop", None, None, None, None, None, 0.0, "2026-01-01", None
        )
        graded.append(by_rules(question, response, ("(a)", "(b)")))
    content = {"name": asked.name, "content_sha256": asked.content_sha256}
    run_id = f"{''.join(letter for letter in model if letter.isalnum())}--{asked.folder.name}--{len(model):08x}"
    return write_run(
        Study(study),
        run_id,
        header={"model": model, "benchmark": content} | dict(header or {}),
        grades=[asdict(one) for one in graded],
        scores=[asdict(one) for one in scores(asked, [PLAIN], {one.key: one for one in graded}, {})],
    )
