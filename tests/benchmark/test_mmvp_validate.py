"""A key that is as published is a note; and import and export on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from snellen.benchmark import build, import_mmvp, validate
from snellen.cli import export, import_
from snellen.cli import validate as validate_cli
from snellen.errors import StudyError
from tests.accepted_pairs import study_with_pairs
from tests.benchmark import mmvp_drawn as drawn
from tests.cli.test_cli import snellen


def test_the_published_key_is_a_note_and_no_fault(tmp_path: Path) -> None:
    result = validate(import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "in", 300)).folder)
    assert result.problems == ()
    assert result.benchmark is not None
    notes = " ".join(result.notes)
    # By hand: the odd number has (a) in all 150 pairs, and 2 / 2^150 is about 1.4e-45.
    assert (
        "which slot it is: that is right for 150 of 150 pairs, where chance is half (exact binomial p = 1e-45)" in notes
    )
    assert "so it was published" in notes
    assert "image files" not in notes


def test_a_key_that_was_laid_here_stays_a_fault(tmp_path: Path) -> None:
    """The same benchmark, with a seed in its header: whoever says that a key was drawn by lot has to show it."""
    folder = import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "in", 40)).folder
    header = json.loads((folder / "benchmark.json").read_text()) | {"option_seed": 7}
    (folder / "benchmark.json").write_text(json.dumps(header))
    result = validate(folder)
    assert result.notes == ()
    assert any("which slot it is: that is right for 20 of 20" in problem for problem in result.problems)
    assert all("by lot" in problem for problem in result.problems)


def test_a_benchmark_with_a_fair_key_has_no_note(tmp_path: Path) -> None:
    result = validate(build(study_with_pairs(tmp_path)).folder)
    assert (result.problems, result.notes) == ((), ())


def test_validate_prints_notes_and_exits_with_0(tmp_path: Path) -> None:
    folder = import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "in", 300)).folder
    done = snellen("validate", folder)
    assert done.returncode == 0, done.stderr
    assert "note: The answer can be guessed from which slot it is" in done.stdout
    assert "nothing is wrong" in done.stdout
    sorted((folder / "images").iterdir())[0].unlink()
    assert snellen("validate", folder).returncode == 1


def call(app: typer.Typer, *arguments: str | Path) -> None:
    typer.main.get_command(app).main([*map(str, arguments)], standalone_mode=False)


def test_the_verbs_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = drawn.mmvp(tmp_path / "in", 100)
    call(import_.app, "mmvp", tmp_path / "s", folder, "--licence", "MIT", "--quiet")
    assert "50 pairs, 2 known errata beside them, content " in capsys.readouterr().out
    call(export.app, "mmvp", tmp_path / "s" / "benchmarks" / "mmvp", tmp_path / "out", "--quiet")
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'out'}: 50 pairs")
    call(import_.app, "mmvp-vlm", tmp_path / "s", drawn.mmvp_vlm(tmp_path / "vlm"), "-q")
    call(export.app, "mmvp-vlm", tmp_path / "s" / "benchmarks" / "mmvp-vlm", tmp_path / "out-vlm", "-q")
    assert "9 pairs" in capsys.readouterr().out
    call(import_.app, "mmvp", tmp_path / "s", folder, "--name", "raw", "--errata", "none", "-q")
    assert "errata" not in capsys.readouterr().out
    call(validate_cli_app(), tmp_path / "s" / "benchmarks" / "raw")
    assert "note: " in capsys.readouterr().out


def validate_cli_app() -> typer.Typer:
    app = typer.Typer()
    app.command()(validate_cli.validate)
    return app


def test_columns_that_are_not_read_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = drawn.mmvp(tmp_path / "in", 2)
    text = "Index,Category,Question,Options,Correct Answer\n1,x,Q?,(a) b (b) c,(a)\n2,x,Q?,(a) b (b) c,(b)\n"
    (folder / "Questions.csv").write_text(text)
    call(import_.app, "mmvp", tmp_path / "s", folder)
    assert "not read: the column(s) 'Category'" in capsys.readouterr().err


def test_a_problem_and_a_note_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "in", 40)).folder
    (folder / "errata.jsonl").write_text("{}\n")
    with pytest.raises(StudyError, match="1 problem, listed above"):
        validate_cli.validate(folder)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("errata.jsonl, line 1") for line in lines)
    assert any(line.startswith("note: ") for line in lines)
