from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from snellen import benchmarks
from snellen.errors import StudyError, UsageError
from snellen.records import Erratum, Question, Statement, Tag, pair_id
from tests.pictures import picture

Lines = list[dict[str, Any]]


def write_benchmark(folder: Path, n_pairs: int = 2, **header: Any) -> Path:
    """Write a benchmark by hand, as a stranger would, with a content hash by `sha256sum`."""
    (folder / "images").mkdir(parents=True)
    lines: Lines = []
    for index in range(n_pairs):
        ids = []
        for side in (2 * index, 2 * index + 1):
            picture(side).save(folder / "image.png")
            ids.append(sha256((folder / "image.png").read_bytes()).hexdigest())
            (folder / "image.png").rename(folder / "images" / f"{ids[-1]}.png")
        # Half of the keys one way, half the other.
        for slot, image, answer in zip("ab", ids, (index % 2, 1 - index % 2), strict=True):
            name = pair_id(*ids)
            line: dict[str, Any] = {
                "question_id": f"{name}-{slot}",
                "pair_id": name,
                "slot": slot,
                "image": f"images/{image}.png",
            }
            line |= {"image_id": image, "text": "Which?", "options": ["one", "other"], "answer": answer}
            lines.append(line)
    write_lines(folder, lines)
    seal(folder, n_pairs=n_pairs, **header)
    return folder


def write_lines(folder: Path, lines: Lines, name: str = "questions.jsonl") -> None:
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


def lines_of(folder: Path) -> Lines:
    return [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]


def content_of(folder: Path) -> str:
    """What coreutils make of it, independently of our code."""
    command = "sha256sum questions.jsonl images/* | sha256sum"
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True).stdout[:64]


def seal(folder: Path, **header: Any) -> None:
    values = {"name": "made", "version": "1", "licence": None, "source": None, "option_seed": None}
    (folder / "benchmark.json").write_text(json.dumps(values | {"content_sha256": content_of(folder)} | header))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return write_benchmark(tmp_path / "made")


def test_what_is_written_is_read(made: Path) -> None:
    benchmark = benchmarks.read(made)
    first = lines_of(made)[0]
    assert benchmark.questions[0] == Question(**first | {"options": ("one", "other")})
    assert (benchmark.name, benchmark.version, benchmark.option_seed) == ("made", "1", None)
    assert benchmark.content_sha256 == content_of(made)
    assert list(benchmark.pairs) == sorted({line["pair_id"] for line in lines_of(made)})
    for name, (a, b) in benchmark.pairs.items():
        assert (a.question_id, b.question_id) == (f"{name}-a", f"{name}-b")
    assert sha256(benchmark.image(benchmark.questions[0])).hexdigest() == first["image_id"]
    assert not benchmark.tags()
    assert not benchmark.statements()
    assert not benchmark.errata()
    assert benchmarks.check(made) == []


def test_statements_alone_make_a_benchmark_too(made: Path) -> None:
    lines = lines_of(made)
    for number, line in enumerate(lines):
        del line["text"], line["options"], line["answer"]
        line["statement"] = f"number {number}"
    write_lines(made, lines)
    seal(made, n_pairs=2)
    assert benchmarks.check(made) == []
    assert benchmarks.read(made).questions[3].statement == "number 3"


def spoil(change: Callable[[Lines], object]) -> Callable[[Path], None]:
    def spoiled(folder: Path) -> None:
        lines = lines_of(folder)
        change(lines)
        write_lines(folder, lines)
        seal(folder, n_pairs=2)

    return spoiled


def all_of_a_pair(key: str, value: object) -> Callable[[Lines], None]:
    def change(lines: Lines) -> None:
        for line in lines[:2]:
            line[key] = value

    return change


def swap_files(folder: Path) -> None:
    one, other = sorted((folder / "images").iterdir())[:2]
    one.write_bytes(other.read_bytes())


def outside_link(folder: Path) -> None:
    image = sorted((folder / "images").iterdir())[0]
    shutil.move(image, folder.parent / "moved.png")
    image.symlink_to(folder.parent / "moved.png")


def linked_folder(folder: Path) -> None:
    (folder / "images").rename(folder.parent / "elsewhere")
    (folder / "images").symlink_to(folder.parent / "elsewhere")


def linked_questions(folder: Path) -> None:
    (folder / "questions.jsonl").rename(folder.parent / "q")
    (folder / "questions.jsonl").symlink_to(folder.parent / "q")


def pipe(folder: Path) -> None:
    image = sorted((folder / "images").iterdir())[0]
    image.unlink()
    os.mkfifo(image)


def wrong_extension(folder: Path) -> None:
    lines = lines_of(folder)
    (folder / lines[0]["image"]).rename((folder / lines[0]["image"]).with_suffix(".jpg"))
    lines[0]["image"] = lines[0]["image"].replace(".png", ".jpg")
    write_lines(folder, lines)
    seal(folder, n_pairs=2)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (spoil(lambda q: q[0].update(image="../../etc/passwd")), "images/<image_id>"),
        (spoil(lambda q: q[0].update(image="/etc/passwd")), "images/<image_id>"),
        (spoil(lambda q: q[0].update(image="images\\" + q[0]["image_id"] + ".png")), "images/<image_id>"),
        (spoil(lambda q: q[0].update(image=q[1]["image"])), "not named after its image_id"),
        (spoil(lambda q: q.pop()), "it needs one of slot a and one of b"),
        (spoil(lambda q: q.append(dict(q[0]))), "line 5, asks the question"),
        (spoil(lambda q: q[1].update(slot="a", question_id=q[0]["question_id"])), "as line 1 does"),
        (spoil(lambda q: q[0].update(slot="c")), "is not one of a, b"),
        (spoil(lambda q: q[0].update(question_id="x")), "has question_id 'x'"),
        (spoil(lambda q: q[0].update(text="Why?")), "two texts"),
        (spoil(lambda q: q[0].update(options=["other", "one"])), "two lists of options"),
        (spoil(lambda q: q[0].update(answer=1)), "same answer twice"),
        (spoil(lambda q: q[0].update(answer=None)), "text and options only"),
        (spoil(all_of_a_pair("options", ["a", "A "])), "offers the same twice"),
        (spoil(all_of_a_pair("options", ["a", " "])), "is blank"),
        (spoil(all_of_a_pair("statement", "s")), "same statement twice"),
        (spoil(lambda q: [q[0].pop(key) for key in ("text", "options", "answer")]), "neither text nor statement"),
        (spoil(lambda q: q[0].update(note="x")), "'note', which is not known"),
        (spoil(lambda q: q[0].update(text=7)), "is not text"),
        (spoil(lambda q: q.clear()), "holds no question"),
        (swap_files, "was changed: its sha256 is"),
        (outside_link, "behind, a link"),
        (linked_folder, "behind, a link"),
        (linked_questions, "behind, a link"),
        (pipe, "not a regular file"),
        (wrong_extension, "its name must end in .png"),
        (lambda f: sorted((f / "images").iterdir())[0].unlink(), "is missing"),
        (lambda f: (f / "images" / "more.png").touch(), "no question shows, the first 'more.png'"),
        (lambda f: (f / "questions.jsonl").unlink(), "questions.jsonl is missing"),
        (lambda f: (f / "questions.jsonl").write_bytes(b"\xff\n"), "line 1, is not UTF-8"),
        (lambda f: (f / "benchmark.json").write_text("[]"), "benchmark.json holds []"),
        (lambda f: seal(f, n_pairs=3), "says 3 pairs"),
        (lambda f: seal(f, n_pairs=2, content_sha256="0" * 64), "questions.jsonl was changed"),
        (lambda f: seal(f, n_pairs=2, option_seed=-1), "option_seed -1"),
        (lambda f: seal(f, n_pairs=2, colour="red"), "'colour'"),
    ],
)
def test_damage_is_said_and_never_read(made: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(made)
    problems = benchmarks.check(made)
    assert any(said in problem for problem in problems), problems
    assert all(problem.endswith(".") and problem.isprintable() for problem in problems)
    with pytest.raises(StudyError, match="not a whole benchmark"):
        benchmarks.read(made)


def test_a_pair_must_be_called_after_its_images(made: Path) -> None:
    text = (made / "questions.jsonl").read_text()
    name = lines_of(made)[0]["pair_id"]
    (made / "questions.jsonl").write_text(text.replace(name, "0" * 16))
    seal(made, n_pairs=2)
    assert benchmarks.check(made) == [f"The pair {'0' * 16} should be called {name}, after its images."]


def test_an_image_that_is_none_is_said(made: Path) -> None:
    line = lines_of(made)[0]
    data = b"<svg onload='alert(1)'/>"
    name = sha256(data).hexdigest()
    (made / line["image"]).unlink()
    (made / "images" / f"{name}.png").write_bytes(data)
    (made / "questions.jsonl").write_text((made / "questions.jsonl").read_text().replace(line["image_id"], name))
    seal(made, n_pairs=2)
    assert any("not an image in a format" in problem for problem in benchmarks.check(made))


def test_all_problems_are_listed_but_not_for_ever(made: Path) -> None:
    (made / "questions.jsonl").write_text("{}\n" * 5000)
    problems = benchmarks.check(made)
    assert len(problems) == 1002  # the thousand, the word that there are more, and the images that are now strangers
    assert "not read further" in problems[1000]


def test_hostile_text_is_data(made: Path) -> None:
    hostile = "\x1b[2J\u202e<script>alert(1)</script>{{7*7}}$(reboot)\n\0"
    spoil(lambda q: [line.update(text=hostile, source_id=hostile) for line in q])(made)
    assert benchmarks.read(made).questions[0].text == hostile
    assert benchmarks.check(made) == []
    spoil(lambda q: q[0].update({hostile: 1}))(made)
    assert benchmarks.check(made)[0].isprintable()


def test_a_folder_without_a_benchmark_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"benchmark\.json"):
        benchmarks.read(tmp_path)
    with pytest.raises(UsageError):
        benchmarks.check(tmp_path / "none")


def test_an_image_that_changes_after_reading_is_noticed(made: Path) -> None:
    benchmark = benchmarks.read(made)
    (made / benchmark.questions[0].image).write_bytes(b"other")
    with pytest.raises(StudyError, match="was changed"):
        benchmark.image(benchmark.questions[0])
    (made / benchmark.questions[0].image).unlink()
    with pytest.raises(StudyError, match="is missing"):
        benchmark.image(benchmark.questions[0])


def test_overlays_are_read(made: Path) -> None:
    one, other = (line["question_id"] for line in lines_of(made)[:2])
    write_lines(
        made,
        [
            {"question_id": one, "tagset": "hand", "patterns": ["count"], "by": "anna"},
            {"question_id": one, "tagset": "model", "patterns": [], "by": "m", "prompt_sha256": "0" * 64},
        ],
        "tags.jsonl",
    )
    write_lines(made, [{"question_id": one, "statement": "s", "by": "anna", "confirmed": False}], "statements.jsonl")
    erratum = {"action": "swap", "reason": "both are wrong", "source": "issue 1"}
    write_lines(made, [{"question_id": name, **erratum} for name in (one, other)], "errata.jsonl")
    benchmark = benchmarks.read(made)
    assert benchmark.tags("hand") == (Tag(one, "hand", ("count",), "anna"),)
    assert len(benchmark.tags()) == 2
    assert benchmark.statements() == (Statement(one, "s", "anna", False),)
    assert benchmark.errata()[1] == Erratum(other, "swap", "both are wrong", "issue 1")
    assert benchmarks.check(made) == []
    assert benchmark.content_sha256 == content_of(made)  # overlays are outside the hash


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("tags.jsonl", {"question_id": "x", "tagset": "t", "patterns": [], "by": "b"}, "has not got"),
        ("tags.jsonl", {"tagset": "t", "patterns": "count", "by": "b"}, "list of texts"),
        ("tags.jsonl", {"tagset": "t", "patterns": [], "by": "b", "mood": 1}, "'mood'"),
        ("statements.jsonl", {"statement": "s", "by": "b", "confirmed": 1}, "neither true nor false"),
        ("statements.jsonl", {"statement": "s", "by": "b"}, "no field confirmed"),
        ("errata.jsonl", {"action": "flip", "reason": "r", "source": "s"}, "swap, drop"),
        ("errata.jsonl", {"action": "swap", "reason": "r", "source": "s"}, "swap both or drop both"),
    ],
)
def test_wrong_overlays_are_said(made: Path, name: str, line: dict[str, Any], said: str) -> None:
    write_lines(made, [{"question_id": lines_of(made)[0]["question_id"]} | line], name)
    assert any(said in problem and problem.startswith(name) for problem in benchmarks.check(made))
    benchmark = benchmarks.read(made)
    read: dict[str, Callable[[], object]] = {
        "tags.jsonl": benchmark.tags,
        "statements.jsonl": benchmark.statements,
        "errata.jsonl": benchmark.errata,
    }
    with pytest.raises(StudyError, match=said):
        read[name]()


def test_the_same_tag_twice_is_refused(made: Path) -> None:
    line = {"question_id": lines_of(made)[0]["question_id"], "tagset": "t", "patterns": [], "by": "b"}
    write_lines(made, [line, line], "tags.jsonl")
    with pytest.raises(StudyError, match="an earlier line"):
        benchmarks.read(made).tags()


@pytest.mark.parametrize(("n", "reported"), [(14, False), (15, True)])
def test_a_key_by_slot_is_reported_from_fifteen_pairs(n: int, reported: bool) -> None:
    """2 / 2^14 is above 1e-4, 2 / 2^15 is below: by hand."""
    questions = [question(index, slot, answer) for index in range(n) for slot, answer in (("a", 0), ("b", 1))]
    assert any("which slot it is" in leak for leak in benchmarks.leaks(questions)) is reported


def question(index: int, slot: Any, answer: int, **changes: Any) -> Question:
    image = sha256(f"{index}{slot}".encode()).hexdigest()
    values: dict[str, Any] = {"text": "?", "options": ("one", "other"), "answer": answer}
    return Question(f"{index:016x}-{slot}", f"{index:016x}", slot, f"images/{image}.png", image, **(values | changes))


def test_the_known_fault_is_found_a_key_by_file_number() -> None:
    """The published benchmark's key is the parity of the file's number; slots, here, are fair."""
    questions = []
    for index in range(150):
        slots = "ab" if sha256(b"%d" % index).digest()[0] % 2 else "ba"
        for at, slot in enumerate(slots):
            questions.append(question(index, slot, at, source_id=f"M:{2 * index + at + 1}"))
    found = "".join(benchmarks.leaks(questions))
    assert "the order of source_id: that is right for 150 of 150 pairs" in found
    assert "odd or even" in found
    assert "which line of the pair comes first" in found
    assert "which slot it is" not in found
    assert "image files" not in found
