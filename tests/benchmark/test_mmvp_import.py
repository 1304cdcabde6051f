"""MMVP from its folder: every question with the image of its own number, or a sentence that says why not."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from snellen import benchmarks, storage
from snellen.benchmark import build, import_mmvp, validate
from snellen.errors import SourceError, StudyError, UsageError
from snellen.records import Question, pair_id
from tests.accepted_pairs import study_with_pairs
from tests.benchmark import mmvp_drawn as drawn
from tests.pictures import picture


def by_number(folder: Path) -> dict[int, Question]:
    questions = benchmarks.read(folder).questions
    return {int((question.source_id or "").removeprefix("MMVP:")): question for question in questions}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_as_drawn(benchmark: Path, images: Path, count: int) -> None:
    """Every number has the very file of its name, and the text, options and answer of `rows_of`."""
    questions = by_number(benchmark)
    assert sorted(questions) == list(range(1, count + 1))
    for number, text, options, answer in drawn.rows_of(count):
        question = questions[int(number)]
        assert question.image_id == sha256((images / f"{number}.jpg").read_bytes()).hexdigest()
        assert question.text == text
        assert question.options is not None
        assert f"(a) {question.options[0]} (b) {question.options[1]}" == options
        assert question.answer == ["(a)", "(b)"].index(answer)
        assert question.slot == ("a" if int(number) % 2 else "b")
    for odd in range(1, count, 2):
        assert questions[odd].pair_id == questions[odd + 1].pair_id
        assert questions[odd].pair_id == pair_id(questions[odd].image_id, questions[odd + 1].image_id)


def test_all_of_mmvp_whatever_the_order_of_its_rows(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "MMVP", 300)
    result = import_mmvp(tmp_path / "s", folder, licence="as published")
    assert (result.n_pairs, result.n_errata, result.reused) == (150, 4, False)
    assert_as_drawn(result.folder, folder / "MMVP Images", 300)
    header = json.loads((result.folder / "benchmark.json").read_text())
    assert (header["option_seed"], header["n_pairs"], header["licence"]) == (None, 150, "as published")
    rows = drawn.rows_of(300)
    random.Random(1).shuffle(rows)
    drawn.write_table(folder / "Questions.csv", rows)
    again = import_mmvp(tmp_path / "other", folder, licence="as published")
    assert again.content_sha256 == result.content_sha256
    # The numbers are in order although the file is not, and names would put 10 before 2.
    numbers = [question.source_id for question in benchmarks.read(again.folder).questions]
    assert numbers == [f"MMVP:{number}" for number in range(1, 301)]


@pytest.mark.parametrize("spelling", ["MMVP Images", "MMVP_Images", "MMVP images", "mmvp_images", "Images", "pictures"])
def test_every_spelling_of_the_folder_is_the_same_benchmark(tmp_path: Path, spelling: str) -> None:
    folder = drawn.mmvp(tmp_path / "in", 12, images=spelling)
    for name, where in (("one", folder), ("two", folder / spelling)):
        assert_as_drawn(import_mmvp(tmp_path / "s", where, name=name).folder, folder / spelling, 12)


def test_images_may_lie_beside_the_table_among_other_files(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "in", 4, images=".")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / ".cache").mkdir()
    (folder / "README.md").write_text("about")
    (folder / "Questions.xlsx").write_bytes(b"PK")
    assert_as_drawn(import_mmvp(tmp_path / "s", folder).folder, folder, 4)


def test_an_image_is_what_its_bytes_are_whatever_its_name_ends_in(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "in", 4)
    images = folder / "MMVP Images"
    picture(1).save(images / "1.jpg", format="PNG")
    (images / "2.jpg").unlink()
    picture(2).save(images / "2.WEBP", format="WEBP")
    (images / "3.jpg").rename(images / "003.jpeg")
    questions = by_number(import_mmvp(tmp_path / "s", folder).folder)
    assert [questions[number].image.rpartition(".")[2] for number in (1, 2, 3, 4)] == ["png", "webp", "jpg", "jpg"]
    for number, name in ((1, "1.jpg"), (2, "2.WEBP"), (3, "003.jpeg"), (4, "4.jpg")):
        assert questions[number].image_id == sha256((images / name).read_bytes()).hexdigest()


def test_the_forms_that_stored_copies_have(tmp_path: Path) -> None:
    """A column of categories, quotes that are not doubled, spaces at the end, parentheses: each in our own words."""
    folder = drawn.mmvp(tmp_path / "in", 8)
    (folder / "Questions.csv").write_text(
        "lndex,Category,Question,Options,Correct Answer\n"
        '1,tx,"Is the letter "Q" to be seen?",(a) Yes (b) No,(a)\n'
        '2,tx,"Is the letter "Q" to be seen?",(a) Yes (b) No,(b)\n'
        '3,od,"Which way does the goat look?",(a) At the wall (b) At the camera ,(a)\n'
        '4,od,"Which way does the goat look?",(a) At the wall (b) At the camera ,(b)\n'
        '5,tx,"What is written:",(a) "Good day" (b) "Good day!",(a)\n'
        '6,tx,"What is written:",(a) "Good day" (b) "Good day!",(b)\n'
        '7,pr,"Are all cup(s) in something (e.g box, bag)?",(a) 1 (one) (b) 2,(a)\n'
        '8,pr,"Are all  cup(s) in something (e.g box, bag)?",(a) 1 (one) (b) 2,(b)\n'
    )
    questions = by_number(import_mmvp(tmp_path / "s", folder).folder)
    assert questions[2].text == 'Is the letter "Q" to be seen?'
    assert questions[3].options == ("At the wall", "At the camera")
    assert questions[5].options == ('"Good day"', '"Good day!"')
    assert questions[8].options == ("1 (one)", "2")
    # Two spaces in one half of the pair are no other question.
    assert questions[7].text == questions[8].text == "Are all cup(s) in something (e.g box, bag)?"


def change(number: int, column: int, value: str) -> Callable[[Path], object]:
    def changed(folder: Path) -> None:
        rows = drawn.rows_of(6)
        rows[number - 1][column] = value
        drawn.write_table(folder / "Questions.csv", rows)

    return changed


def rename(old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "MMVP Images" / old).rename(folder / "MMVP Images" / new)


def positional(first: int) -> Callable[[Path], object]:
    """Name the images by place in a list, in the order of names: 1, 10, 11, 12, 2 and so on."""

    def renamed(folder: Path) -> None:
        images = folder / "MMVP Images"
        for at, path in enumerate(sorted(images.iterdir()), first):
            path.rename(images / f"{at:05d}.tmp")
        for path in images.iterdir():
            path.rename(images / f"{int(path.stem)}.jpg")

    return renamed


def listed(name: str, content: bytes = b"x") -> Callable[[Path], object]:
    def listing(folder: Path) -> None:
        (folder / "Questions.csv").unlink()
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    return listing


def pack(folder: Path) -> None:
    shutil.copytree(folder / "MMVP Images", folder / "MMVP_Images")


def link(name: str, target: str) -> Callable[[Path], object]:
    def linked(folder: Path) -> None:
        path = folder / name
        if path.is_dir():
            shutil.move(path, folder.parent / "outside")
        else:
            path.rename(folder.parent / "outside")
        path.symlink_to(target)

    return linked


WRONG: list[tuple[Callable[[Path], object], str]] = [
    (change(2, 3, "(a)"), r"the same answer for 1 and 2, \(a\)"),
    (change(2, 3, "(c)"), r"the answer '\(c\)' in line 3, which is neither"),
    (change(2, 3, ""), "the answer '' in line 3"),
    (change(4, 1, "Another question?"), "asks two things for the pair 3 and 4"),
    (change(4, 1, "is thing 2, over there, up or down?"), "asks two things for the pair 3 and 4"),
    (change(4, 2, "(a) Down (b) Up 2"), "asks two things for the pair 3 and 4"),
    (change(4, 2, "Up or down"), "is wrong in line 5, which has the options 'Up or down'"),
    (change(4, 1, ""), "is wrong in line 5, which has a question that is blank"),
    (change(6, 0, "7"), "has no row of number 6"),
    (change(6, 0, "5"), "the number 5 twice, in lines 6 and 7"),
    (change(6, 0, "0"), "begin at 0"),
    (lambda folder: drawn.write_table(folder / "Questions.csv", drawn.rows_of(5)), "images that are there, number 6"),
    (lambda folder: drawn.write_table(folder / "Questions.csv", drawn.rows_of(4)), "there, number 5, 6: get the whole"),
    (lambda folder: (folder / "MMVP Images" / "3.jpg").unlink(), "images that are missing, number 3"),
    (lambda folder: drawn.draw(folder / "MMVP Images", [3], "png"), "two images of number 3, 'MMVP Images/3.jpg' and"),
    (rename("6.jpg", "6 (1).jpg"), "'6 \\(1\\).jpg', whose name is no number.*never by their place"),
    (rename("6.jpg", "MMVP_6.jpg"), "whose name is no number"),
    (rename("6.jpg", "six.jpg"), "whose name is no number"),
    (positional(0), "begin at 0, and the published numbers begin at 1"),
    (listed("metadata.csv", b"file_name\n1.jpg\n10.jpg\n"), "'metadata.csv' and no Questions.csv.*10 before 2"),
    (listed("train-00000-of-00001.parquet"), "parquet' and no Questions.csv"),
    (listed("data/train-00000-of-00001.parquet"), "parquet' and no Questions.csv"),
    (listed("mmvp.json"), "'mmvp.json' and no Questions.csv"),
    (listed("Questions.xlsx"), "only Questions.xlsx, which is not read"),
    (lambda folder: (folder / "Questions.csv").unlink(), "has no Questions.csv: name the folder"),
    (lambda folder: shutil.rmtree(folder / "MMVP Images"), "holds no image beside Questions.csv"),
    (pack, "images in 'MMVP Images' and in 'MMVP_Images'"),
    (lambda folder: (folder / "questions.csv").write_text("x"), "Questions.csv and questions.csv"),
    (
        lambda folder: shutil.copy(folder / "MMVP Images/1.jpg", folder / "MMVP Images/2.jpg"),
        "the images 1 and 2, which are the same file",
    ),
    (lambda folder: same_two(folder), "asks of the images 3 and 4 what it asks of 1 and 2"),
    (
        link("MMVP Images/2.jpg", "../../outside"),
        "'MMVP Images/2.jpg'.*is, or lies behind, a link.*the files themselves",
    ),
    (link("MMVP Images", "../outside"), "MMVP Images is a link, which is not followed"),
    (link("Questions.csv", "../outside"), "Questions.csv is, or lies behind, a link"),
    (lambda folder: (folder / "MMVP Images" / "7.jpg").symlink_to("/etc/passwd"), "a link, which is not followed"),
    (lambda folder: (folder / "MMVP Images" / "2.jpg").write_bytes(b"GIF89a"), r"2\.jpg cannot be decoded \(truncated"),
    (lambda folder: (folder / "MMVP Images" / "2.jpg").write_text("<html>"), "cannot be decoded"),
    (
        lambda folder: (folder / "MMVP Images" / "2.jpg").write_text("version https://git-lfs.github.com/spec/v1\n"),
        "git lfs pull",
    ),
    (lambda folder: pipe(folder / "MMVP Images" / "2.jpg"), "is not a regular file"),
    (lambda folder: huge(folder / "Questions.csv"), "16,777,216 bytes"),
    (lambda folder: huge(folder / "MMVP Images" / "2.jpg", 2**40), "more than"),
]


def same_two(folder: Path) -> None:
    for old, new in ((1, 3), (2, 4)):
        shutil.copy(folder / "MMVP Images" / f"{old}.jpg", folder / "MMVP Images" / f"{new}.jpg")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def huge(path: Path, size: int = 2**25) -> None:
    os.truncate(path, size)


@pytest.mark.parametrize(("spoil", "said"), WRONG, ids=[said for _, said in WRONG])
def test_whatever_leaves_room_for_doubt_is_refused_in_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    folder = drawn.mmvp(tmp_path / "in", 6)
    spoil(folder)
    with pytest.raises((SourceError, UsageError), match=said) as caught:
        import_mmvp(tmp_path / "s", folder)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "s" / "benchmarks").exists()


def test_one_image_in_two_pairs_is_one_file(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "in", 4)
    shutil.copy(folder / "MMVP Images" / "1.jpg", folder / "MMVP Images" / "4.jpg")
    result = import_mmvp(tmp_path / "s", folder)
    assert len(list((result.folder / "images").iterdir())) == 3
    assert validate(result.folder).problems == ()


def test_tiny_pictures_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "in", 2)
    for number in (1, 2):
        Image.new("RGB", (2, 2), (100 * number, 0, 0)).save(folder / "MMVP Images" / f"{number}.jpg")
    assert import_mmvp(tmp_path / "s", folder).n_pairs == 1


def test_a_second_import_changes_nothing_and_mends_what_was_lost(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "in", 4)
    first = import_mmvp(tmp_path / "s", folder)
    before = files_of(tmp_path / "s")
    (first.folder / "DATASHEET.md").write_text("ours")
    lost, damaged = sorted((first.folder / "images").iterdir())[:2]
    lost.unlink()
    damaged.write_bytes(b"damaged")
    assert import_mmvp(tmp_path / "s", folder).reused
    name = "benchmarks/mmvp/DATASHEET.md"
    assert files_of(tmp_path / "s") == before | {name: b"ours"}
    (first.folder / "questions.jsonl").write_text("{}\n")
    with pytest.raises(StudyError, match="was changed after it was imported"):
        import_mmvp(tmp_path / "s", folder)


def test_another_benchmark_of_the_name_is_not_written_over(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "in", 4)
    import_mmvp(tmp_path / "s", folder)
    before = files_of(tmp_path / "s")
    with pytest.raises(StudyError, match="there already"):
        import_mmvp(tmp_path / "s", folder, version="2")
    drawn.mmvp(tmp_path / "other", 6)
    with pytest.raises(StudyError, match="choose another --name"):
        import_mmvp(tmp_path / "s", tmp_path / "other")
    images = folder / "MMVP Images"
    (images / "1.jpg").rename(images / "x")
    (images / "2.jpg").rename(images / "1.jpg")
    (images / "x").rename(images / "2.jpg")
    with pytest.raises(StudyError, match="choose another --name"):
        import_mmvp(tmp_path / "s", folder)
    assert files_of(tmp_path / "s") == before
    foreign = tmp_path / "s" / "benchmarks" / "foreign"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("mine")
    with pytest.raises(StudyError, match="did not write"):
        import_mmvp(tmp_path / "s", folder, name="foreign")


def test_a_built_benchmark_of_the_name_is_not_written_over(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path)
    build(study, name="mmvp")
    with pytest.raises(StudyError, match="written by `snellen build`"):
        import_mmvp(study, drawn.mmvp(tmp_path / "in", 4))
    assert import_mmvp(study, tmp_path / "in", name="published").n_pairs == 2


@pytest.mark.parametrize("at", range(9))  # the plan, four images, three files, the manifest
def test_a_kill_leaves_what_a_second_run_finishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    folder = drawn.mmvp(tmp_path / "in", 4)
    expected = import_mmvp(tmp_path / "expected", folder).folder.parent
    whole, calls = storage.write_bytes, [0]

    def stopped(path: Path, data: bytes) -> None:
        calls[0] += 1
        if calls[0] > at:
            raise KeyboardInterrupt
        whole(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_bytes", stopped)
        with pytest.raises(KeyboardInterrupt):
            import_mmvp(tmp_path / "s", folder)
    import_mmvp(tmp_path / "s", folder)
    assert files_of(tmp_path / "s" / "benchmarks") == files_of(expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "a/b"}, "cannot be called"),
        ({"version": " "}, "--version"),
        ({"licence": ""}, "--licence"),
        ({"errata": "all"}, "--errata 'all' is not known: choose known, none"),
    ],
)
def test_wrong_options_are_wrong_usage(tmp_path: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        import_mmvp(tmp_path / "s", drawn.mmvp(tmp_path / "in", 2), **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is not a folder"):
        import_mmvp(tmp_path / "s", tmp_path / "none")


def test_the_manifest_says_what_was_read_and_nothing_of_this_machine(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "in", 4)
    result = import_mmvp(tmp_path / "s", folder)
    text = (result.folder.parent / "mmvp.manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["verb"] == "import"
    assert manifest["inputs"]["MMVP%20Images/3.jpg"] == sha256((folder / "MMVP Images/3.jpg").read_bytes()).hexdigest()
    assert manifest["inputs"]["Questions.csv"] == sha256((folder / "Questions.csv").read_bytes()).hexdigest()
    assert str(tmp_path) not in text
    for path, digest in manifest["outputs"].items():
        assert sha256((tmp_path / "s" / path).read_bytes()).hexdigest() == digest


def test_a_table_without_numbers_is_taken_by_row_only_where_the_user_says_so(tmp_path: Path) -> None:
    folder = drawn.mmvp(tmp_path / "MMVP", 6)
    whole = import_mmvp(tmp_path / "whole", folder)
    lines = (folder / "Questions.csv").read_text().splitlines()
    (folder / "Questions.csv").write_text("\n".join(line.partition(",")[2] for line in lines) + "\n")
    with pytest.raises(SourceError, match=r"no column of numbers.* --by-row"):
        import_mmvp(tmp_path / "s", folder)
    result = import_mmvp(tmp_path / "s", folder, by_row=True)
    assert result.content_sha256 == whole.content_sha256
    manifest = json.loads((tmp_path / "s" / "benchmarks" / "mmvp.manifest.json").read_text())
    assert manifest["settings"]["by_row"] is True
