"""What the README prints as the demo's output is what the demo prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen.cli.demo import described
from snellen.exam.grading import grade_runs
from snellen.recipes.demo import demo

README = Path(__file__).resolve().parent.parent / "README.md"


@pytest.mark.slow
def test_the_readmes_scores_are_the_demos(tmp_path: Path) -> None:
    result = demo(tmp_path)
    printed = list(grade_runs(tmp_path / "study", ["world-mllm-interleaved-b8e94da2--world-blind"]))
    text = README.read_text("utf-8")
    block = text[text.index("world/mllm-interleaved on world-blind") :].partition("\n```")[0].split("\n")
    assert printed == block
    said = described(result)
    assert said[0].startswith("Among 2,800 drawn pictures, ")
    assert any("No blind pair is about color" in line for line in said)
    assert sum(line.startswith("  ") for line in said) == 4  # the four diets
    assert any("failures with a verdict: eyes" in line for line in said)
    assert result.diagnosis["verdicts"]["language model or bias"] > result.diagnosis["verdicts"]["eyes"]
