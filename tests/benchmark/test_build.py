from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

import snellen
from snellen import accepted, benchmarks
from snellen.benchmark import build, validate
from snellen.embedding import embed
from snellen.errors import StudyError, UsageError
from snellen.mining import mine
from snellen.study import Study
from tests.accepted_pairs import accepted_pair, study_with_pairs
from tests.pictures import picture
from tests.studies import images, write_images

SEED = 7


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def bmp(shade: int) -> bytes:
    """A 16 x 16 grey BMP, byte by byte, so that its hash does not depend on any library."""
    header = b"BM" + (54 + 768).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    sizes = b"".join(value.to_bytes(4, "little") for value in (40, 16, 16)) + (1).to_bytes(2, "little")
    return header + sizes + (24).to_bytes(2, "little") + bytes(24) + bytes([shade]) * 768


def lot(seed: int, what: str, name: str) -> str:
    """The draw by coreutils."""
    text = f"{seed}/{what}/{name}"
    return subprocess.run(["sha256sum"], input=text.encode(), capture_output=True, check=True).stdout.decode()[:64]


def two_pairs(folder: Path) -> Path:
    """A study of four grey pictures, dark to light, in two accepted pairs."""
    (folder / "grey").mkdir()
    for shade in range(4):
        (folder / "grey" / f"{shade}.bmp").write_bytes(bmp(60 * shade + 30))
    embed(folder / "s", images=folder / "grey", encoder="control/colour-histogram", device="cpu")
    ids = [sha256(bmp(60 * shade + 30)).hexdigest() for shade in range(4)]
    pairs = [
        accepted_pair(ids[0], ids[1], options=("dark", "bright"), statement_a="Dark.", statement_b="Bright."),
        accepted_pair(ids[2], ids[3], options=("yes", "no"), patterns=(), statement_a=None, statement_b=None),
    ]
    accepted.write(folder / "s" / "accepted.jsonl", pairs)
    return folder / "s"


def test_a_benchmark_of_two_pairs_is_as_worked_out_by_hand(tmp_path: Path) -> None:
    result = build(two_pairs(tmp_path), option_seed=SEED, licence="CC0-1.0", source="drawn")
    folder = result.folder
    # What the lots say, worked out with sha256sum and none of our code.
    expected: dict[str, dict[str, Any]] = {}
    for shades, options, text in (((0, 1), ("dark", "bright"), "Dark."), ((2, 3), ("yes", "no"), None)):
        ids = [sha256(bmp(60 * shade + 30)).hexdigest() for shade in shades]
        right = dict(zip(ids, options, strict=True))
        statements = {ids[0]: text, ids[1]: text and "Bright."}
        name = sha256("".join(sorted(ids)).encode()).hexdigest()[:16]
        shown = sorted(ids)[:: -1 if int(lot(SEED, "slots", name)[:2], 16) % 2 else 1]
        offered = sorted(options)[:: -1 if int(lot(SEED, "options", name)[:2], 16) % 2 else 1]
        for slot, image in zip("ab", shown, strict=True):
            expected[f"{name}-{slot}"] = {
                "question_id": f"{name}-{slot}",
                "pair_id": name,
                "slot": slot,
                "image": f"images/{image}.bmp",
                "image_id": image,
                "text": "Which way does the dog look?",
                "options": offered,
                "answer": offered.index(right[image]),
                "statement": statements[image],
                "source_id": None,
            }
    order = sorted(expected, key=lambda name: lot(SEED, "lines", name))
    lines = "".join(json.dumps(expected[name]) + "\n" for name in order)
    assert (folder / "questions.jsonl").read_text() == lines

    names = sorted(line["image"] for line in expected.values())
    summary = f"{sha256(lines.encode()).hexdigest()}  questions.jsonl\n"
    summary += "".join(f"{name[7:71]}  {name}\n" for name in names)
    content = sha256(summary.encode()).hexdigest()
    assert json.loads((folder / "benchmark.json").read_text()) == {
        "name": "blind-pairs",
        "version": "1",
        "content_sha256": content,
        "licence": "CC0-1.0",
        "source": "drawn",
        "n_pairs": 2,
        "option_seed": SEED,
    }
    assert result.content_sha256 == content
    assert sorted(f"images/{path.name}" for path in (folder / "images").iterdir()) == names
    for name in names:
        assert sha256((folder / name).read_bytes()).hexdigest() == name[7:71]
    # Frozen: another Python, numpy or Pillow must give the same.
    assert content == "2e734895e0a3de64db0a5355548ef92c2b6c7978f737c5eea54a7d947be85c58"


def test_tags_come_with_the_pairs_and_where_nobody_gave_any_nothing_is_said(tmp_path: Path) -> None:
    benchmark = benchmarks.read(build(two_pairs(tmp_path)).folder)
    tags = benchmark.tags("accepted")
    assert [tag.patterns for tag in tags] == [("orientation",)] * 2
    assert {tag.by for tag in tags} == {"anna, bert"}
    assert len({tag.question_id.split("-")[0] for tag in tags}) == 1


def test_the_reader_gives_back_what_was_accepted(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    benchmark = snellen.read_benchmark(build(study).folder)
    for pair in accepted.read(study / "accepted.jsonl"):
        right = {pair.image_a: pair.options[pair.answer_a], pair.image_b: pair.options[pair.answer_b]}
        for question in benchmark.pairs[pair.pair_id]:
            assert question.options is not None
            assert question.answer is not None
            assert question.options[question.answer] == right[question.image_id]
            assert question.text == pair.question
    assert validate(benchmark.folder).problems == ()


def test_however_a_pair_was_written_down_the_benchmark_is_the_same(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    first = build(study, option_seed=SEED, name="one")
    turned = [
        replace(
            pair,
            image_a=pair.image_b,
            image_b=pair.image_a,
            options=pair.options[::-1],
            statement_a=pair.statement_b,
            statement_b=pair.statement_a,
        )
        for pair in accepted.read(study / "accepted.jsonl")
    ]
    accepted.write(tmp_path / "turned.jsonl", turned)
    second = build(study, option_seed=SEED, name="two", accepted=tmp_path / "turned.jsonl")
    assert first.content_sha256 == second.content_sha256


def test_a_seed_is_drawn_once_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    first = build(study)
    before = files_of(study / "benchmarks")
    assert not first.reused
    assert not list((study / "benchmarks").glob("*.plan.json"))
    again = build(study)
    assert again == replace(first, reused=True)
    assert files_of(study / "benchmarks") == before
    assert build(study, name="other").option_seed != first.option_seed  # one in four thousand million


def test_what_is_lost_is_written_again_and_what_others_added_stays(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    folder = build(study).folder
    before = files_of(folder)
    image, other = sorted((folder / "images").iterdir())[:2]
    image.unlink()
    other.write_bytes(b"damaged")
    (folder / "benchmark.json").unlink()
    (folder / "DATASHEET.md").write_text("better words")
    (folder / "errata.jsonl").write_text("")
    assert build(study).reused
    assert files_of(folder) == before | {"DATASHEET.md": b"better words", "errata.jsonl": b""}
    (folder / "questions.jsonl").write_bytes(before["questions.jsonl"].replace(b"dog", b"cat"))
    with pytest.raises(StudyError, match=r"questions\.jsonl was changed"):
        build(study)


def test_another_benchmark_of_the_name_is_refused_but_as_a_new_version(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    first = build(study, option_seed=SEED)
    accepted.write(study / "accepted.jsonl", accepted.read(study / "accepted.jsonl")[1:])
    before = files_of(study / "benchmarks")
    refused: list[tuple[dict[str, Any], str]] = [
        ({}, "accepted.jsonl"),
        ({"option_seed": 8}, "--option-seed"),
        ({"licence": "x"}, "--licence"),
    ]
    for options, said in refused:
        with pytest.raises(StudyError, match=f"version 1, made with another .*{said}.*--version or --name"):
            build(study, **options)
    assert files_of(study / "benchmarks") == before
    second = build(study, version="2")
    assert second.option_seed == SEED
    assert second.n_pairs == first.n_pairs - 1
    assert len(list((second.folder / "images").iterdir())) == 2 * second.n_pairs
    assert validate(second.folder).problems == ()
    assert build(study, name="fresh", version="2", option_seed=SEED).content_sha256 == second.content_sha256


def test_a_new_version_never_takes_away_what_others_made(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    folder = build(study).folder
    (folder / "errata.jsonl").write_text("")
    with pytest.raises(StudyError, match=r"errata\.jsonl.*would lose"):
        build(study, version="2")
    (folder / "errata.jsonl").unlink()
    (folder / "tags.jsonl").write_text("")
    with pytest.raises(StudyError, match=r"tags\.jsonl.*would lose"):
        build(study, version="2")


def test_a_strangers_folder_is_left_alone(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    (study / "benchmarks" / "blind-pairs").mkdir(parents=True)
    (study / "benchmarks" / "blind-pairs" / "benchmark.json").write_text("{}")
    with pytest.raises(StudyError, match="did not write: choose another --name"):
        build(study)


def test_extensions_tell_the_truth_and_bytes_are_untouched(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    kinds = {"a.JPG": "PNG", "b.png": "JPEG", "c.jpeg": "WEBP", "d.gif": "TIFF"}
    for seed, (name, kind) in enumerate(kinds.items()):
        picture(seed).save(tmp_path / "photos" / name, kind)
    embed(tmp_path / "s", images=tmp_path / "photos", encoder="control/colour-histogram", device="cpu")
    ids = [sha256((tmp_path / "photos" / name).read_bytes()).hexdigest() for name in kinds]
    accepted.write(tmp_path / "s" / "accepted.jsonl", [accepted_pair(*ids[:2]), accepted_pair(*ids[2:])])
    folder = build(tmp_path / "s").folder
    for name, extension in zip(kinds, ("png", "jpg", "webp", "tiff"), strict=True):
        data = (tmp_path / "photos" / name).read_bytes()
        assert (folder / "images" / f"{sha256(data).hexdigest()}.{extension}").read_bytes() == data


def test_images_are_found_where_they_are_now(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    (tmp_path / "photos").rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="--images"):
        build(study)
    assert build(study, images=tmp_path / "moved").n_pairs == 4


def test_a_changed_image_is_named_with_its_pair(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    picture(99).save(tmp_path / "photos" / "003.png")
    with pytest.raises(StudyError, match=r"003\.png of the accepted pair [0-9a-f]{16} is changed since"):
        build(study)
    (tmp_path / "photos" / "003.png").unlink()
    with pytest.raises(StudyError, match="is no longer in the source"):
        build(study)


def test_a_pair_whose_images_are_not_in_the_study_or_not_ok_is_named(tmp_path: Path) -> None:
    study = Study(tmp_path / "s")
    table = images(4, statuses={1: "truncated"})
    write_images(study, table, parts=2)
    stranger = accepted_pair(str(table[0].image_id), "f" * 64)
    accepted.write(study.accepted, [stranger])
    with pytest.raises(StudyError, match=f"{stranger.pair_id} shows the image f+, which is not in the study"):
        build(study.root)
    broken = accepted_pair(str(table[0].image_id), str(table[1].image_id))
    accepted.write(study.accepted, [broken])
    with pytest.raises(StudyError, match=f"{broken.pair_id} .* has status truncated"):
        build(study.root)
    assert not study.benchmarks.exists()


def test_an_image_that_only_its_source_turns_upright_is_refused(tmp_path: Path) -> None:
    """A benchmark has the bytes alone: people and models would see it lying on its side."""
    import io
    import tarfile

    with tarfile.open(tmp_path / "00000.tar", "w") as tar:
        for index in range(2):
            buffer = io.BytesIO()
            picture(index).save(buffer, "PNG")
            meta = json.dumps({"exif": json.dumps({"Image Orientation": "Rotated 90 CW"})}).encode()
            for name, data in ((f"{index}.png", buffer.getvalue()), (f"{index}.json", meta)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    embed(tmp_path / "s", images=tmp_path / "00000.tar", encoder="control/colour-histogram", device="cpu")
    from snellen import image_table

    rows = image_table.read(Study(tmp_path / "s"))
    assert rows[0].flags == ("exif_rotated",)
    accepted.write(tmp_path / "s" / "accepted.jsonl", [accepted_pair(str(rows[0].image_id), str(rows[1].image_id))])
    with pytest.raises(StudyError, match="turned upright only by what its source says"):
        build(tmp_path / "s")


def test_the_datasheet_tells_the_studys_facts_and_nothing_in_it_is_markup(tmp_path: Path) -> None:
    hostile = "<b>|`x`\n# big\u202e"
    study = study_with_pairs(tmp_path, patterns=(hostile,), decided_by=(hostile, "bert"), drafted_by="model-x")
    embed(study, encoder="control/gradient-grid", device="cpu")
    mine(study, blind="control/colour-histogram", reference="control/gradient-grid", blind_min=-0.25)
    text = (build(study, licence="CC0 [x](y)").folder / "DATASHEET.md").read_text()
    assert "Blind cosine above -0.25" in text
    assert "control/colour\\-histogram" in text or "control/colour-histogram" in text
    assert "First wordings drafted by somebody or something else: model-x: 4." in text
    assert r"| \<b\>\|\`x\` \# big | 4 | 4 |" in text
    assert r"Licence: CC0 \[x\]\(y\)." in text
    assert "Images from: **not stated**" in text
    assert "\n# big" not in text


def test_mining_again_does_not_make_another_benchmark(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    first = build(study)
    embed(study, encoder="control/gradient-grid", device="cpu")
    mine(study, blind="control/colour-histogram", reference="control/gradient-grid")
    assert build(study) == replace(first, reused=True)


def test_nothing_of_this_machine_is_in_a_benchmark(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    build(study)
    for name, data in files_of(study / "benchmarks").items():
        assert str(tmp_path).encode() not in data, name
    manifest = json.loads((study / "benchmarks" / "blind-pairs.manifest.json").read_text())
    assert sorted(manifest["inputs"]) == ["accepted.jsonl", "images.parquet"]
    for path, digest in manifest["outputs"].items():
        assert sha256((study / path).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "../x"}, "A-Z a-z"),
        ({"name": ".x"}, "not a dot first"),
        ({"name": ""}, "at most 100"),
        ({"name": "x" * 101}, "at most 100"),
        ({"name": "x.partial"}, r"\.partial last"),
        ({"name": "x\n"}, "at most 100"),
        ({"version": " "}, "--version"),
        ({"licence": "\udc80"}, "--licence"),
        ({"option_seed": -1}, "--option-seed"),
        ({"option_seed": 2**53}, "--option-seed"),
        ({"accepted": "none.jsonl"}, "--accepted"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_written(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    study = study_with_pairs(tmp_path)
    with pytest.raises(UsageError, match=said):
        build(study, **options)
    assert not (study / "benchmarks").exists()


def test_without_pairs_there_is_nothing_to_build(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    (study / "accepted.jsonl").write_text("")
    with pytest.raises(StudyError, match="holds no pair"):
        build(study)
    (study / "accepted.jsonl").unlink()
    with pytest.raises(StudyError, match="accept pairs first"):
        build(study)


def test_a_pillow_picture_is_the_same_in_the_benchmark(tmp_path: Path) -> None:
    benchmark = benchmarks.read(build(study_with_pairs(tmp_path)).folder)
    for question in benchmark.questions:
        with Pillow.open(benchmark.folder / question.image) as shown:
            assert shown.size == (40, 32)
    assert asdict(benchmark.questions[0])["source_id"] is None
