"""The whole diagnosis in the miniature world: planted faults, and what cannot be said."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snellen import accepted
from snellen.benchmark import build
from snellen.diagnosis import diagnose, read_flagged
from snellen.diagnosis.words import lines
from snellen.errors import UsageError
from snellen.exam import ask, grade
from snellen.mllms.base import Compute, Decoding, MultimodalModel
from snellen.mllms.world import MODELS
from snellen.providers import load_mllm
from snellen.recipes.diagnose import examine_and_diagnose
from snellen.recipes.world_faults import right_pairs
from snellen.runs.find import find_run
from snellen.study import Study
from snellen.world.accept import accept
from snellen.world.faults import fault
from tests.world.worlds import files_of, study_of, world_in

WHOLE = MODELS / "mllm-vision-only"


def loaded(folder: Path) -> MultimodalModel:
    return load_mllm(f"transformers/{folder}", decoding=Decoding(max_tokens=4), compute=Compute("cpu", batch_size=32))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Siblings that differ in the letter or the side of the crate: 33 or 34 pairs of each, and 8 of the lamp."""
    world = world_in(tmp_path_factory.mktemp("world") / "w", 100)
    study = study_of(world, tmp_path_factory.mktemp("study") / "s")
    accept(study.root, world, kind="planted", per_pattern=40, per_image=7)
    pairs = accepted.read(study.root / "accepted-planted.jsonl")
    some = [pair for pair in pairs if pair.patterns[0] in ("text", "position")]
    few = [pair for pair in pairs if pair.patterns[0] == "state"][:8]
    for name, chosen in (("two", some), ("few", few), ("both", some + few)):
        path = study.root / f"{name}.jsonl"
        accepted.write(path, chosen)
        build(study.root, accepted=path, name=name, option_seed=1, images=world.folder / "images")
    return study


@pytest.mark.slow
def test_a_planted_bias_is_blamed_on_the_language_model_and_on_nobody_else(study: Study, tmp_path: Path) -> None:
    before = examine_and_diagnose(study.root, loaded(WHOLE), benchmark="two", profile="official", controls=())
    copy = fault(WHOLE, tmp_path / "biased", organ="bias").folder
    after = examine_and_diagnose(study.root, loaded(copy), benchmark="two", profile="official", controls=())
    sighted, still = (right_pairs(find_run(study, one.path.stem)) for one in (before, after))
    affected = sighted - still
    assert len(affected) >= 40
    named = Counter(pair.verdict for pair in after.pairs if pair.pair_id in affected)
    assert named["language model or bias"] >= 0.9 * len(affected)
    spared = Counter(pair.verdict for pair in before.pairs if pair.pair_id in sighted)
    assert sum(spared[name] for name in ("eyes", "connector", "language model or bias")) <= 0.05 * len(sighted)
    assert before.summary["readouts"]["text"]["tap"]["value"] > 0.9


@pytest.mark.slow
def test_repeated_it_is_the_same_bytes_and_says_where(study: Study) -> None:
    model = loaded(WHOLE)
    first = examine_and_diagnose(study.root, model, benchmark="two", profile="official", controls=())
    files = {name: data for name, data in files_of(study.diagnosis).items() if ".hidden" not in name}
    shutil.rmtree(study.diagnosis)
    examine_and_diagnose(study.root, model, benchmark="two", profile="official", controls=())
    again = {name: data for name, data in files_of(study.diagnosis).items() if ".hidden" not in name}
    assert {name: data for name, data in files.items() if name.startswith(first.path.stem)} == again
    line = json.loads(first.path.read_text().splitlines()[0])
    assert set(line) == {"pair_id", "verdict", "certainty", "note", "evidence"}
    for found in line["evidence"].values():
        assert set(found) == {"value", "null_low", "null_high", "n"}
    manifest = json.loads((study.diagnosis / f"{first.path.name}.manifest.json").read_text())
    assert any(path.endswith("grades.jsonl") for path in manifest["inputs"])


@pytest.mark.slow
def test_few_pairs_and_one_pattern_are_said_aloud(study: Study) -> None:
    result = examine_and_diagnose(study.root, loaded(WHOLE), benchmark="few", profile="official", controls=())
    said = " ".join(result.summary["cannot_say"])
    assert "state: No probe: 8 pairs" in said
    assert "All 8 pairs are of one pattern (state)" in said
    assert "no run of a model that was trained alike with another encoder was named" in said
    assert result.summary["readouts"]["state"]["tap"]["value"] is None
    assert not {pair.verdict for pair in result.pairs} & {"eyes", "connector"}


class Silent:
    """A model that answers as another does, and gives neither log-probabilities nor hidden states."""

    def __init__(self, inner: MultimodalModel) -> None:
        from snellen.mllms.base import Supports

        self.name, self.fingerprint = "openai/silent", "5" * 64
        self.decoding, self.template, self.software = inner.decoding, None, inner.software
        self.supports = Supports()
        self._inner = inner

    def answer(self, asks: Any) -> Any:
        from dataclasses import replace

        for one in self._inner.answer(asks):
            yield replace(one, logprobs=None)


@pytest.mark.slow
def test_without_hidden_states_it_says_so_and_blames_no_eyes(study: Study, tmp_path: Path) -> None:
    copy = fault(WHOLE, tmp_path / "biased", organ="bias").folder
    result = examine_and_diagnose(study.root, Silent(loaded(copy)), benchmark="two", profile="official", controls=())
    said = " ".join(result.summary["cannot_say"])
    assert "hidden states were not looked at" in said
    assert "weaker" in said
    assert "no log-probabilities" in said
    assert {pair.verdict for pair in result.pairs} <= {"unsure", "sees it"}


def test_too_few_ways_of_asking_leave_everything_unsure(study: Study) -> None:
    asked = ask(study.root, benchmark="few", model=loaded(MODELS / "mllm-clip"), profile="official")
    grade(study.root, asked.folder)
    result = diagnose(study.root, asked.folder.name)
    assert {pair.verdict for pair in result.pairs} == {"unsure"}
    assert "fewer than 12" in result.pairs[0].note
    assert any(line.startswith("Cannot be said") for line in lines(result.summary))


def test_bad_items_come_from_people_and_errata_alone(study: Study, tmp_path: Path) -> None:
    asked = ask(study.root, benchmark="few", model=loaded(MODELS / "mllm-clip"), profile="official")
    grade(study.root, asked.folder)
    pairs = sorted(pair.pair_id for pair in diagnose(study.root, asked.folder.name).pairs)
    listed = tmp_path / "flagged.tsv"
    listed.write_text(f"{pairs[0]}\tthe lamp cannot be seen\n{pairs[1]}\n")
    result = diagnose(study.root, asked.folder.name, flagged=read_flagged(listed))
    by = {pair.pair_id: pair for pair in result.pairs}
    assert (by[pairs[0]].verdict, by[pairs[0]].note) == ("bad item", "flagged: the lamp cannot be seen")
    assert by[pairs[1]].note == "flagged: no reason given"
    assert Counter(pair.verdict for pair in result.pairs)["bad item"] == 2
    listed.write_text("nonsense\n")
    with pytest.raises(UsageError, match="line 1, begins with 'nonsense'"):
        read_flagged(listed)


def test_another_model_than_the_runs_is_refused(study: Study) -> None:
    asked = ask(study.root, benchmark="few", model=loaded(MODELS / "mllm-clip"), profile="official")
    grade(study.root, asked.folder)
    with pytest.raises(UsageError, match="is not the model that was asked"):
        diagnose(study.root, asked.folder.name, model=loaded(WHOLE))
    with pytest.raises(UsageError, match="no run begins with 'nobody'"):
        diagnose(study.root, "nobody")
    with pytest.raises(UsageError, match="has no tagset 'mine'"):
        diagnose(study.root, asked.folder.name, tagset="mine")


def test_an_encoders_run_is_no_model_to_diagnose(study: Study) -> None:
    from snellen.exam.match import match

    run = match(study.root, ["world/clip"], benchmark="few", device="cpu").runs[0].folder.name
    with pytest.raises(UsageError, match="is an encoder's"):
        diagnose(study.root, run)
    asked = ask(study.root, benchmark="few", model=loaded(MODELS / "mllm-clip"), profile="official")
    grade(study.root, asked.folder)
    with pytest.raises(UsageError, match="is an encoder's"):
        diagnose(study.root, asked.folder.name, swaps=[run])


def test_answers_alone_never_overwrite_what_was_seen_inside(study: Study) -> None:
    inside = examine_and_diagnose(study.root, loaded(WHOLE), benchmark="few", profile="official", controls=())
    before = inside.path.read_bytes()
    alone = diagnose(study.root, inside.path.stem)
    assert alone.path != inside.path
    assert alone.path.name.endswith("--answers.jsonl")
    assert inside.path.read_bytes() == before


def test_the_swap_counts_what_another_encoders_model_has_right(study: Study) -> None:
    """Against the two runs' own verdicts, counted by hand."""
    first = examine_and_diagnose(study.root, loaded(MODELS / "mllm-clip"), benchmark="both", profile="official")
    other = ask(study.root, benchmark="both", model=loaded(WHOLE), profile="official").folder.name
    grade(study.root, study.run(other))
    result = diagnose(study.root, first.path.stem, model=loaded(MODELS / "mllm-clip"), swaps=[other])
    right = right_pairs(find_run(study, other))
    failing = {pair.pair_id for pair in result.pairs if pair.verdict in ("eyes", "connector", "language model or bias")}
    counted = [found[other] for found in result.summary["swaps"].values()]
    assert sum(one["n"] for one in counted) == len(failing)
    assert sum(round(one["value"] * one["n"]) for one in counted if one["n"]) == len(failing & right)


def test_the_image_text_margin_goes_along_and_decides_nothing(study: Study) -> None:
    from snellen.exam.match import match

    matched = match(study.root, ["world/clip"], benchmark="few", device="cpu").runs[0]
    model = loaded(WHOLE)
    plain = examine_and_diagnose(study.root, model, benchmark="few", profile="official")
    told = diagnose(study.root, plain.path.stem, model=model, encoder_run=matched.folder.name)
    assert [pair.verdict for pair in told.pairs] == [pair.verdict for pair in plain.pairs]
    for pair in told.pairs:
        (aa, ab), (ba, bb) = matched.matches[pair.pair_id].cosine
        assert pair.evidence["image_text_margin"].value == min(aa - ba, bb - ab)
        assert (pair.evidence["image_text_margin"].value > 0) == matched.matches[pair.pair_id].image_score
        assert 0 <= pair.evidence["as_without_image"].value <= 1
    other = match(study.root, ["world/clip"], benchmark="two", device="cpu").runs[0]
    with pytest.raises(UsageError, match="another benchmark"):
        diagnose(study.root, plain.path.stem, encoder_run=other.folder.name)
