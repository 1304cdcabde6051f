"""MMVP-VLM from its folder."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from snellen import benchmarks
from snellen.benchmark import import_mmvp_vlm, validate
from snellen.benchmark.mmvp_vlm import PUBLISHED, pattern_of
from snellen.errors import SourceError
from tests.benchmark import mmvp_drawn as drawn
from tests.pictures import picture

PATTERNS = ("orientation", "presence", "state", "count", "position", "color", "structure", "text", "viewpoint")


def table_of(folder: Path) -> list[list[str]]:
    with (folder / "Questions.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_all_of_mmvp_vlm_whatever_the_order_of_its_rows(tmp_path: Path) -> None:
    folder = drawn.mmvp_vlm(tmp_path / "in", 15)
    header, *rows = table_of(folder)
    random.Random(0).shuffle(rows)
    drawn.write_table(folder / "Questions.csv", rows, header)
    result = import_mmvp_vlm(tmp_path / "s", folder)
    assert (result.n_pairs, result.n_errata) == (135, 0)
    benchmark = benchmarks.read(result.folder)
    tags = {tag.question_id: tag for tag in benchmark.tags("mmvp-vlm")}
    assert len(benchmark.questions) == len(tags) == 270
    for number, question in enumerate(benchmark.questions, 1):
        name = drawn.TYPES[(number - 1) // 30]
        file = folder / "MLLM_VLM Images" / name / f"{number}.jpg"
        assert question.source_id == f"MMVP_VLM:{number}"
        assert question.image_id == sha256(file.read_bytes()).hexdigest()
        assert question.statement == f'thing {number}, called "{name}"'
        assert (question.text, question.options, question.answer) == (None, None, None)
        assert tags[question.question_id].patterns == (PATTERNS[(number - 1) // 30],)
        assert tags[question.question_id].by == "MMVP-VLM as published"
    assert validate(result.folder).problems == ()
    assert "| viewpoint | 15 |" in (result.folder / "DATASHEET.md").read_text()


@pytest.mark.parametrize(
    "spelling", ["MLLM_VLM Images", "MLLM_VLM_Images", "MMVP_VLM_Images", "MMVP VLM Images", "x", "."]
)
def test_every_spelling_of_the_folder_is_the_same_benchmark(tmp_path: Path, spelling: str) -> None:
    folder = drawn.mmvp_vlm(tmp_path / "in", images=spelling)
    result = import_mmvp_vlm(tmp_path / "s", folder)
    assert import_mmvp_vlm(tmp_path / "s", folder / spelling, name="two").content_sha256 == result.content_sha256
    assert [tag.patterns for tag in benchmarks.read(result.folder).tags()][::2] == [(name,) for name in PATTERNS]


OFFICIAL = (
    "Orientation and Direction",
    "Presence of Specific Features",
    "State and Condition",
    "Quantity and Count",
    "Positional and Relational Context",
    "Color and Appearance",
    "Structural Characteristics",
    "Texts",
    "Viewpoint and Perspective",
)


@pytest.mark.parametrize(
    "types",
    [
        [name.replace(" ", "_") for name in drawn.TYPES],
        [name.upper() for name in drawn.TYPES],
        OFFICIAL,
        [*OFFICIAL[:6], "Structural and Physical Characteristics", "Text", "Viewpoint"],
        PATTERNS,
    ],
)
def test_types_are_known_by_every_name_that_they_have(tmp_path: Path, types: list[str]) -> None:
    assert tuple(map(pattern_of, types)) == PATTERNS
    folder = drawn.mmvp_vlm(tmp_path / "in", types=types)
    rows = table_of(folder)[1:]
    for row in rows:
        row[1] = drawn.TYPES[(int(row[0]) - 1) // 2]
    drawn.write_table(folder / "Questions.csv", rows, drawn.VLM_HEADER)
    tags = benchmarks.read(import_mmvp_vlm(tmp_path / "s", folder).folder).tags()
    assert [tag.patterns[0] for tag in tags][::2] == list(PATTERNS)
    assert list(PUBLISHED) == list(PATTERNS)


def test_the_pattern_is_the_rows_own_and_not_its_place(tmp_path: Path) -> None:
    types = random.Random(3).sample(drawn.TYPES, 9)
    folder = drawn.mmvp_vlm(tmp_path / "in", 2, types=types)
    tags = benchmarks.read(import_mmvp_vlm(tmp_path / "s", folder).folder).tags()
    expected = dict(zip(drawn.TYPES, PATTERNS, strict=True))
    assert [tag.patterns[0] for tag in tags] == [expected[name] for name in types for _ in range(4)]


def cell(line: int, column: int, value: str) -> Callable[[Path], object]:
    def changed(folder: Path) -> None:
        header, *rows = table_of(folder)
        rows[line - 2][column] = value
        drawn.write_table(folder / "Questions.csv", rows, header)

    return changed


def move(old: str, new: str) -> Callable[[Path], object]:
    def moved(folder: Path) -> None:
        (folder / "MLLM_VLM Images" / new).parent.mkdir(exist_ok=True)
        (folder / "MLLM_VLM Images" / old).rename(folder / "MLLM_VLM Images" / new)

    return moved


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cell(3, 1, "Presence"), "in line 3, and its image 'MLLM_VLM Images/Orientation/2.jpg' lies in the folder of"),
        (cell(3, 1, "Vehicles"), "the type 'Vehicles' in line 3, which is none of Orientation, Presence"),
        (cell(3, 2, ""), "no statement in line 3"),
        (cell(3, 2, 'thing 1, called "Orientation"'), "the same statement for 1 and 2"),
        (cell(3, 0, "20"), "has no row of number 2, 19"),
        (cell(3, 0, "1"), "the number 1 twice"),
        (move("Text/16.jpg", "State/16.jpg"), "lies in the folder of another type"),
        (move("Text/16.jpg", "State/5.png"), "two images of number 5"),
        (move("Text/16.jpg", "Text/x.jpg"), "whose name is no number"),
        (move("Text", "Vehicles"), "the folder 'Vehicles', whose name is none of"),
        (move("Text/16.jpg", "../16.jpg"), "images that are missing, number 16"),
        (
            lambda folder: (folder / "Questions.csv").write_text("Type,Statement\nText,a\nText,b\n"),
            "no column of numbers",
        ),
        (lambda folder: (folder / "Questions.csv").write_text("Question ID,Statement\n1,a\n2,b\n"), "no column 'type'"),
        (
            lambda folder: picture(17, 24, 24).save(folder / "MLLM_VLM Images" / "Camera Perspective" / "18.jpg"),
            "the images 17 and 18, which are the same file",
        ),
    ],
)
def test_whatever_leaves_room_for_doubt_is_refused(tmp_path: Path, spoil: Callable[[Path], object], said: str) -> None:
    folder = drawn.mmvp_vlm(tmp_path / "in")
    spoil(folder)
    with pytest.raises(SourceError, match=said):
        import_mmvp_vlm(tmp_path / "s", folder)


def test_a_link_to_a_folder_of_images_is_not_followed(tmp_path: Path) -> None:
    folder = drawn.mmvp_vlm(tmp_path / "in")
    (folder / "MLLM_VLM Images" / "Text").rename(tmp_path / "outside")
    (folder / "MLLM_VLM Images" / "Text").symlink_to(tmp_path / "outside")
    with pytest.raises(SourceError, match="Text is a link, which is not followed"):
        import_mmvp_vlm(tmp_path / "s", folder)


def test_both_are_benchmarks_of_one_study(tmp_path: Path) -> None:
    from snellen.benchmark import import_mmvp

    import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "one", 4))
    import_mmvp_vlm(tmp_path / "s", drawn.mmvp_vlm(tmp_path / "two"))
    with pytest.raises(Exception, match="choose another --name"):
        import_mmvp_vlm(tmp_path / "s", tmp_path / "two", name="mmvp")
