"""Two runs on a benchmark, written as strangers would write them, with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snellen.study import Study
from tests.test_benchmarks import content_of, lines_of, write_benchmark, write_lines
from tests.test_runs import GRADE, write_run

NAME = "blind-pairs"

Answers = Sequence[str]
"""One text a pair of its two questions' verdicts: 1 right, 0 wrong, u unparsed, r refused, e error, - missing."""

VERDICTS = {"1": "correct", "0": "incorrect", "u": "unparsed", "r": "refused", "e": "error"}


def names_of(study: Path) -> list[str]:
    """The pair_ids of the study's benchmark, sorted."""
    return sorted({str(line["pair_id"]) for line in lines_of(study / "benchmarks" / NAME)})


def write_study(root: Path, n_pairs: int, tags: dict[str, dict[str, list[int]]] | None = None) -> Path:
    """Write a study with a benchmark; `tags` are numbers of pairs by pattern by tagset, both questions tagged."""
    folder = write_benchmark(root / "benchmarks" / NAME, n_pairs, name=NAME)
    names = names_of(root)
    lines: list[dict[str, Any]] = []
    for tagset, patterns in (tags or {}).items():
        for number, name in enumerate(names):
            has = [pattern for pattern, members in patterns.items() if number in members]
            lines += [
                {"question_id": f"{name}-{slot}", "tagset": tagset, "patterns": has, "by": "anna"} for slot in "ab"
            ]
    if lines:
        write_lines(folder, lines, "tags.jsonl")
    return root


def grades_of(names: Sequence[str], answers: Answers, order: str = "ab") -> list[dict[str, Any]]:
    return [
        GRADE | {"question_id": f"{name}-{slot}", "order": order, "verdict": VERDICTS[each]}
        for name, both in zip(names, answers, strict=True)
        for slot, each in zip("ab", both, strict=True)
        if each != "-"
    ]


def write_answers(
    root: Path,
    name: str,
    answers: Answers,
    *,
    reversed_answers: Answers | None = None,
    names: Sequence[str] | None = None,
    header: dict[str, Any] | None = None,
    finished: bool = True,
) -> Path:
    """Write a run on the study's benchmark; with `reversed_answers` it was asked in both orders."""
    pairs = names_of(root) if names is None else names
    content = content_of(root / "benchmarks" / NAME) if names is None else "2" * 64
    values: dict[str, Any] = {"model": f"world/{name}", "benchmark": {"name": NAME, "content_sha256": content}}
    grades = grades_of(pairs, answers)
    if reversed_answers is not None:
        values["sittings"] = [["ab", 0, "none", ""], ["ba", 0, "none", ""]]
        grades += grades_of(pairs, reversed_answers, "ba")
    return write_run(Study(root), name, header=values | (header or {}), grades=grades, finished=finished)
