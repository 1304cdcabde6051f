"""`validate` and both verbs on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from snellen.benchmark import build, validate
from snellen.errors import UsageError
from tests.accepted_pairs import study_with_pairs
from tests.cli.test_cli import assert_one_sentence, snellen


def test_a_built_benchmark_is_valid_wherever_it_is_moved(tmp_path: Path) -> None:
    folder = shutil.move(build(study_with_pairs(tmp_path)).folder, tmp_path / "elsewhere")
    result = validate(folder)
    assert result.problems == ()
    assert result.benchmark is not None
    assert len(result.benchmark.pairs) == 4


def test_everything_that_is_wrong_is_listed(tmp_path: Path) -> None:
    folder = build(study_with_pairs(tmp_path)).folder
    lost, changed = sorted((folder / "images").iterdir())[:2]
    lost.unlink()
    changed.write_bytes(b"no picture")
    result = validate(folder)
    assert result.benchmark is None
    assert len(result.problems) == 2
    assert "is missing" in result.problems[0]
    assert "was changed" in result.problems[1]


def test_an_answer_swapped_by_hand_is_noticed_by_the_content_hash(tmp_path: Path) -> None:
    folder = build(study_with_pairs(tmp_path)).folder
    lines = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    for line in lines:
        line["answer"] = 1 - line["answer"]
    (folder / "questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (problem,) = validate(folder).problems
    assert "content hash" in problem


def test_no_benchmark_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no benchmark"):
        validate(tmp_path)


def test_the_verbs_on_the_command_line(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    built = snellen("build", study, "--option-seed", "7", "--licence", "CC0-1.0", "--quiet")
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    assert "4 pairs, version 1, content " in built.stdout
    folder = study / "benchmarks" / "blind-pairs"
    content = json.loads((folder / "benchmark.json").read_text())["content_sha256"]
    valid = snellen("validate", folder)
    assert valid.returncode == 0
    assert content in valid.stdout
    assert_one_sentence(snellen("build", study, "--option-seed", "8"), 1, "--option-seed", "--version")
    sorted((folder / "images").iterdir())[0].unlink()
    invalid = snellen("validate", folder)
    assert_one_sentence(invalid, 1, "1 problem, listed above")
    assert "is missing" in invalid.stdout
    assert_one_sentence(snellen("validate", tmp_path), 2, "no benchmark")
    assert_one_sentence(snellen("build", study, "--name", "a/b"), 2, "cannot be called 'a/b'")
    assert_one_sentence(snellen("build", tmp_path / "none"), 2, "no study")
    (study / "accepted.jsonl").write_text("{}\n")
    assert_one_sentence(snellen("build", study), 1, "accepted.jsonl, line 1, has no field pair_id")
