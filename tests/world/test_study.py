"""The study's tables and verdicts, by hand; and what one seed's examination writes, against its own raw answers."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from snellen.recipes import world_study
from snellen.recipes.world_agreement import PAPER, agreement
from snellen.recipes.world_tables import NOT_EVIDENCE, tables
from snellen.world.draw import draw
from snellen.world.training.verb import Order

DIETS = ("clip", "additive-0.25", "additive-0.5", "additive-0.75", "vision-only", "interleaved")


def share(value: float | None, low: float = 0.0, high: float = 1.0, n: int = 240) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": n}


def scored(value: float, low: float, high: float) -> list[dict[str, Any]]:
    names = ("pair_accuracy", "question_accuracy", "same_answer_rate")
    return [
        {"metric": name, "group": "all", "value": value, "low": low, "high": high, "n_pairs": 240} for name in names
    ]


def difference(diet: str, minus: str, blind: tuple[float, float, float], plain: tuple[float, float, float]) -> Any:
    keys = ("value", "low", "high")
    return {
        "diet": diet,
        "minus": minus,
        "blind_pair_accuracy": {**dict(zip(keys, blind, strict=True)), "n": 240},
        "plain_accuracy": {**dict(zip(keys, plain, strict=True)), "n": 1500},
    }


def one_seed() -> dict[str, Any]:
    """A seed's result, its figures made up so that every verdict is known."""
    diets = {
        diet: {
            "pairs": {kind: scored(0.20, 0.15, 0.24) for kind in ("blind", "control", "random")},
            "plain": share(0.9),
            "factors": share(0.8),
        }
        for diet in DIETS
    }
    differences = [
        difference("interleaved", "clip", (0.3, 0.12, 0.48), (0.002, -0.008, 0.012)),
        difference("additive-0.75", "clip", (0.02, -0.05, 0.09), (-0.05, -0.08, -0.02)),
        difference("vision-only", "clip", (0.1, 0.02, 0.2), (0.05, 0.02, 0.08)),
        difference("interleaved", "additive-0.5", (-0.1, -0.15, -0.05), (0.0, -0.01, 0.01)),
    ]
    mined = {
        "blind_min": 0.95,
        "reference_max": 0.85,
        **{
            key: {"differ": share(1.0), "by_factor": {"color": share(0.0), "text": share(0.5)}}
            for key in ("mined", "blind_alone", "random")
        },
        "planted_passing": share(0.25, 0.2, 0.3, 1200),
        "planted_by_factor": {"color": share(0.0), "text": share(None)},
        "re_renders_passing": share(0.0, 0.0, 0.01, 400),
    }
    return {
        "seed": 7,
        "mined": mined,
        "visuals": {"pool:4": {"diets": diets, "differences": differences}},
        "correlation": {
            "factors": ["color", "text"],
            "image_score": [0.97, 0.03],
            "pair_accuracy": [0.8, 0.2],
            "n_pairs": {"color": 30, "text": 30},
            "pearson": {"r": 0.55, "low": -0.18, "high": 0.89, "p": 0.109060, "n": 2},
        },
        "curves": {
            "mllm-clip": [
                {"step": at, "plain": 0.9, "factors": value} for at, value in enumerate((0.5, 0.71, 0.72, 0.725))
            ]
        },
    }


def test_verdicts_need_an_interval_that_leaves_the_other_out() -> None:
    found = agreement(one_seed())
    assert set(found) == set(PAPER)
    assert {name: said.split(" ")[0] for name, said in found.items()} == {
        "below_chance": "yes",  # 24 % is below 25 %
        "mixture_gains": "yes",
        "additive_gains": "unsure",  # -5 to +9
        "additive_costs": "yes",
        "vision_only_costs": "no",  # it gains
        "interleaved_keeps": "yes",  # at worst 0.8 points lost, which is less than 1
        "beats_additive": "no",
        "correlates": "unsure",
    }
    assert found["mixture_gains"] == "yes (+30.0 [+12.0, +48.0])"
    assert found["below_chance"] == "yes (20 % [15, 24])"
    assert found["correlates"] == "unsure (r = 0.55 [-0.18, 0.89])"


def test_the_interval_at_chance_is_no_verdict_and_an_undefined_correlation_neither() -> None:
    result = one_seed()
    result["visuals"]["pool:4"]["diets"]["clip"]["pairs"]["blind"] = scored(0.25, 0.2, 0.31)
    result["correlation"]["pearson"] = {"r": None, "low": None, "high": None, "p": None, "n": 2}
    found = agreement(result)
    assert found["below_chance"].startswith("unsure") and found["correlates"] == "unsure"
    assert "not defined" in tables({"world": 1, "seeds": [result]})


def test_tables_show_every_seed_every_diet_and_say_what_they_are_not() -> None:
    page = tables({"world": 1, "seeds": [one_seed(), {**one_seed(), "seed": 8}]})
    assert NOT_EVIDENCE in page and "# The argument in small, world 1" in page
    assert "| the paper | seed 7 | seed 8 |" in page
    for diet in DIETS:
        assert page.count(f"\n| {diet} | 20.0% [15.0%, 24.0%], 240 |") == 2
    assert "| interleaved minus clip | +30.0 [+12.0, +48.0], n = 240 | +0.2 [-0.8, +1.2], n = 1,500 |" in page
    assert "| planted single-factor pairs that pass | 25.0% [20.0%, 30.0%], n = 1,200 | 0% | - |" in page
    assert "| mllm-clip | 90.0% | 72.5% | +0.0 | +1.5 |" in page
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


@pytest.mark.slow
def test_what_one_seed_writes_agrees_with_its_raw_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the shipped models in the place of freshly trained ones."""
    diets = ("clip", "vision-only", "additive-0.5", "interleaved")
    monkeypatch.setattr(world_study, "DIETS", diets)
    draw(tmp_path / "world", families=120, world=5)
    models = tmp_path / "models-3"
    shutil.copytree(str(files("snellen") / "world" / "models"), models)
    world_study.examine_seed(tmp_path, Order(models, 3, ("pool:4",), diets), world=5)
    found = json.loads((tmp_path / "seed-3.json").read_text())
    figures = found["visuals"]["pool:4"]
    assert found["seed"] == 3 and set(found["curves"]) == {f"mllm-{diet}" for diet in diets}

    study, both = tmp_path / "study-3", {}
    keys = {
        json.loads(line)["question_id"]: json.loads(line)["answer"]
        for line in (study / "benchmarks" / "world-blind" / "questions.jsonl").read_text().splitlines()
    }
    for run in (path.parent for path in (study / "runs").glob("*/run.json")):
        header = json.loads((run / "run.json").read_text())
        if header["benchmark"]["name"] != "world-blind":
            continue
        right: dict[str, bool] = {}
        for line in (run / "responses.jsonl").read_text().splitlines():
            answer = json.loads(line)
            pair = answer["question_id"][:-2]
            said = {"(a)": 0, "(b)": 1}.get(answer["text"].strip())
            right[pair] = right.get(pair, True) and said == keys[answer["question_id"]]
        both[header["model"].removeprefix("transformers/")] = right
    n = len(both["mllm-clip"])
    for diet in diets:
        score = next(one for one in figures["diets"][diet]["pairs"]["blind"] if one["metric"] == "pair_accuracy")
        assert score["value"] == pytest.approx(sum(both[f"mllm-{diet}"].values()) / n)
    for each in figures["differences"]:
        first, second = both[f"mllm-{each['minus']}"], both[f"mllm-{each['diet']}"]
        due = sum(int(second[pair]) - int(first[pair]) for pair in first) / n
        assert each["blind_pair_accuracy"]["value"] == pytest.approx(due) and each["blind_pair_accuracy"]["n"] == n
    assert all(one["plain"]["n"] == one["factors"]["n"] == 4000 for one in figures["diets"].values())
    assert all(set(one) == {"pairs", "patterns", "plain", "factors"} for one in figures["diets"].values())
