"""Training: the same seed gives the same bytes, losses and rates are what a hand computes, kills leave nothing half."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from snellen.errors import StudyError, UsageError
from snellen.storage import sha256_of_file
from snellen.world.draw import caption_of
from snellen.world.nets import build, load
from snellen.world.nets.tokenizer import CAPTION_TOKENS, tokenizer
from snellen.world.training.mllm import DIETS
from snellen.world.training.optimiser import Optimiser
from snellen.world.training.pictures import pictures, scenes
from snellen.world.training.recipe import FULL, SMOKE, Recipe, Stage
from snellen.world.training.verb import mllm_folder, train
from snellen.world.training.vision_only import contrast

MODELS = ("clip", "vision-only", "language", "mllm-clip", "mllm-interleaved")
TWO_DIETS = ("clip", "interleaved")


def hashes(folder: Path) -> dict[str, str]:
    """Every file of weights in a folder of models."""
    return {path.parent.name: sha256_of_file(path) for path in sorted(folder.glob("*/*.safetensors"))}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of seed 0, hardly trained."""
    folder = tmp_path_factory.mktemp("trained") / "seed0"
    result = train(folder, recipe=SMOKE, diets=TWO_DIETS, jobs=1)
    assert (result.folder, sorted(result.models)) == (folder, sorted(MODELS))
    return folder


# The verb


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, trained: Path) -> None:
    train(tmp_path / "again", recipe=SMOKE, diets=TWO_DIETS, jobs=2)
    train(tmp_path / "other", recipe=SMOKE, diets=TWO_DIETS, jobs=1, seed=1)
    assert hashes(tmp_path / "again") == hashes(trained)
    assert sorted(hashes(trained)) == sorted(MODELS)
    for name, due in hashes(trained).items():
        assert hashes(tmp_path / "other")[name] != due, name


@pytest.mark.slow
def test_what_is_trained_is_whole_and_leaves_no_rubbish(trained: Path) -> None:
    made_by = json.loads((trained / "training.json").read_text())
    assert made_by["seed"] == 0 and made_by["recipe"] == json.loads(json.dumps(SMOKE.as_dict()))
    assert sorted(path.name for path in trained.iterdir()) == sorted(
        [*MODELS, *(f"{name}.curve.json" for name in MODELS), "study.lock", "training.json"]
    )
    curve = json.loads((trained / "mllm-clip.curve.json").read_text())
    assert len(curve["loss"]) == SMOKE.align.steps + SMOKE.mllm.steps
    assert [set(point) for point in curve["held_out"]] == [{"step", "plain", "factors"}] * SMOKE.mllm.steps
    load.clip(trained / "clip"), load.vision_only(trained / "vision-only"), load.language(trained / "language")
    assert load.mllm(trained / "mllm-interleaved").config.mixture == "interleaved"


@pytest.mark.slow
def test_encoders_inside_a_multimodal_llm_are_frozen(trained: Path) -> None:
    inner: Any = load.mllm(trained / "mllm-interleaved").model
    for tower, due in (
        (inner.vision_tower, load.clip(trained / "clip").vision_model),
        (inner.ssl_tower, load.vision_only(trained / "vision-only")),
    ):
        weights = due.state_dict()
        assert tower.state_dict().keys() == weights.keys()
        assert all(torch.equal(weight, weights[name]) for name, weight in tower.state_dict().items())
    language = load.language(trained / "language").model.state_dict()
    assert any(not torch.equal(weight, language[name]) for name, weight in inner.language_model.state_dict().items())


@pytest.mark.slow
def test_finished_models_are_kept_and_more_diets_join_them(trained: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.glob("*/*")}
    weights = hashes(trained)
    train(trained, recipe=SMOKE, diets=(*TWO_DIETS, "vision-only"), jobs=1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {name: made for name, made in hashes(trained).items() if name in weights} == weights
    assert load.mllm(trained / "mllm-vision-only").config.vision_config.model_type == "dinov2"


@pytest.mark.slow
def test_a_killed_training_leaves_no_half_folder_and_completes(tmp_path: Path, trained: Path) -> None:
    code = (
        "import sys\n"
        "from snellen.world.training.recipe import SMOKE\n"
        "from snellen.world.training.verb import train\n"
        "if __name__ == '__main__':\n"
        "    train(sys.argv[1], recipe=SMOKE, diets=('clip', 'interleaved'), jobs=1)\n"
    )
    script, folder = tmp_path / "make.py", tmp_path / "killed"
    script.write_text(code)
    killed_at: list[int] = []
    for whole, kill in (
        (1, os.kill),
        (3, os.killpg),
    ):  # finished models at which it is killed: alone, and by a power cut
        with subprocess.Popen([sys.executable, str(script), str(folder)], start_new_session=True) as process:
            while process.poll() is None and len(finished(folder)) < whole:
                time.sleep(0.02)
            kill(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            deadline = time.monotonic() + 30
            while left := workers_of(process.pid):
                assert time.monotonic() < deadline, left
                time.sleep(0.1)
        killed_at.append(len(finished(folder)))
        for name in finished(folder):
            assert (folder / name / "model.safetensors").exists() and (folder / name / "config.json").exists()
    assert killed_at[0] >= 1 and killed_at[1] < len(MODELS)
    train(folder, recipe=SMOKE, diets=TWO_DIETS, jobs=1)
    assert {name: made for name, made in hashes(folder).items() if name in MODELS} == {
        name: made for name, made in hashes(trained).items() if name in MODELS
    }
    assert not list(folder.glob("*.partial"))


def workers_of(session: int) -> list[str]:
    """Processes of a session that are still there."""
    found = subprocess.run(["ps", "-s", str(session), "-o", "pid="], capture_output=True, text=True, check=False)
    return found.stdout.split()


def finished(folder: Path) -> list[str]:
    """Names of the models that are there."""
    return [name for name in MODELS if (folder / name).exists()]


def test_other_settings_are_refused(tmp_path: Path) -> None:
    from snellen.study import software

    made_by = {"seed": 0, "world": 0, "recipe": SMOKE.as_dict(), "rates": {}}
    (tmp_path / "training.json").write_text(json.dumps({**made_by, "software": software("torch")}))
    with pytest.raises(StudyError) as refused:
        train(tmp_path, recipe=SMOKE)
    said = str(refused.value)
    assert str(tmp_path) in said and "other settings" in said and "choose another folder" in said
    assert "\n" not in said and said.count(". ") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"training.json", "study.lock"}


@pytest.mark.slow
def test_another_seed_world_rate_or_recipe_is_refused(trained: Path) -> None:
    before = sorted(trained.rglob("*"))
    others: list[dict[str, Any]] = [
        {"seed": 1},
        {"world": 1},
        {"rates": {"color": 0.9}},
        {"recipe": replace(SMOKE, temperature=0.2)},
        {"recipe": FULL},
    ]
    for other in others:
        with pytest.raises(StudyError, match="other settings"):
            train(trained, **{"recipe": SMOKE, **other})
    assert sorted(trained.rglob("*")) == before


def test_unknown_names_are_refused_with_the_choices(tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    with pytest.raises(UsageError) as refused:
        train(folder, diets=("clip", "additive-0.6"))
    assert "'additive-0.6'" in str(refused.value)
    assert all(diet.name in str(refused.value) for diet in DIETS)
    for visual in ("pool:9", "pool:5", "patches", ""):
        with pytest.raises(UsageError, match=re.escape(repr(visual))) as refused:
            train(folder, visual=visual)
        assert all(name in str(refused.value) for name in ("all", "global", "pool:1", "pool:4", "pool:16"))
    with pytest.raises(UsageError, match="colour"):
        train(folder, rates={"colour": 0.5})
    assert not folder.exists()


def test_names_of_folders() -> None:
    assert mllm_folder("clip", "pool:4") == "mllm-clip"
    assert mllm_folder("additive-0.5", "pool:16") == "mllm-additive-0.5-pool16"
    assert len({mllm_folder(diet.name, visual) for diet in DIETS for visual in ("pool:4", "all", "global")}) == 18


# Losses and rates


def test_contrast_is_info_nce_in_both_directions() -> None:
    rows = np.random.default_rng(0).standard_normal((14, 6)).astype(np.float32)
    for temperature in (0.1, 0.7):
        unit = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
        scores = unit[:7] @ unit[7:].T / temperature
        due = 0.0
        for each in (scores, scores.T):
            for own in range(7):
                due -= (each[own, own] - np.log(np.exp(each[own]).sum())) / 14
        assert contrast(torch.from_numpy(rows), temperature).item() == pytest.approx(due, abs=1e-5)
    same, crossed = torch.eye(4).repeat(2, 1), torch.cat([torch.eye(4), torch.eye(4).flip(0)])
    assert contrast(same, 0.01).item() < 1e-6 < 10 < contrast(crossed, 0.01).item()


class Blocks(nn.Module):
    """Something of every sort: embeddings, matrices, vectors, a filter."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(5, 4)
        self.inner = nn.Linear(4, 4)
        self.patch = nn.Conv2d(3, 4, 2)
        self.lm_head = nn.Linear(4, 5, bias=False)
        self.norm = nn.LayerNorm(4)

    def loss(self) -> torch.Tensor:
        """Depends on every weight."""
        hidden = self.norm(self.inner(self.embeddings.weight) + self.patch(torch.ones(1, 3, 2, 2)).flatten())
        return nn.functional.cross_entropy(self.lm_head(hidden), torch.arange(5))


def names_of(optimiser: torch.optim.Optimizer, model: nn.Module) -> list[set[str]]:
    """Which weights are in each group."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    return [{names.get(id(weight), "extra") for weight in group["params"]} for group in optimiser.param_groups]


def test_matrices_go_to_muon_and_the_rest_to_adamw() -> None:
    torch.manual_seed(0)
    model, extra = Blocks(), nn.Parameter(torch.ones(3, 3))
    adamw, muon = Optimiser(Stage(10, 1, 1e-3, 5e-3), model, [extra], extra_rate=2e-3)._inner
    assert (type(adamw), type(muon)) == (torch.optim.AdamW, torch.optim.Muon)
    assert names_of(muon, model) == [{"inner.weight"}]
    everything = {name for name, _ in model.named_parameters()}
    assert names_of(adamw, model) == [everything - {"inner.weight"}, {"extra"}]
    (alone,) = Optimiser(Stage(10, 1, 1e-3), model)._inner
    assert names_of(alone, model) == [everything]


def test_every_weight_of_a_tied_model_has_one_optimiser() -> None:
    """A weight in two optimisers would move twice a step; one in none never."""
    for model in (build.language_model(), build.image_text_encoder(), build.vision_only_encoder()):
        optimiser = Optimiser(Stage(10, 1, 1e-3, 5e-3), model)
        counts = Counter(
            id(weight) for inner in optimiser._inner for group in inner.param_groups for weight in group["params"]
        )
        assert counts == dict.fromkeys(map(id, model.parameters()), 1)
        names = {id(weight): name for name, weight in model.named_parameters()}
        muons = {names[id(weight)] for group in optimiser._inner[1].param_groups for weight in group["params"]}
        assert not {name for name in muons if "embed" in name or "norm" in name or name.endswith("bias")}
        assert len(muons) >= 12


def test_rates_warm_up_and_fall_as_a_cosine() -> None:
    """A table by hand: 30 steps up, a cosine over all, nearly nothing at the end."""
    steps = 200
    model, extra = Blocks(), nn.Parameter(torch.ones(3))
    optimiser = Optimiser(Stage(steps, 1, 1e-3, 5e-3), model, [extra], extra_rate=2e-3)
    seen = []
    for _ in range(steps):
        optimiser.step(model.loss() + extra.sum())
        seen.append([group["lr"] for inner in optimiser._inner for group in inner.param_groups])
    due = {
        0: 1 / 30,
        14: 0.5 * (0.5 + 0.5 * cos(pi * 14 / 200)),
        29: 0.5 + 0.5 * cos(pi * 29 / 200),
        50: 0.5 + 0.5 * 0.7071067811865476,
        100: 0.5,
        150: 0.5 - 0.5 * 0.7071067811865476,
    }
    for step, factor in due.items():
        assert seen[step] == pytest.approx([1e-3 * factor, 2e-3 * factor, 5e-3 * factor], rel=1e-9), step
    assert max(seen[-1]) < 1e-3 * max(max(each) for each in seen)
    assert len(seen) == steps and np.argmax([each[0] for each in seen]) == 29


def test_a_step_goes_down_and_gradients_are_clipped() -> None:
    torch.manual_seed(0)
    model = Blocks()
    optimiser = Optimiser(Stage(60, 1, 1e-2, 1e-2), model)
    before = model.loss().item()
    for _ in range(60):
        optimiser.step(1000 * model.loss())
        norm = torch.stack([weight.grad.norm() for weight in model.parameters() if weight.grad is not None]).norm()
        assert norm.item() <= 1.001
    assert model.loss().item() < 0.8 * before


# What is seen


def test_pictures_are_drawn_once_and_never_those_of_an_exam(tmp_path: Path) -> None:
    seen = pictures(tmp_path, 2, "train", 3)
    again = pictures(tmp_path, 2, "train", 3, advance=lambda: pytest.fail("drawn again"))
    shots = scenes(2, "train", 3)
    assert seen.first.shape == seen.second.shape == (18, 64, 64, 3) and len(shots) == 18
    for index, shot in enumerate(shots):
        assert shot.role != "re-render" and shot.split == "train"
        assert np.array_equal(seen.first[index], shot.picture())
        assert np.array_equal(again.second[index], replace(shot, frame=1).picture())
    assert (seen.first != seen.second).any(axis=(1, 2, 3)).all()
    exam = {shot.picture().tobytes() for split in ("exam", "validation") for shot in scenes(2, split, 30)}
    assert not exam & {picture.tobytes() for picture in seen.first}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train-2-3-0.npy", "train-2-3-1.npy"]


def test_captions_of_training_fit_the_text_tower() -> None:
    made = tokenizer(ends=True)
    assert max(len(made(caption_of(shot))["input_ids"]) for shot in scenes(0, "train", 300)) <= CAPTION_TOKENS


def test_every_diet_trains_as_long() -> None:
    """One recipe for all: no field of it names a diet."""
    assert [diet.mixture for diet in DIETS].count("interleaved") == 1
    assert not [name for name in Recipe().as_dict() if any(word in name for word in ("additive", "interleaved"))]
