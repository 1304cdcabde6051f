"""SIGKILL and Ctrl-C at random moments of `snellen ask`, on a server that misbehaves: no answer lost, none doubled."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from snellen import benchmarks
from tests.mllms.chaos import answer_to
from tests.test_benchmarks import write_benchmark

REPOSITORY = Path(__file__).resolve().parents[2]


@contextmanager
def misbehaving(*options: str) -> Iterator[str]:
    """Run the server in a process of its own; yield its address."""
    command = [sys.executable, "-m", "tests.mllms.chaos", "--seed", "7", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def ask(study: Path, address: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "snellen", "ask", str(study), "--benchmark", "made"]
    command += ["--model", f"openai/chaos@{address}", "--profile", "official", "--timeout", "2", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines_of(study: Path) -> Sequence[bytes]:
    logs = list(study.glob("runs/*/responses.jsonl"))
    return logs[0].read_bytes().splitlines(keepends=True) if logs else []


def check(study: Path, expected: int) -> None:
    """Every question has one answer, and that is the right one for its prompt and picture."""
    made = benchmarks.read(study / "benchmarks" / "made")
    questions = {one.question_id: one for one in made.questions}
    answers = [one for line in lines_of(study) if (one := json.loads(line))["finish"] != "error"]
    assert len(answers) == len({one["question_id"] for one in answers}) == len(questions) == expected
    for one in answers:
        question = questions[one["question_id"]]
        assert question.options is not None
        prompt = f"{question.text} (a) {question.options[0]} (b) {question.options[1]}"
        assert one["text"] == answer_to(prompt, made.image(question))


@pytest.mark.slow
def test_five_kills_cost_nothing(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_benchmark(study / "benchmarks" / "made", 150)
    moments = random.Random(3)
    kills, before = 0, 0
    with misbehaving("--latency", "0.05", "--faults", "0.3", "--hold", "3") as address:
        while kills < 5:
            with ask(study, address, "--concurrency", "4") as process:
                while len(lines_of(study)) < before + 5 and process.poll() is None:
                    time.sleep(0.02)
                time.sleep(moments.uniform(0, 0.5))
                process.send_signal(signal.SIGKILL)
                assert process.wait() == -signal.SIGKILL, process.stderr and process.stderr.read()
            kills += 1
            left = lines_of(study)
            assert len(left) >= before + 5
            before = len(left)
        assert before < 300
        with ask(study, address, "--concurrency", "16") as process:
            _, errors = process.communicate()
            assert process.returncode == 0, errors
    check(study, 300)


@pytest.mark.slow
def test_ctrl_c_ends_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_benchmark(study / "benchmarks" / "made", 30)
    with misbehaving(
        "--latency", "0.1", "--faults", "1", "--kinds", "hang", "--hold", "30", "--max-faults", "0"
    ) as address:
        with ask(study, address, "--concurrency", "2") as process:
            while len(lines_of(study)) < 6:
                time.sleep(0.02)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate()
            assert time.monotonic() - began < 3
            assert process.returncode == 130
            assert "run the same command again" in errors and "Traceback" not in errors
        kept = lines_of(study)
        with ask(study, address, "--concurrency", "16") as process:
            process.communicate()
            assert process.returncode == 0
    assert list(lines_of(study))[: len(kept)] == list(kept)
    check(study, 60)


@pytest.mark.slow
def test_a_wrong_key_is_one_sentence_and_costs_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = tmp_path / "s"
    write_benchmark(study / "benchmarks" / "made", 5)
    with misbehaving("--key", "right-key") as address:
        for key, code, said in (
            (None, 1, "environment variable CHAOS_KEY"),
            ("wrong-key", 1, "CHAOS_KEY"),
            ("right-key", 0, ""),
        ):
            monkeypatch.delenv("CHAOS_KEY", raising=False)
            if key is not None:
                monkeypatch.setenv("CHAOS_KEY", key)
            with ask(study, address, "--key-variable", "CHAOS_KEY") as process:
                output, errors = process.communicate()
            assert process.returncode == code, errors
            assert said in errors and "Traceback" not in errors
            assert "wrong-key" not in output + errors
            assert errors.count("error: ") == (code != 0)
    check(study, 10)
    assert b"right-key" not in b"".join(path.read_bytes() for path in study.rglob("*") if path.is_file())


@pytest.mark.slow
def test_a_model_that_takes_no_images_is_one_sentence(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_benchmark(study / "benchmarks" / "made", 5)
    with misbehaving("--no-images") as address, ask(study, address) as process:
        _, errors = process.communicate()
        assert process.returncode == 1
        assert "image" in errors and errors.count("error: ") == 1 and "Traceback" not in errors
    with ask(study, "http://127.0.0.1:9/v1", "--retries", "0") as process:  # nobody is there
        _, errors = process.communicate()
        assert process.returncode == 1, errors
        assert errors.startswith("error: Nothing answers at http://127.0.0.1:9/v1")
