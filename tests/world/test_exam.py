"""The stand-in for the exam, on real tiny models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from snellen.errors import EncoderError, StudyError, UsageError
from snellen.records import Question
from snellen.runs import run_id
from snellen.stats import wilson_interval
from snellen.study import Study
from snellen.world.exam import examine
from snellen.world.exam.scores import grade
from tests.test_benchmarks import lines_of, seal, write_benchmark, write_lines
from tests.world.tiny_llava import random_model, scripted

ALWAYS_B = {":": "(b)", "(b)": "<eos>"}


@pytest.fixture(scope="module")
def always_b(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scripted(tmp_path_factory.mktemp("models") / "always-b", ALWAYS_B)


@pytest.fixture(scope="module")
def random_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(tmp_path_factory.mktemp("models") / "random")


def read(run: Path, name: str) -> list[dict[str, Any]]:
    text = (run / name).read_text()
    return list(json.loads(text)) if name == "scores.json" else [json.loads(line) for line in text.splitlines()]


def values(run: Path, group: str = "all") -> dict[str, float | None]:
    return {score["metric"]: score["value"] for score in read(run, "scores.json") if score["group"] == group}


def test_a_habit_is_no_sight(tmp_path: Path, always_b: Path) -> None:
    run = examine(write_benchmark(tmp_path / "b", 6), always_b, Study(tmp_path / "s"), name="world/always-b")
    assert values(run) == {"pair_accuracy": 0.0, "question_accuracy": 0.5, "same_answer_rate": 1.0}
    pair, question, same = read(run, "scores.json")
    assert (pair["chance"], question["chance"], same["chance"]) == (0.25, 0.5, 0.5)
    assert (pair["low"], pair["high"]) == wilson_interval(0, 6)
    assert question["low"] < 0.3 and question["high"] > 0.7  # six pairs are no certainty
    assert {(score["n_pairs"], score["n_questions"], score["n_unparsed"]) for score in (pair, question, same)} == {
        (6, 12, 0)
    }
    for response in read(run, "responses.jsonl"):
        assert response["text"] == "(b)"
        assert response["finish"] == "stop"
        assert response["tokens_out"] == 2
        assert response["tokens_in"] == 64 + 6  # patches; Which? (a) one (b) other :
        assert response["prompt"] == "<image> Which? (a) one (b) other :"
        assert response["logprobs"]["b"] > -0.01 > response["logprobs"]["a"]


def test_rubbish_is_unparsed_and_counts_as_wrong(tmp_path: Path) -> None:
    model = scripted(tmp_path / "m", {":": "what", "what": "dog", "dog": "what"})
    run = examine(write_benchmark(tmp_path / "b", 3), model, Study(tmp_path / "s"), name="m")
    assert values(run) == {"pair_accuracy": 0.0, "question_accuracy": 0.0, "same_answer_rate": None}
    assert [score["n_unparsed"] for score in read(run, "scores.json")] == [6, 6, 6]
    assert [score["n_pairs"] for score in read(run, "scores.json")] == [3, 3, 0]
    assert {one["verdict"] for one in read(run, "grades.jsonl")} == {"unparsed"}
    assert {(one["text"], one["finish"]) for one in read(run, "responses.jsonl")} == {("what dog what dog", "length")}


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("(a)", 0),
        ("(b) other", 1),
        ("so (a), yes (a)", 0),
        ("(a) (b)", None),
        ("a", None),
        ("(A)", None),
        ("facing left, so b", None),
        ("", None),
    ],
)
def test_nothing_is_guessed(text: str, choice: int | None) -> None:
    for answer in (0, 1):
        found = grade(Question("q-a", "q", "a", "i", "i", "Which?", ("one", "other"), answer), text)
        assert found.choice == choice
        assert found.verdict == ("unparsed" if choice is None else "correct" if choice == answer else "incorrect")


def test_each_question_is_asked_of_its_own_image_whatever_the_batch(tmp_path: Path, random_one: Path) -> None:
    """Against the library called directly, a question at a time."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    benchmark = write_benchmark(tmp_path / "b", 4)
    lines = lines_of(benchmark)
    for line in lines[4:]:
        line["text"] = "Which way dog one other ?"  # longer, so that batches are padded
    write_lines(benchmark, lines)
    seal(benchmark, n_pairs=4)
    run = examine(benchmark, random_one, Study(tmp_path / "s"), name="m", batch_size=3)
    model = AutoModelForImageTextToText.from_pretrained(random_one)
    processor = AutoProcessor.from_pretrained(random_one)
    answers = {one["question_id"]: one for one in read(run, "responses.jsonl")}
    assert len(answers) == 8
    for line in lines:
        inputs = processor(
            text=f"<image> {line['text']} (a) one (b) other :",
            images=Image.open(benchmark / line["image"]).convert("RGB"),
            return_tensors="pt",
        )
        with torch.inference_mode():
            first = model(**inputs).logits[0, -1].log_softmax(-1)
            made = model.generate(**inputs, do_sample=False, max_new_tokens=4)
        text = processor.tokenizer.decode(made[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        answer = answers[line["question_id"]]
        assert answer["text"] == text
        assert answer["logprobs"] == pytest.approx({"a": first[4].item(), "b": first[5].item()}, abs=1e-4)
    assert len({answer["logprobs"]["a"] for answer in answers.values()}) == 8


def scripted_answers(run: Path, lines: list[dict[str, Any]], wrong: dict[str, str]) -> None:
    """Put answers into a run by hand: right, but for those that `wrong` gives."""
    responses = []
    for line, response in zip(lines, read(run, "responses.jsonl"), strict=True):
        right = "(a)" if line["answer"] == 0 else "(b)"
        responses.append(response | {"text": wrong.get(line["question_id"], right)})
    (run / "responses.jsonl").write_text("".join(json.dumps(one) + "\n" for one in responses))


def test_scores_by_pattern_are_as_worked_out_by_hand(tmp_path: Path, always_b: Path) -> None:
    benchmark, study = write_benchmark(tmp_path / "b", 4), Study(tmp_path / "s")
    lines = lines_of(benchmark)
    tags = [
        {"question_id": lines[at]["question_id"], "tagset": tagset, "patterns": patterns, "by": "anna"}
        for at, tagset, patterns in (
            (0, "accepted", ["color"]),
            (1, "accepted", ["color"]),
            (2, "accepted", ["color", "text"]),
            (6, "accepted", ["text"]),
            (6, "other", ["color"]),
        )
    ]
    write_lines(benchmark, tags, "tags.jsonl")
    run = examine(benchmark, always_b, study, name="m")
    # Pair 0: both right. Pair 1: one of two, same answer twice. Pair 2: both wrong. Pair 3: one right, one unparsed.
    flipped = {0: "(b)", 1: "(a)"}
    wrong = {lines[at]["question_id"]: flipped[lines[at]["answer"]] for at in (2, 4, 5)}
    scripted_answers(run, lines, wrong | {lines[7]["question_id"]: "neither"})
    assert examine(benchmark, always_b, study, name="m") == run
    expected = {
        ("all", None): (1 / 4, 4 / 8, 1 / 3, 4, 3, 1),
        ("color", "accepted"): (1 / 2, 3 / 4, 1 / 2, 2, 2, 0),
        ("text", "accepted"): (0.0, 2 / 4, 1.0, 2, 1, 1),
        ("color", "other"): (0.0, 1 / 2, None, 1, 0, 1),
    }
    found: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for score in read(run, "scores.json"):
        found.setdefault((score["group"], score["tagset"]), []).append(score)
    assert {
        key: (*(one["value"] for one in scores), scores[0]["n_pairs"], scores[2]["n_pairs"], scores[0]["n_unparsed"])
        for key, scores in found.items()
    } == expected


def test_nothing_is_asked_twice_and_a_cut_line_is_asked_again(
    tmp_path: Path, random_one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark = write_benchmark(tmp_path / "b", 4)
    whole = examine(benchmark, random_one, Study(tmp_path / "whole"), name="m")
    run = examine(benchmark, random_one, Study(tmp_path / "s"), name="m")
    lines = (run / "responses.jsonl").read_bytes().splitlines(keepends=True)
    for left in (b"".join(lines[:3]) + lines[3][:40], b"", lines[0][:-1]):  # as kills leave it
        (run / "responses.jsonl").write_bytes(left)
        for name in ("grades.jsonl", "scores.json"):
            (run / name).unlink()
        assert examine(benchmark, random_one, Study(tmp_path / "s"), name="m", batch_size=2) == run
        assert (run / "responses.jsonl").read_bytes().startswith(left[: left.rfind(b"\n") + 1])
        answers = read(run, "responses.jsonl")
        assert sorted(one["question_id"] for one in answers) == sorted(
            one["question_id"] for one in read(whole, "responses.jsonl")
        )
        for name in ("run.json", "grades.jsonl", "scores.json"):
            assert (run / name).read_bytes() == (whole / name).read_bytes()
        manifests = [path.with_name(f"{path.name}.manifest.json").read_bytes() for path in (run, whole)]
        assert manifests[0] == manifests[1]

    def loaded(*_: object) -> None:
        raise AssertionError("the model was loaded although nothing is to be asked")

    monkeypatch.setattr("snellen.world.exam.verb.Engine", loaded)
    examine(benchmark, random_one, Study(tmp_path / "s"), name="m")


def test_other_models_benchmarks_and_names_are_other_runs(tmp_path: Path, always_b: Path, random_one: Path) -> None:
    study = Study(tmp_path / "s")
    small, large = write_benchmark(tmp_path / "b2", 2), write_benchmark(tmp_path / "b3", 3)
    runs = {
        examine(benchmark, model, study, name=name).name
        for benchmark in (small, large)
        for model in (always_b, random_one)
        for name in ("one", "two")
    }
    assert len(runs) == 8
    assert run_id("world/a b", "0123456789" + "0" * 54, "../b c", {"x": 1}).startswith("world-a-b-01234567--b-c--")


def test_an_unfinished_run_of_other_software_is_not_gone_on_with(tmp_path: Path, always_b: Path) -> None:
    benchmark, study = write_benchmark(tmp_path / "b"), Study(tmp_path / "s")
    run = examine(benchmark, always_b, study, name="m")
    header = json.loads((run / "run.json").read_text())
    header["software"]["torch"] = "1.0"
    (run / "run.json").write_text(json.dumps(header))
    examine(benchmark, always_b, study, name="m")  # finished: there is nothing to mix
    (run / "responses.jsonl").write_bytes(b"")
    with pytest.raises(StudyError, match="begun with other software"):
        examine(benchmark, always_b, study, name="m")


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = scripted(tmp_path / "m", ALWAYS_B)
    weights = load_file(model / "model.safetensors")
    name = next(name for name in weights if "lm_head" in name)
    benchmark, study = write_benchmark(tmp_path / "b"), Study(tmp_path / "s")
    for changed, what in (
        ({key: value for key, value in weights.items() if key != name}, "missing keys: lm_head.weight"),
        (weights | {"extra.weight": weights[name].clone()}, "unexpected keys: extra.weight"),
        (weights | {name: weights[name][:, :7].contiguous()}, "mismatched keys: lm_head.weight"),
    ):
        save_file(changed, model / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(EncoderError, match=what):
            examine(benchmark, model, study, name="m")
    (model / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        examine(benchmark, model, study, name="m")


def test_what_cannot_be_asked(tmp_path: Path, always_b: Path) -> None:
    benchmark, study = write_benchmark(tmp_path / "b"), Study(tmp_path / "s")
    with pytest.raises(EncoderError, match=r"no config\.json"):
        examine(benchmark, tmp_path, study, name="m")
    with pytest.raises(UsageError, match="no benchmark"):
        examine(tmp_path, always_b, study, name="m")
    lines = lines_of(benchmark)
    for at, line in enumerate(lines[:2]):
        lines[at] = line | {"text": None, "options": None, "answer": None, "statement": f"Dog {at}."}
    write_lines(benchmark, lines)
    seal(benchmark, n_pairs=2)
    with pytest.raises(UsageError, match="statements only"):
        examine(benchmark, always_b, study, name="m")


def test_damaged_answers_are_said_to_be(tmp_path: Path, always_b: Path) -> None:
    benchmark, study = write_benchmark(tmp_path / "b"), Study(tmp_path / "s")
    run = examine(benchmark, always_b, study, name="m")
    (run / "responses.jsonl").write_text('{"question_id": "x"}\n')
    with pytest.raises(StudyError, match="damaged"):
        examine(benchmark, always_b, study, name="m")
