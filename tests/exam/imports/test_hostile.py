"""Files that mean harm, or were spoiled: one sentence each, never a traceback, and nothing is imported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer import Typer
from typer.testing import CliRunner

from snellen.cli.import_answers import answers
from snellen.errors import SnellenError
from snellen.exam.imports import import_answers
from tests.exam.imports import peers
from tests.exam.imports.peers import rows_of, write_numbered

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud83d", "A", "(a)", "1"]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=6,
)


def paths_of(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within a JSON value."""
    found = [way] if way else []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        found += paths_of(each, (*way, name))
    return found


def put(value: Any, way: tuple[Any, ...], new: Any) -> None:
    for name in way[:-1]:
        value = value[name]
    value[way[-1]] = new


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile") / "s"
    write_numbered(root)
    return root


def whole(study: Path, source: str) -> tuple[str, list[dict[str, Any]]]:
    folder = study / "benchmarks" / "MMVP"
    rows = rows_of(folder)
    path = study / "whole"
    if source == "inspect":
        return "log.json", [peers.sample(row, folder, by="attachment") for row in rows]
    write = {"official": peers.official, "lmms-eval": peers.lmms_eval}.get(source)
    if write is None:
        return "a.jsonl", [{"question_id": row["source_id"], "text": "A", "options": row["shown"]} for row in rows]
    write(path, rows, **({"doc": True} if source == "lmms-eval" else {}))
    return "a.jsonl", [json.loads(line) for line in path.read_text().splitlines()]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("source", ["official", "lmms-eval", "inspect", "jsonl"])
def test_any_field_may_hold_anything(study: Path, tmp_path: Path, source: str, data: st.DataObject) -> None:
    name, lines = whole(study, source)
    line = data.draw(st.integers(0, len(lines) - 1))
    put(lines[line], data.draw(st.sampled_from(paths_of(lines[line]))), data.draw(JSON))
    path = tmp_path / name
    if source == "inspect":
        peers.inspect_json(path, lines)
    else:
        peers.write_jsonl(path, lines)
    try:
        run = import_answers(study, path, benchmark="MMVP", model="m", source=source)
    except SnellenError as error:
        assert "\n" not in str(error)
        assert str(error).isprintable()
        assert not list((study / "runs").glob("*/run.json"))
    else:  # what was put there is not read, or is an answer
        assert (run / "responses.jsonl").stat().st_size
        shutil.rmtree(study / "runs")


def test_the_command_line(study: Path, tmp_path: Path) -> None:
    app = Typer()
    app.command()(answers)
    path = peers.official(tmp_path / "answer.jsonl", rows_of(study / "benchmarks" / "MMVP"))
    result = CliRunner().invoke(app, [str(study), str(path), "--benchmark", "MMVP"])
    assert result.exit_code == 0, result.output
    [run] = (study / "runs").glob("*/run.json")
    assert result.output == f"{run.parent}: grade it with `snellen grade {study} --run {run.parent.name}`\n"
    shutil.rmtree(study / "runs")


def test_links_in_names_lead_nowhere(study: Path, tmp_path: Path) -> None:
    """Members of a log are read, never unpacked: a name that leads out is a name like any other."""
    folder = study / "benchmarks" / "MMVP"
    samples = [peers.sample(row, folder) for row in rows_of(folder)]
    samples[0]["epoch"] = "../../../../out"
    with pytest.raises(SnellenError, match="no whole number"):
        import_answers(study, peers.inspect_eval(tmp_path / "log.eval", samples), benchmark="MMVP", model="m")
    assert [path.name for path in tmp_path.iterdir()] == ["log.eval"]
