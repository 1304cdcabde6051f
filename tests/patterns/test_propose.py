"""A model proposes a taxonomy: read strictly, marked as a proposal, and of no use before a person has confirmed it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snellen.errors import Incomplete, ModelError, StudyError, UsageError
from snellen.patterns import propose, read_taxonomy, tag
from snellen.patterns.propose import PROMPT_SHA256
from tests.exam.fakes import Fake
from tests.test_benchmarks import write_benchmark

GOOD = json.dumps({"patterns": [{"id": "edge", "name": "Edges", "belongs": "What an edge is like.", "not": None}]})


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_benchmark(tmp_path / "s" / "benchmarks" / "made", 5)
    return tmp_path / "s"


def test_a_proposal_is_a_file_to_be_edited(study: Path, tmp_path: Path) -> None:
    model = Fake(lambda ask: f"<think>edges?</think>```json\n{GOOD}\n```", name="openai/one")
    out = tmp_path / "proposed.json"
    made = propose(study, "made", out, model=model, name="mine@1")
    [ask] = model.asked
    assert ask.image is None
    assert ask.prompt.count('{"question": "Which?", "options": ["one", "other"]}') == 5
    assert (made.n_shown, made.n_pairs, made.taxonomy.ids) == (5, 5, ("edge",))
    found = read_taxonomy(out)
    assert (found.name, found.proposed_by, found.prompt_sha256) == ("mine@1", "openai/one", PROMPT_SHA256)
    with pytest.raises(StudyError, match="nobody has confirmed it"):
        tag(study, "made", taxonomy=out)
    out.write_text(json.dumps(json.loads(out.read_text()) | {"confirmed_by": "ada"}))
    tag(study, "made", taxonomy=out, judges=[Fake(lambda ask: '{"patterns": ["edge"]}')])
    [log] = [
        path
        for path in (study / "tagging" / "made").glob("*.jsonl")
        if GOOD in json.dumps(path.read_text()) or "propose@1" in path.read_text()
    ]
    assert "edges?" in log.read_text()


def test_what_is_no_taxonomy_is_asked_for_three_times_and_never_mended(study: Path, tmp_path: Path) -> None:
    replies = iter(["Edges and hues.", '{"patterns": []}', GOOD])
    propose(study, "made", tmp_path / "one.json", model=Fake(lambda ask: next(replies), name="openai/one"))
    never = Fake(lambda ask: '{"patterns": [{"id": "Edge!", "name": "E", "belongs": "e"}]}', name="openai/two")
    for _ in range(2):
        with pytest.raises(ModelError, match="No reply of 3 by openai/two is a taxonomy"):
            propose(study, "made", tmp_path / "two.json", model=never)
    assert len(never.asked) == 3  # the second time, nothing was asked
    assert not (tmp_path / "two.json").exists()
    propose(study, "made", tmp_path / "two.json", model=Fake(lambda ask: GOOD, name="openai/two"), again=True)
    assert read_taxonomy(tmp_path / "two.json").ids == ("edge",)


def test_equal_replies_are_equal_bytes_and_no_file_is_written_over(study: Path, tmp_path: Path) -> None:
    model = Fake(lambda ask: GOOD)
    for name in ("one", "two"):
        propose(study, "made", tmp_path / name, model=model)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert len(model.asked) == 1
    with pytest.raises(UsageError, match="is there already"):
        propose(study, "made", tmp_path / "one", model=model)


def test_fewer_pairs_are_drawn_by_lot_and_said(study: Path, tmp_path: Path) -> None:
    model = Fake(lambda ask: GOOD)
    made = propose(study, "made", tmp_path / "one", model=model, most=2)
    assert model.asked[0].prompt.count('{"question"') == 2
    assert made.taxonomy.source is not None
    assert made.taxonomy.source.startswith("proposed from 2 of 5 pairs of made")


def test_no_reply_and_wrong_options(study: Path, tmp_path: Path) -> None:
    with pytest.raises(Incomplete, match="did not reply: 1 ended in errors"):
        propose(study, "made", tmp_path / "one", model=Fake(lambda ask: None))
    with pytest.raises(UsageError, match="no name and version"):
        propose(study, "made", tmp_path / "one", model=Fake(lambda ask: GOOD), name="mine")
    with pytest.raises(UsageError, match="at least one"):
        propose(study, "made", tmp_path / "one", model=Fake(lambda ask: GOOD), most=0)
    assert not (tmp_path / "one").exists()
