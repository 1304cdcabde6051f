"""One command over encoders, in the miniature world: matched, measured, compared; and what cannot be had."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from snellen.benchmark import build
from snellen.embedding import embed
from snellen.errors import EncoderError, UsageError
from snellen.mining import mine
from snellen.recipes import encoders as module
from snellen.recipes.encoders import LabelledImages, survey
from snellen.runs import read_runs
from snellen.study import Study
from snellen.world.accept import accept
from snellen.world.draw import draw
from snellen.world.table import read_world

ABSENT = "open_clip/ViT-B-32@openai"


def test_names_or_a_list_each_once_and_of_a_known_provider(tmp_path: Path) -> None:
    for names, listed, message in (
        (["world/clip"], "paper", "not both"),
        (["world/clip", "world/clip"], None, "is named twice"),
        (["wurld/clip"], None, "unknown provider"),
        ([], "papers", "There is no list of encoders"),
        ([], None, "There is no study in"),
    ):
        with pytest.raises(UsageError, match=message):
            survey(tmp_path / "nowhere", names, listed=listed)
    assert not (tmp_path / "nowhere").exists()


def test_the_paper_s_ten_are_asked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(study: Path, name: str, **_: object) -> None:
        asked.append(name)
        raise EncoderError(f"{name} cannot be had")

    monkeypatch.setattr(module, "measure", refuse)
    (tmp_path / "s").mkdir()
    with pytest.raises(UsageError, match="There is no encoder in"):
        survey(tmp_path / "s", listed="paper", skip_missing=True)
    assert len(asked) == 10 and len(set(asked)) == 10
    with pytest.raises(EncoderError, match=r"cannot be had \(--skip-missing goes on without it\)"):
        survey(tmp_path / "s", listed="paper")
    assert len(asked) == 11


@pytest.mark.slow
def test_the_world_s_encoders_side_by_side(tmp_path: Path) -> None:
    draw(tmp_path / "world", families=24)
    world, root = read_world(tmp_path / "world"), tmp_path / "s"
    for name in ("world/clip", "world/vision-only", "control/gradient-grid"):
        embed(root, images=tmp_path / "world" / "images", encoder=name, device="cpu")
    mine(root, blind="world/clip", reference="world/vision-only", blind_min=0.95, reference_max=0.85)
    build(
        root,
        accepted=accept(root, world, kind="random").path,
        name="random",
        option_seed=0,
        licence="CC0-1.0",
        source="drawn",
    )
    for picture in world.pictures:
        if picture.role == "base":
            folder = tmp_path / "labelled" / picture.facts.kind
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(tmp_path / "world" / picture.file, folder)
    names = ["world/clip", ABSENT, "world/vision-only", "control/gradient-grid"]

    def once() -> module.SurveyResult:
        return survey(
            root,
            names,
            benchmark="random",
            labelled=LabelledImages(tmp_path / "labelled", "labels", "plain"),
            skip_missing=True,
            device="cpu",
        )

    result = once()
    assert [name for name, _ in result.skipped] == [ABSENT]
    assert result.without_text == ("world/vision-only", "control/gradient-grid")
    found = json.loads((root / "diagnosis" / "encoders.json").read_text())
    rows = {row["encoder"]: row for row in found["encoders"]}
    assert set(rows) == set(names) - {ABSENT}
    assert rows["world/vision-only"]["why_no_image_score"] == "not available: no text tower"
    (run,) = read_runs(Study(root))[0]
    clip = rows["world/clip"]
    (score,) = [
        each for each in run.scores if (each.metric, each.group, each.errata) == ("image_score", "all", "published")
    ]
    assert (clip["image_score"]["value"], clip["image_score"]["n"]) == (score.value, score.n_pairs)
    by_pattern = {
        each.group: each for each in run.scores if each.metric == "image_score" and each.errata == "published"
    }
    for name, share in clip["patterns"].items():
        assert (share["value"], share["low"], share["n"]) == (
            by_pattern[name].value,
            by_pattern[name].low,
            by_pattern[name].n_pairs,
        )
    (measured,) = (root / "zeroshot").glob("*/zeroshot.json")
    zeroshot = json.loads(measured.read_text())
    assert clip["parameters"] == zeroshot["parameters"] and clip["image_size"] == zeroshot["image_size"]
    (top1,) = [each for each in zeroshot["scores"] if each["metric"] == "top1"]
    assert clip["zeroshot_top1"]["value"] == top1["value"]
    assert found["separation"]["mined"]["shares"]["world/vision-only"]["value"] == 1.0
    assert set(found["separation"]["shares"]) == set(rows)
    assert found["partners"]["base"] == "world/clip"
    assert {each.encoder for each in result.side_by_side.found.latencies} == set(rows)

    kept = {path.name: path.read_bytes() for path in (root / "diagnosis").iterdir() if path.is_file()}
    once()
    again = {path.name: path.read_bytes() for path in (root / "diagnosis").iterdir() if path.is_file()}
    assert again == kept  # the log among them: nothing is timed twice
