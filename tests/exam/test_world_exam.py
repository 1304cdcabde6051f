"""The miniature world's models, in this process and through a real HTTP server: the same answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snellen.benchmark import build
from snellen.exam import ask, grade
from snellen.exam.summary import find
from snellen.mllms.base import Compute, Decoding, MultimodalModel, Traffic
from snellen.providers import load_mllm
from snellen.study import Study
from snellen.world.accept import accept
from tests.mllms.serving import serving
from tests.world.worlds import study_of, world_in

TINY: dict[str, Any] = {"decoding": Decoding(max_tokens=4), "compute": Compute("cpu", batch_size=16)}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Some forty pairs of drawn pictures, with what is asked about them."""
    world = world_in(tmp_path_factory.mktemp("world") / "w", 120)
    study = study_of(world, tmp_path_factory.mktemp("study") / "s", blind_min=0.9, reference_max=0.6)
    accept(study.root, world, per_pattern=5)
    build(study.root, name="world", option_seed=3, images=world.folder / "images")
    return study


def answers(run: Path) -> dict[str, tuple[Any, ...]]:
    lines = [json.loads(line) for line in (run / "responses.jsonl").read_text().splitlines()]
    fields = ("text", "finish", "tokens_in", "tokens_out")
    found = {one["question_id"]: tuple(one[field] for field in fields) for one in lines}
    assert len(found) == len(lines)
    return found


def asked(study: Study, model: MultimodalModel) -> Path:
    return ask(study.root, benchmark="world", model=model, profile="official").folder


@pytest.mark.slow
@pytest.mark.parametrize("diet", ["clip", "interleaved"])
def test_over_http_and_in_process_the_same_is_said(study: Study, diet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = asked(study, load_mllm(f"world/mllm-{diet}", **TINY))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(load_mllm(f"world/mllm-{diet}", **TINY)) as address:
        client = load_mllm(f"openai/{diet}@{address}", decoding=Decoding(max_tokens=4), traffic=Traffic(concurrency=4))
        there = asked(study, client)
    assert here != there
    assert answers(here) == answers(there)
    assert len(answers(here)) >= 60
    scores = [grade(study.root, run).scores for run in (here, there)]
    named = [[score for score in found if score.metric != "logprob_contrast"] for found in scores]
    assert named[0] == named[1]
    assert find(scores[0], "pair_accuracy").n_pairs == len(answers(here)) // 2


def test_the_mixture_sees_what_the_clip_fed_model_does_not(study: Study) -> None:
    """The world's known fact, through the real exam: blind pairs by vectors that hold kind, context and color alone."""
    found = {}
    for diet in ("clip", "interleaved"):
        scores = grade(study.root, asked(study, load_mllm(f"world/mllm-{diet}", **TINY))).scores
        found[diet] = find(scores, "pair_accuracy")
        assert find(scores, "logprob_contrast").n_pairs == found[diet].n_pairs
        assert find(scores, "unreadable").value == 0
    assert (found["interleaved"].low or 0) > (found["clip"].high or 1)
