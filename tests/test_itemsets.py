"""Item sets: POPE's and LLaVA-Bench's files in, read strictly, asked and scored."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snellen import itemsets
from snellen.benchmark.verb_import_items import import_llava_bench, import_pope
from snellen.errors import SourceError, StudyError, UsageError
from tests.pictures import picture

Lines = list[dict[str, Any]]


def write_lines(path: Path, lines: Lines) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def pope_files(folder: Path, images: int = 3) -> list[Path]:
    """Two files in POPE's format, six questions about each image in each; half of the answers are yes."""
    (folder / "images").mkdir(parents=True)
    for at in range(images):
        picture(at).save(folder / "images" / f"COCO_val2014_{at:012d}.jpg")
    things = ["snowboard", "dog", "car", "chair", "person", "bottle"]
    paths = []
    for kind in ("random", "adversarial"):
        lines = [
            {
                "question_id": 1 + len(things) * at + k,
                "image": f"COCO_val2014_{at:012d}.jpg",
                "text": f"Is there a {thing} in the image?",
                "label": "yes" if k % 2 else "no",
            }
            for at in range(images)
            for k, thing in enumerate(things)
        ]
        paths.append(write_lines(folder / f"coco_pope_{kind}.json", lines))
    return paths


def llava_folder(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    for at in range(2):
        picture(at).save(folder / "images" / f"{at:03d}.jpg")
    questions = [
        {
            "question_id": at,
            "image": f"{at // 2:03d}.jpg",
            "category": ("conv", "detail")[at % 2],
            "text": f"What {at}?",
        }
        for at in range(4)
    ]
    write_lines(folder / "questions.jsonl", questions)
    answers = [{"question_id": at, "text": f"Reference {at}.", "model_id": "gpt4", "answer_id": "x"} for at in range(4)]
    write_lines(folder / "answers_gpt4.jsonl", answers[::-1])  # another order
    contexts = [{"id": at, "image": f"{at:03d}.jpg", "caption": f"Picture {at}."} for at in range(2)]
    write_lines(folder / "context.jsonl", contexts[::-1])
    return folder


def test_pope_in(tmp_path: Path) -> None:
    files = pope_files(tmp_path / "pope")
    result = import_pope(tmp_path / "s", files, images=tmp_path / "pope" / "images")
    assert (result.kind, result.n_items, result.reused) == ("yes_no", 36, False)
    found = itemsets.read(result.folder)
    first = found.items[0]
    assert (first.item_id, first.text, first.answer) == ("random-1", "Is there a snowboard in the image?", "no")
    assert (first.category, first.source_id) == ("random", "POPE:random:1")
    assert found.image(first) == (tmp_path / "pope" / "images" / "COCO_val2014_000000000000.jpg").read_bytes()
    assert {one.category for one in found.items} == {"random", "adversarial"}
    command = "sha256sum items.jsonl images/* | sha256sum"
    said = subprocess.run(command, shell=True, cwd=result.folder, capture_output=True, text=True, check=True).stdout
    assert said[:64] == found.content_sha256 == result.content_sha256
    assert import_pope(tmp_path / "s", files, images=tmp_path / "pope" / "images").reused
    with pytest.raises(StudyError, match="from other files or settings"):
        import_pope(tmp_path / "s", files[:1], images=tmp_path / "pope" / "images")


def test_llava_bench_in_is_joined_by_ids_and_names(tmp_path: Path) -> None:
    result = import_llava_bench(tmp_path / "s", llava_folder(tmp_path / "bench"))
    found = itemsets.read(result.folder)
    assert [(one.item_id, one.text, one.reference, one.context, one.category) for one in found.items] == [
        (str(at), f"What {at}?", f"Reference {at}.", f"Picture {at // 2}.", ("conv", "detail")[at % 2])
        for at in range(4)
    ]
    assert found.kind == "free" and all(one.answer is None for one in found.items)


Change = Callable[[Path], object]


def edited(name: str, **fields: Any) -> Change:
    """Change the first line of a file; a field that is set to `...` is taken out."""

    def change(folder: Path) -> None:
        lines = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        lines[0] = {key: value for key, value in (lines[0] | fields).items() if value is not ...}
        write_lines(folder / name, lines)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited("coco_pope_random.json", image="gone.jpg"), "'gone.jpg' .* is missing"),
        (edited("coco_pope_random.json", image="../coco_pope_random.json"), "no plain file name"),
        (edited("coco_pope_random.json", label="maybe"), "line 1, has label 'maybe'"),
        (edited("coco_pope_random.json", text=...), "line 1, has no field text"),
        (lambda folder: (folder / "coco_pope_random.json").write_text("[]\n"), "not an object"),
        (lambda folder: (folder / "coco_pope_random.json").write_text(""), "is empty"),
        (lambda folder: (folder / "images" / "COCO_val2014_000000000000.jpg").write_text("no image"), "not an image"),
    ],
)
def test_what_is_wrong_with_popes_files(tmp_path: Path, change: Change, said: str) -> None:
    files = pope_files(tmp_path / "pope")
    change(tmp_path / "pope")
    with pytest.raises(SourceError, match=said):
        import_pope(tmp_path / "s", files, images=tmp_path / "pope" / "images")
    assert not list((tmp_path / "s").rglob("*.manifest.json"))


def test_popes_wrong_usage(tmp_path: Path) -> None:
    files = pope_files(tmp_path / "pope")
    with pytest.raises(UsageError, match="no folder of images"):
        import_pope(tmp_path / "s", files, images=tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no file"):
        import_pope(tmp_path / "s", [tmp_path / "no.json"], images=tmp_path)
    with pytest.raises(UsageError, match="Two files are called 'random'"):
        import_pope(tmp_path / "s", [files[0], files[0]], images=tmp_path / "pope" / "images")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited("answers_gpt4.jsonl", question_id=9), "no answer to question 3"),
        (edited("answers_gpt4.jsonl", question_id=0), "has question_id '0' twice"),
        (edited("context.jsonl", image="x.jpg"), "does not describe '001.jpg'"),
        (edited("questions.jsonl", category=...), "no field category"),
    ],
)
def test_what_is_wrong_with_llava_bench(tmp_path: Path, change: Change, said: str) -> None:
    folder = llava_folder(tmp_path / "bench")
    change(folder)
    with pytest.raises(SourceError, match=said):
        import_llava_bench(tmp_path / "s", folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited("items.jsonl", answer=None), "line 1, has no answer"),
        (edited("items.jsonl", item_id="random-2"), "as an earlier line does"),
        (edited("items.jsonl", image="images/x.jpg"), "line 1, has image"),
        (edited("items.jsonl", text="Is it?"), "content hash"),
        (edited("items.jsonl", extra=1), "not known"),
        (lambda folder: next((folder / "images").iterdir()).write_bytes(b"x"), "was changed"),
        (lambda folder: next((folder / "images").iterdir()).unlink(), "is missing"),
        (lambda folder: (folder / "items.jsonl").write_text(""), "holds no item"),
    ],
)
def test_damaged_item_sets_are_refused(tmp_path: Path, change: Change, said: str) -> None:
    files = pope_files(tmp_path / "pope")
    folder = import_pope(tmp_path / "s", files, images=tmp_path / "pope" / "images").folder
    change(folder)
    with pytest.raises(StudyError, match=said):
        itemsets.read(folder)
    with pytest.raises(UsageError, match="no item set"):
        itemsets.read(tmp_path)


def test_strangers_files_are_left_alone(tmp_path: Path) -> None:
    files = pope_files(tmp_path / "pope")
    (tmp_path / "s" / "itemsets" / "pope").mkdir(parents=True)
    (tmp_path / "s" / "itemsets" / "pope" / "mine.txt").write_text("x")
    with pytest.raises(StudyError, match="did not write"):
        import_pope(tmp_path / "s", files, images=tmp_path / "pope" / "images")
