"""The verb on studies written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snellen.diagnosis.shopping import encoders
from snellen.errors import StudyError, UsageError
from snellen.stats import wilson_interval
from snellen.study import Study
from tests.diagnosis.shopping.made import (
    bits,
    fingerprint,
    matches,
    pair_names,
    with_benchmark,
    write_encoder_run,
    write_size,
    write_zeroshot,
)

NAMES = pair_names(8)


def read(study: Study) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((study.root / "diagnosis" / "encoders.json").read_text())
    return found


def files(study: Study) -> dict[str, bytes]:
    folder = study.root / "diagnosis"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.fixture
def three(tmp_path: Path) -> Study:
    """Three encoders on a benchmark with patterns, two with zero-shot, one with costs, an embedding of no other use."""
    study, content, names, _ = with_benchmark(tmp_path)
    for model, text in (("open_clip/a", "11110000"), ("open_clip/b", "11000000"), ("open_clip/c", "00001110")):
        write_encoder_run(study, model, bits(text, names), content=content)
    write_zeroshot(study, "open_clip/a", 60, 100, parameters=427_600_000)
    write_zeroshot(study, "open_clip/b", 75, 100, image_size=[336, 336])
    write_size(study, "open_clip/c", tokens=256)
    return study


def test_everything_of_three_encoders_by_hand(three: Study) -> None:
    from snellen import benchmarks

    result = encoders(three.root)
    found = read(three)
    benchmark = benchmarks.read(three.benchmark("faces"))
    assert found["benchmark"] == {"name": "faces", "content_sha256": benchmark.content_sha256}
    rows = {row["encoder"]: row for row in found["encoders"]}
    assert list(rows)[:3] == ["open_clip/a", "open_clip/c", "open_clip/b"]  # 4, 3 and 2 of 8
    low, high = wilson_interval(4, 8)
    assert rows["open_clip/a"]["image_score"] == {"value": 0.5, "low": low, "high": high, "n": 8}
    tags: dict[str, set[str]] = {}
    for tag in benchmark.tags():
        for pattern in tag.patterns:
            tags.setdefault(pattern, set()).add(tag.question_id[:-2])
    assert set(tags) == {"orientation", "color"} and len(tags["orientation"] & tags["color"]) == 1
    right = set(list(benchmark.pairs)[:4])
    for name, members in tags.items():
        share = rows["open_clip/a"]["patterns"][name]
        assert (share["value"], share["n"]) == (len(right & members) / len(members), len(members))
    assert list(rows["open_clip/a"]["patterns"]) == ["orientation", "color"]  # the paper's order
    assert (rows["open_clip/a"]["parameters"], rows["open_clip/b"]["image_size"]) == (427_600_000, [336, 336])
    assert (rows["open_clip/c"]["tokens"], rows["open_clip/c"]["parameters"]) == (256, 2_500_000)
    assert rows["open_clip/b"]["zeroshot_top1"]["value"] == 0.75 and rows["open_clip/c"]["zeroshot_top1"] is None
    assert found["base"] == {"encoder": "open_clip/a", "how": "highest image score", "tests": 3}
    (versus_b,) = [each for each in found["differences"] if each["encoder"] == "open_clip/b"]
    assert (versus_b["base_only"], versus_b["other_only"], versus_b["image_score"]["value"]) == (2, 0, -0.25)
    assert found["rescue"]["open_clip/a"]["open_clip/c"]["rescued"]["value"] == 3 / 4
    assert found["rescue"]["open_clip/a"]["open_clip/c"]["union"]["value"] == 7 / 8
    assert found["rescue"]["open_clip/a"]["open_clip/b"]["union"]["value"] == 4 / 8
    assert found["image_score_and_zeroshot"]["n_encoders"] == 2
    assert found["separation"] is None and found["partners"] is None
    said = " ".join(found["statements"])
    assert "1 encoder(s) embedded, two are needed" in said and "say whose partner is looked for, with --base" in said
    assert {path.name for path in result.figures} == {"encoders-zeroshot.png", "encoders-patterns.png"}
    page = (three.root / "diagnosis" / "encoders.md").read_text()
    assert page == result.text and "orientation (5)" in page and "color (4)" in page
    assert "over n = 2 encoders" in page and "2 encoders are few" in page


def test_a_named_base_is_compared_with_and_its_partner_is_looked_for(three: Study) -> None:
    encoders(three.root, base="open_clip/b")
    found = read(three)
    assert found["base"] == {"encoder": "open_clip/b", "how": "named", "tests": 2}
    ranking = found["partners"]["by_rescued"]
    assert [(each["encoder"], each["value"], each["n"]) for each in ranking["places"]] == [
        ("open_clip/c", 3 / 6, 6), ("open_clip/a", 2 / 6, 6),
    ]  # fmt: skip
    assert ranking["places"][1]["distinguishable"] is False
    assert found["partners"]["why"] == [
        "By separated blind pairs: not available, since open_clip/b is not embedded here beside another."
    ]
    page = (three.root / "diagnosis" / "encoders.md").read_text()
    assert "open_clip/c is first; not distinguishable from it: open_clip/a." in page
    with pytest.raises(UsageError, match="'world/x' is not an encoder of this study: choose one of"):
        encoders(three.root, base="world/x")


def test_again_it_is_the_same_bytes_and_the_manifest_names_them(three: Study) -> None:
    encoders(three.root)
    first = files(three)
    (three.root / "diagnosis" / "encoders.md").unlink()
    encoders(three.root)
    assert files(three) == first
    manifest = three.read_manifest(three.root / "diagnosis" / "encoders.json")
    assert manifest is not None and set(manifest["outputs"]) == {
        f"diagnosis/encoders{end}" for end in (".json", ".md", "-zeroshot.png", "-patterns.png")
    }
    inputs = set(manifest["inputs"])
    assert {"benchmarks/faces/benchmark.json", "benchmarks/faces/tags.jsonl"} <= inputs
    assert sum(name.endswith("matches.jsonl") for name in inputs) == 3
    assert sum(name.endswith("zeroshot.json") for name in inputs) == 2
    assert str(three.root) not in json.dumps(manifest)


def test_a_figure_that_can_no_longer_be_drawn_goes(three: Study) -> None:
    encoders(three.root)
    for path in (three.root / "zeroshot").glob("*.manifest.json"):
        path.unlink()
    result = encoders(three.root)
    assert {path.name for path in result.figures} == {"encoders-patterns.png"}
    assert "encoders-zeroshot.png" not in files(three)
    assert read(three)["figures"] == {"zeroshot": None, "patterns": "encoders-patterns.png"}
    assert "Zero-shot accuracy is not available: it was not measured here" in result.text


def test_one_encoder_and_nothing_else(tmp_path: Path) -> None:
    study = Study(tmp_path)
    write_encoder_run(study, "open_clip/a", bits("11000000", NAMES))
    result = encoders(study.root)
    said = " ".join(result.found.statements)
    for part in (
        "The benchmark's folder is not in the study: visual patterns are not known",
        "There is one encoder: nothing can be compared",
        "Zero-shot accuracy is not available",
        "0 encoder(s) embedded, two are needed",
    ):
        assert part in said
    assert "# One encoder on faces" in result.text and "25.0 [7.1, 59.1]" in result.text
    found = read(study)
    assert found["differences"] == [] and found["rescue"] == {"open_clip/a": {}} and found["partners"] is None
    assert found["image_score_and_zeroshot"] == {
        "pearson": None, "low": None, "high": None, "p": None, "n_encoders": 0,
    }  # fmt: skip


def test_why_there_is_no_image_score_is_said(tmp_path: Path) -> None:
    study = Study(tmp_path)
    write_encoder_run(study, "open_clip/a", bits("11000000", NAMES))
    write_zeroshot(study, "open_clip/b", 5, 10)
    write_size(study, "timm/c", text_tower=False, tokens=None)
    encoders(study.root)
    why = {row["encoder"]: row["why_no_image_score"] for row in read(study)["encoders"]}
    assert why == {
        "open_clip/a": None,
        "open_clip/b": "not available: not matched",
        "timm/c": "not available: no text tower",
    }


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    study = Study(tmp_path)
    write_encoder_run(study, "open_clip/a", bits("11000000", NAMES))
    path = write_zeroshot(study, "open_clip/a2", 5, 10)
    path.write_text(path.read_text().replace('"open_clip/a2"', '"open_clip/a"'))
    from tests.diagnosis.shopping.made import manifest

    manifest(study, path.parent, "zeroshot", [path])
    encoders(study.root)
    labels = {row["encoder"] for row in read(study)["encoders"]}
    assert labels == {f"open_clip/a ({fingerprint(name)[:8]})" for name in ("open_clip/a", "open_clip/a2")}


def test_what_is_not_clear_is_asked_with_the_choices(tmp_path: Path) -> None:
    study = Study(tmp_path)
    with pytest.raises(UsageError, match="There is no encoder in"):
        encoders(study.root)
    with pytest.raises(UsageError, match="There is no study in"):
        encoders(tmp_path / "nowhere")
    one = write_encoder_run(study, "open_clip/a", bits("11000000", NAMES))
    other = write_encoder_run(
        study, "open_clip/a", bits("11100000", NAMES), settings="22222222", profile="match@1: {statement}"
    )
    with pytest.raises(
        UsageError, match=f"several runs on faces: say with --run which are meant, of {one} and {other}"
    ):
        encoders(study.root)
    encoders(study.root, runs=[other])
    assert read(study)["encoders"][0]["image_score"]["value"] == 3 / 8
    with pytest.raises(UsageError, match="No encoder's run on faces begins with 'zzz'"):
        encoders(study.root, runs=["zzz"])
    write_encoder_run(study, "open_clip/b", bits("11000000", NAMES), benchmark="houses")
    with pytest.raises(UsageError, match="several benchmarks: name one of faces, houses"):
        encoders(study.root)
    with pytest.raises(UsageError, match="There is no benchmark 'houses'"):
        encoders(study.root, benchmark="houses")


def test_zero_shot_sets_are_not_mixed(tmp_path: Path) -> None:
    study = Study(tmp_path)
    write_zeroshot(study, "open_clip/a", 5, 10)
    write_zeroshot(study, "open_clip/b", 6, 10, templates="9" * 64, settings="77777777")
    write_zeroshot(study, "open_clip/b", 7, 10, dataset="birds")
    with pytest.raises(UsageError, match="name one of birds, things--11111111, things--77777777 with --dataset"):
        encoders(study.root)
    with pytest.raises(UsageError, match="name one of things--11111111, things--77777777"):
        encoders(study.root, dataset="things")
    with pytest.raises(UsageError, match="'cats' was not measured"):
        encoders(study.root, dataset="cats")
    encoders(study.root, dataset="birds")
    assert [row["encoder"] for row in read(study)["encoders"]] == ["open_clip/b"]
    encoders(study.root, dataset="things--77777777")
    assert read(study)["encoders"][0]["zeroshot_top1"]["value"] == 0.6


def test_runs_of_other_content_and_changed_files_are_refused(tmp_path: Path) -> None:
    study, content, names, _ = with_benchmark(tmp_path)
    write_encoder_run(study, "open_clip/a", bits("11110000", names), content="7" * 64)
    with pytest.raises(StudyError, match="asked different content"):
        encoders(study.root)
    with pytest.raises(UsageError, match="has no tagset 'mine': accepted is there"):
        write_encoder_run(study, "open_clip/b", bits("11110000", names), content=content)
        encoders(study.root, tagset="mine", runs=["open_clip-b"])
    path = write_zeroshot(study, "open_clip/b", 5, 10)
    path.write_text(path.read_text() + " ")
    with pytest.raises(StudyError, match=r"zeroshot\.json was changed"):
        encoders(study.root, runs=["open_clip-b"])


def test_damaged_zero_shot_is_said_to_be(tmp_path: Path) -> None:
    from tests.diagnosis.shopping.made import manifest

    study = Study(tmp_path)
    path = write_zeroshot(study, "open_clip/b", 5, 10)
    whole = json.loads(path.read_text())
    for change, message in (
        ({"scores": []}, "has no score top1"),
        ({"fingerprint": "x"}, "has fingerprint 'x'"),
        ({"parameters": -1}, "has parameters -1"),
        ({"image_size": [1]}, r"has image_size \[1\]"),
        ({"classes": {}}, "has classes {}"),
    ):
        path.write_text(json.dumps(whole | change))
        manifest(study, path.parent, "zeroshot", [path])
        with pytest.raises(StudyError, match=message):
            encoders(study.root)


def test_other_pairs_other_ways_and_unfinished_runs_are_said(tmp_path: Path) -> None:
    study = Study(tmp_path)
    write_encoder_run(study, "open_clip/a", bits("11110000", NAMES))
    write_encoder_run(study, "open_clip/b", bits("110000", NAMES[2:]), profile="match@1: {statement}", order="ab, x")
    (study.root / "runs" / "half").mkdir()
    found = encoders(study.root).found
    said = " ".join(found.statements)
    for part in ("The run half is unfinished", "Not all encoders were matched on the same pairs", "in different ways"):
        assert part in said
    assert "Some runs say of their scores: 'ab, x'." in said
    assert found.contrasts[0].difference.n == 6


def test_hostile_names_act_in_no_table(tmp_path: Path) -> None:
    study = Study(tmp_path)
    write_encoder_run(study, "open_clip/<img|src>\x1b[31m", matches(dict.fromkeys(NAMES, True)))
    text = encoders(study.root).text
    assert "\x1b" not in text and "<img" not in text and "&lt;img\\|src>" in text
