"""On the miniature world, whose true patterns are known: a replayed judge tags, and scores are grouped by its tags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snellen import accepted, benchmarks
from snellen.benchmark import build
from snellen.exam import ask, grade
from snellen.patterns import tag
from snellen.providers import load_mllm
from snellen.study import Study
from snellen.world.accept import accept
from tests.world.worlds import study_of, world_in


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    world = world_in(tmp_path_factory.mktemp("world") / "w", 60)
    study = study_of(world, tmp_path_factory.mktemp("study") / "s", blind_min=0.9, reference_max=0.6)
    accept(study.root, world, per_pattern=4)
    build(study.root, name="world", option_seed=3, images=world.folder / "images")
    return study


def test_scores_are_grouped_by_what_a_judge_says(study: Study, tmp_path: Path) -> None:
    truth = {pair.pair_id: pair.patterns for pair in accepted.read(study.accepted)}
    wrong = {name: ("text",) for name in sorted(truth)[:2] if truth[name] != ("text",)}
    replies = [
        {"question_id": name, "control": "no_image", "text": json.dumps({"patterns": list(wrong.get(name, patterns))})}
        for name, patterns in truth.items()
    ]
    log = tmp_path / "judge.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in replies))
    result = tag(study.root, "world", judges=[f"replay/{log}"], beside=["accepted"])
    tagset = "nine@1/judge:replay/judge.jsonl"
    assert result.agreement.two[0].same.value == pytest.approx(1 - len(wrong) / len(truth))
    assert benchmarks.check(study.benchmark("world")) == []

    # an examinee that is right wherever the true pattern is color, and wrong elsewhere
    made = benchmarks.read(study.benchmark("world"))
    answers = []
    for question in made.questions:
        assert question.answer is not None
        right = truth[question.pair_id] == ("color",)
        answers.append(
            {"question_id": question.question_id, "text": "AB"[question.answer if right else 1 - question.answer]}
        )
    said = tmp_path / "answers.jsonl"
    said.write_text("".join(json.dumps(line) + "\n" for line in answers))
    run = ask(study.root, benchmark="world", model=load_mllm(f"replay/{said}")).folder
    scores = grade(study.root, run.name).scores
    found = {
        one.group: one for one in scores if one.metric == "pair_accuracy" and (one.tagset, one.order) == (tagset, "ab")
    }
    tagged = {name: wrong.get(name, patterns) for name, patterns in truth.items()}
    assert set(found) == {pattern for patterns in tagged.values() for pattern in patterns}
    for pattern, score in found.items():
        members = [name for name in truth if pattern in tagged[name]]
        assert score.n_pairs == len(members)
        assert score.value == pytest.approx(sum(truth[name] == ("color",) for name in members) / len(members))
    assert {one.tagset for one in scores} == {None, "accepted", tagset}
