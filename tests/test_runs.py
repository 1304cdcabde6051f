"""Runs that others wrote: read strictly, or refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import StudyError
from snellen.runs import Score, read_runs, write_scores
from snellen.study import Study

HEADER: dict[str, Any] = {
    "kind": "mllm",
    "model": "world/clip-fed",
    "fingerprint": "1" * 64,
    "benchmark": {"name": "blind-pairs", "content_sha256": "2" * 64},
    "profile": "letter@1",
    "decoding": {"do_sample": False},
    "template": None,
    "software": {"snellen": "0"},
}
GRADE: dict[str, Any] = {
    "question_id": "q-a",
    "order": "ab",
    "repeat": 0,
    "control": "none",
    "variant": "",
    "choice": 1,
    "verdict": "correct",
    "grader": "rules@1",
    "span": "(b)",
}
SCORE: dict[str, Any] = {
    "metric": "pair_accuracy",
    "group": "all",
    "tagset": None,
    "errata": "published",
    "order": "ab",
    "n_pairs": 4,
    "n_questions": 8,
    "value": 0.25,
    "low": 0.05,
    "high": 0.7,
    "method": "wilson",
    "chance": 0.25,
    "n_unparsed": 1,
    "n_refused": 0,
    "n_error": 0,
}


def write_run(
    study: Study,
    name: str = "run",
    *,
    header: dict[str, Any] | None = None,
    grades: list[dict[str, Any]] | None = None,
    scores: Any = None,
    finished: bool = True,
) -> Path:
    """Write a run as a stranger would, with its manifest."""
    folder = study.root / "runs" / name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(HEADER | (header or {})))
    lines = [GRADE] if grades is None else grades
    (folder / "grades.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "scores.json").write_text(json.dumps([SCORE] if scores is None else scores))
    outputs = {
        f"runs/{name}/{file}": hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for file in ("run.json", "grades.jsonl", "scores.json")
    }
    if finished:
        manifest = {"schema": 1, "artefact": f"runs/{name}", "verb": "grade", "outputs": outputs}
        (folder.parent / f"{name}.manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    study = Study(tmp_path)
    for name in ("zebra", "ant"):
        write_run(study, name)
    write_run(study, "half", finished=False)
    runs, unfinished = read_runs(study)
    assert [run.run_id for run in runs] == ["ant", "zebra"]
    assert unfinished == ["half"]
    run = runs[0]
    assert (run.model, run.benchmark, run.content_sha256) == ("world/clip-fed", "blind-pairs", "2" * 64)
    assert run.scores == (Score(**SCORE),)
    assert run.grades[0].plain and run.grades[0].choice == 1
    assert run.files == {
        f"runs/ant/{name}": hashlib.sha256((tmp_path / "runs/ant" / name).read_bytes()).hexdigest()
        for name in ("run.json", "grades.jsonl", "scores.json")
    }


def test_a_study_without_runs(tmp_path: Path) -> None:
    assert read_runs(Study(tmp_path)) == ([], [])


def test_scores_are_written_as_they_are_read(tmp_path: Path) -> None:
    study = Study(tmp_path)
    folder = write_run(study, scores=[SCORE, SCORE | {"value": None, "n_pairs": 0}])
    write_scores(tmp_path / "again.json", read_runs(study)[0][0].scores)
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads((folder / "scores.json").read_text())


@pytest.mark.parametrize("name", ["run.json", "grades.jsonl", "scores.json"])
def test_files_that_changed_or_went_are_said_to(tmp_path: Path, name: str) -> None:
    path = write_run(Study(tmp_path)) / name
    path.write_text(path.read_text() + " ")
    with pytest.raises(StudyError, match=f"{name} was changed"):
        read_runs(Study(tmp_path))
    path.unlink()
    with pytest.raises(StudyError, match=f"{name} is missing"):
        read_runs(Study(tmp_path))


Change = Callable[[Study], Path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda study: write_run(study, scores={}), "does not hold a list"),
        (lambda study: write_run(study, scores=["x"]), "score 1, is 'x' and not an object"),
        (lambda study: write_run(study, scores=[SCORE, SCORE | {"value": 1.5}]), "score 2, has value 1.5"),
        (lambda study: write_run(study, scores=[SCORE | {"n_pairs": True}]), "has n_pairs True"),
        (lambda study: write_run(study, scores=[SCORE | {"chance": float("nan")}]), "has chance nan"),
        (lambda study: write_run(study, scores=[SCORE | {"colour": 1}]), "'colour', which is not known"),
        (lambda study: write_run(study, grades=[GRADE, GRADE | {"verdict": "wright"}]), "line 2, has verdict"),
        (lambda study: write_run(study, grades=[GRADE | {"choice": 2}]), "has choice 2"),
        (lambda study: write_run(study, header={"kind": "cat"}), "run.json has kind 'cat'"),
        (lambda study: write_run(study, header={"benchmark": "b"}), "run.json has benchmark 'b'"),
        (lambda study: write_run(study, header={"benchmark": {"name": "b"}}), "has no field content_sha256"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: Change, message: str) -> None:
    change(Study(tmp_path))
    with pytest.raises(StudyError, match=message):
        read_runs(Study(tmp_path))


def test_scores_that_are_no_json(tmp_path: Path) -> None:
    folder = write_run(Study(tmp_path))
    (folder / "scores.json").write_text("[{")
    manifest = json.loads((tmp_path / "runs/run.manifest.json").read_text())
    manifest["outputs"]["runs/run/scores.json"] = hashlib.sha256(b"[{").hexdigest()
    (tmp_path / "runs/run.manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StudyError, match=r"scores\.json is damaged"):
        read_runs(Study(tmp_path))
