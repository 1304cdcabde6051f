"""The exam as users meet it on the command line: MMVP in, asked, graded, compared, out again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from snellen import benchmarks
from snellen.records import Question
from tests.benchmark.mmvp_drawn import mmvp
from tests.cli.test_cli import assert_one_sentence, snellen

Say = Callable[[int, Question], str]


def letter(question: Question, right: bool) -> str:
    assert question.answer is not None
    return "ab"[question.answer if right else 1 - question.answer]


def replay(study: Path, name: str, say: Say) -> Path:
    """Write answers by question_id, in another order than the questions'."""
    made = benchmarks.read(study / "benchmarks" / "mmvp")
    lines = [
        {"question_id": one.question_id, "text": say(int(str(one.source_id).partition(":")[2]), one)}
        for one in reversed(made.questions)
    ]
    path = study.parent / name
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.slow
def test_mmvp_in_asked_graded_compared_and_out(tmp_path: Path) -> None:
    study = tmp_path / "s"
    folder = mmvp(tmp_path / "MMVP", 300, images="MMVP_Images", shuffled=True)
    imported = snellen("import", "mmvp", study, folder)
    assert imported.returncode == 0, imported.stderr
    assert "150 pairs" in imported.stdout
    checked = snellen("validate", study / "benchmarks" / "mmvp")
    assert checked.returncode == 0 and "note: " in checked.stdout  # its key is the parity of the number

    # One sees everything, and so contradicts the four published answers that are wrong; one says (a) to everything.
    wrong = {99, 100, 279, 280}
    sees = replay(study, "sees.jsonl", lambda number, one: f"The answer is ({letter(one, number not in wrong)}).")
    habit = replay(study, "habit.jsonl", lambda number, one: "(a)")
    for path in (sees, habit):
        asked = snellen("ask", study, "--benchmark", "mmvp", "--model", f"replay/{path}", "--profile", "official", "-q")
        assert asked.returncode == 0, asked.stderr
        assert "300 answers, 300 of them new" in asked.stdout
    graded = snellen("grade", study, "-q")
    assert graded.returncode == 0, graded.stderr
    lines = [line.strip() for line in graded.stdout.splitlines()]
    # 148 of 150 as published; corrected, 279/280 are right and 99/100 left out: 149 of 149
    assert any(line.startswith("pair accuracy ") and "98.7 %" in line and "n = 150 pairs" in line for line in lines)
    corrected = [line for line in lines if line.startswith("pair accuracy (errata corrected)")]
    assert any("100.0 %" in line and "n = 149 pairs" in line for line in corrected)
    assert any(line.startswith("pair accuracy ") and " 0.0 % [0.0, 2.5]" in line for line in lines)
    assert any(line.startswith("question accuracy ") and "50.0 %" in line for line in lines)
    runs = sorted(path.parent for path in (study / "runs").glob("*/run.json"))
    compared = snellen("compare", *runs)
    assert compared.returncode == 0, compared.stderr
    assert "150" in compared.stdout and "McNemar" in compared.stdout
    as_json = json.loads(snellen("compare", *runs, "--json").stdout)
    assert json.dumps(as_json)
    out = snellen("export", "mmvp", study / "benchmarks" / "mmvp", tmp_path / "out")
    assert out.returncode == 0, out.stderr
    again = snellen("import", "mmvp", tmp_path / "s2", tmp_path / "out")
    assert again.returncode == 0, again.stderr
    contents = [benchmarks.read(one / "benchmarks" / "mmvp").content_sha256 for one in (study, tmp_path / "s2")]
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_hand_grading_at_the_terminal(tmp_path: Path) -> None:
    study = tmp_path / "s"
    snellen("import", "mmvp", study, mmvp(tmp_path / "MMVP", 4))
    answers = replay(study, "a.jsonl", lambda number, one: "Hard to say." if number == 1 else f"({letter(one, True)})")
    snellen("ask", study, "--benchmark", "mmvp", "--model", f"replay/{answers}", "--profile", "official")
    before = snellen("grade", study).stdout
    assert "1 unparsed" in before and "50.0 %" in before
    command = [sys.executable, "-m", "snellen", "grade", str(study), "--hand", "anna"]
    after = subprocess.run(command, input="a\n", capture_output=True, text=True, check=True)
    assert "Hard to say." in after.stdout
    assert "0 unparsed" in after.stdout and "100.0 %" in after.stdout
    closed = subprocess.run(command, input="", capture_output=True, text=True, check=True)  # nothing is left to decide
    assert "0 unparsed" in closed.stdout


@pytest.mark.slow
def test_wrong_usage_is_one_sentence(tmp_path: Path) -> None:
    study = tmp_path / "s"
    snellen("import", "mmvp", study, mmvp(tmp_path / "MMVP", 4))
    ask = ("ask", study, "--model", "world/mllm-clip")
    assert_one_sentence(snellen(*ask), 2, "either a benchmark or an item set")
    assert_one_sentence(snellen(*ask, "--benchmark", "nope"), 2, "nope", "mmvp")
    assert_one_sentence(snellen(*ask, "--benchmark", "mmvp", "--profile", "x"), 2, "letter@1")
    assert_one_sentence(snellen(*ask, "--benchmark", "mmvp", "--control", "x"), 2, "no_image, blank_image")
    assert_one_sentence(snellen(*ask, "--benchmark", "mmvp", "--variant", "flip-0"), 2, "crop, pad, resize, jpeg")
    to = ("ask", study, "--benchmark", "mmvp", "--model")
    assert_one_sentence(snellen(*to, "gpt-4"), 2, "openai, transformers")
    assert_one_sentence(snellen(*to, "world/nothing"), 2, "mllm-clip")
    assert_one_sentence(snellen(*to, "replay/nowhere.jsonl"), 2, "nowhere.jsonl")
    assert_one_sentence(snellen(*to, "openai/x", OPENAI_API_KEY=""), 1, "OPENAI_API_KEY")
    assert_one_sentence(snellen(*to, "openai/x@nowhere"), 2, "openrouter")
    assert_one_sentence(snellen("grade", study), 2, "snellen ask")
    assert_one_sentence(snellen("grade", study, "--run", "x"), 2, "snellen ask")
    assert_one_sentence(snellen("compare", tmp_path / "a", tmp_path / "b"), 2, str(tmp_path / "a"))
    assert_one_sentence(snellen("import", "mmvp", study, tmp_path / "nowhere"), 2, "nowhere")
    assert_one_sentence(snellen("import", "pope", study, tmp_path / "x.json", "--images", tmp_path), 2, "x.json")
    assert_one_sentence(snellen("draft", study, "--model", "world/mllm-clip"), 2, "no study")
    gone = next((study / "benchmarks" / "mmvp" / "images").iterdir())
    gone.unlink()
    assert_one_sentence(snellen(*to, "world/mllm-clip"), 1, f"images/{gone.name} is missing")
    assert not (study / "runs").exists()
