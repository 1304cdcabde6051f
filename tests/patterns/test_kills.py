"""SIGKILL in the middle of tagging, over HTTP: nothing that came is asked again, and the result is the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from snellen import benchmarks
from snellen.patterns import read_taxonomy, tag
from snellen.providers import load_mllm
from snellen.records import Ask
from tests.exam.fakes import Fake
from tests.mllms.serving import serving
from tests.test_benchmarks import write_benchmark

CODE = """
import sys
from snellen.mllms.base import Traffic
from snellen.patterns import tag
tag(sys.argv[1], "made", judges=[sys.argv[2]], traffic=Traffic(concurrency=1))
"""


def replies_in(study: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in study.glob("tagging/made/*.jsonl"))


@pytest.mark.slow
def test_kills_cost_at_most_what_was_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("killed", "whole"):
        write_benchmark(tmp_path / name / "benchmarks" / "made", 30)
    made = benchmarks.read(tmp_path / "killed" / "benchmarks" / "made")
    ids = read_taxonomy("nine").ids
    asked: Counter[str] = Counter()

    def say(ask: Ask) -> str:
        asked[ask.prompt] += 1
        time.sleep(0.05)
        number = int.from_bytes(ask.prompt.encode()) % 9
        return f'{{"patterns": ["{ids[number]}"]}}'

    # every pair asks something else, so that the server can tell them apart
    from tests.test_benchmarks import lines_of, seal, write_lines

    for name in ("killed", "whole"):
        folder = tmp_path / name / "benchmarks" / "made"
        lines = lines_of(folder)
        for line in lines:
            line["text"] = f"Which {line['pair_id']}?"
        write_lines(folder, lines)
        seal(folder, n_pairs=30)
    assert len(made.pairs) == 30
    kills = 3
    with serving(Fake(say)) as address:
        study, model = tmp_path / "killed", f"openai/one@{address}"
        for _ in range(kills):
            before = replies_in(study)
            with subprocess.Popen([sys.executable, "-c", CODE, str(study), model]) as process:
                while replies_in(study) < before + 4 and process.poll() is None:
                    time.sleep(0.01)
                process.send_signal(signal.SIGKILL)
                assert process.wait() == -signal.SIGKILL
        assert not (study / "benchmarks" / "made" / "tags.jsonl").exists()
        subprocess.run([sys.executable, "-c", CODE, str(study), model], check=True)
        assert len(asked) == 30
        assert sum(asked.values()) <= 30 + kills  # at most the one that was under way, each time
        assert replies_in(study) == 30
        tag(tmp_path / "whole", "made", judges=[load_mllm(model)])
    for path in ("benchmarks/made/tags.jsonl", "tagging/made/agreement.json", "tagging/made/nine@1.json"):
        assert (tmp_path / "killed" / path).read_bytes() == (tmp_path / "whole" / path).read_bytes()
