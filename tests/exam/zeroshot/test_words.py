"""Class names and templates: what is read, and what is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snellen.errors import SnellenError, StudyError, UsageError
from snellen.exam.zeroshot.classes import read_classes
from snellen.exam.zeroshot.templates import filled, read_templates


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FORMS: dict[str, str | bytes] = {
    "c.json": json.dumps({"n1": "tench", "n2": ["great white shark", "shark"]}),
    "c.jsonl": '{"label": "n1", "names": "tench"}\n{"label": "n2", "names": ["great white shark", "shark"]}\n',
    "c.tsv": "n1\ttench\nn2\tgreat white shark\tshark\n",
    "d.tsv": "n1\ttench\r\nn2\tgreat white shark\tshark",
    "e.TSV": b"\xef\xbb\xbfn1\ttench\nn2\tgreat white shark\tshark\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_three_formats_say_the_same(tmp_path: Path, name: str) -> None:
    found = read_classes(write(tmp_path / name, FORMS[name]), {"n2"})
    assert found.labels == ("n1", "n2")
    assert found.names == (("tench",), ("great white shark", "shark"))
    assert found.sha256 == read_classes(write(tmp_path / "x.json", FORMS["c.json"]), {"n1"}).sha256


def test_labels_are_their_own_names_only_when_asked() -> None:
    found = read_classes("labels", {"t-shirt", "long_sleeve"})
    assert found.labels == ("long_sleeve", "t-shirt")
    assert found.names == (("long sleeve",), ("t-shirt",))
    with pytest.raises(UsageError, match="labels, imagenet, or the path"):
        read_classes("", {"a", "b"})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("c.json", "[]", "empty"),
        ("c.json", "{}", "empty"),
        ("c.json", "", "not JSON"),
        ("c.json", "[" * 100_000, "not JSON"),
        ("c.json", '["a", "b"]', "not a JSON object"),
        ("c.json", '{"a": "x", "a": "y"}', "twice"),
        ("c.json", '{"a": "x", "b": 3}', "not a list of texts"),
        ("c.json", '{"a": "x", "b": []}', "is empty"),
        ("c.json", '{"a": "x", "b": " "}', "blank"),
        ("c.json", '{"a": "x", "b": ["y", "y"]}', "twice"),
        ("c.json", '{"a": "x", "b": {"c": "d"}}', "at 'b'"),
        ("c.json", '{"a": "x", "b": "\\ud800"}', "surrogate"),
        ("c.json", b'{"a": "\xff"}', "not JSON"),
        ("c.jsonl", '{"label": "a"}\n', "no field names"),
        ("c.jsonl", '{"label": "a", "names": "x", "note": 1}\n', "not known"),
        ("c.jsonl", '{"label": 3, "names": "x"}\n', "line 1"),
        ("c.jsonl", '{"label": "a", "names": []}\n', "is empty"),
        ("c.jsonl", '{"label": "a", "names": "x"}\n\n', "line 2"),
        ("c.tsv", "a\tx\nb\n", "line 2 without a tab"),
        ("c.tsv", "a\tx\n\nb\ty\n", "line 2"),
        ("c.tsv", "a\tx\nb\t\n", "blank"),
        ("c.tsv", "\tx\nb\ty\n", "label in line 1"),
        ("c.tsv", b"a\t\xff\n", "not UTF-8"),
        ("c.tsv", "", "empty"),
        ("c.csv", "a,x\n", "no file of classes"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(SnellenError) as caught:
        read_classes(write(tmp_path / name, content), {"a"})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_without_a_class_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "c.tsv", "a\tx\nb\ty\n")
    with pytest.raises(UsageError, match=r"^2 labels of the images are not among the 2 classes \('\\x1bd', 'c'\)"):
        read_classes(path, {"a", "\x1bd", "c"})


def test_one_class_is_no_choice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only one class"):
        read_classes("labels", {"a"})
    with pytest.raises(UsageError, match="no name"):
        read_classes("labels", {"a", "__"})


# -- ImageNet -------------------------------------------------------------------------------------------------------


def test_imagenet_knows_wordnet_ids_and_indices() -> None:
    by_id = read_classes("imagenet", {"n01440764", "n04254680", "n15075141"})
    by_index = read_classes("imagenet", {"0", "805", "999"})
    assert len(by_id.labels) == len(by_index.labels) == 1000
    assert by_id.names == by_index.names
    assert by_id.labels == tuple(sorted(by_id.labels))
    # ImageNet's own synsets: n01440764 tench, n04254680 soccer ball, n15075141 toilet tissue.
    for label, index, name in (("n01440764", 0, "tench"), ("n04254680", 805, "soccer"), ("n15075141", 999, "toilet")):
        assert by_id.labels[index] == label
        assert name in by_id.names[index][0]


@pytest.mark.parametrize("labels", [{"tench"}, {"1000"}, {"n01440764", "0"}, {"n01440764", "n00000001"}, {"01"}])
def test_other_labels_are_not_guessed_to_be_imagenet(labels: set[str]) -> None:
    with pytest.raises(UsageError, match="WordNet ids"):
        read_classes("imagenet", labels)


# -- templates ------------------------------------------------------------------------------------------------------


def test_ready_templates_say_what_open_clip_says() -> None:
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES

    for name, theirs, count in (
        ("openai-80", OPENAI_IMAGENET_TEMPLATES, 80),
        ("openai-7", SIMPLE_IMAGENET_TEMPLATES, 7),
    ):
        ours = read_templates(name)
        assert len(ours.lines) == count
        for word in ("tench", "great white shark"):
            assert [filled(line, word) for line in ours.lines] == [theirs(word) for theirs in theirs]
    assert read_templates("plain").lines == ("a photo of a {}.",)


def test_names_are_put_in_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "t.txt", "a {} in {place}, {0}\r\n{} {}\n")
    found = read_templates(path)
    assert found.name == "file"
    assert [filled(line, "{} {0.__class__}") for line in found.lines] == [
        "a {} {0.__class__} in {place}, {0}",
        "{} {0.__class__} {} {0.__class__}",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("a photo\n", "line 1, has no {}"),
        ("a {}\n\n", "line 2, has no {}"),
        ("a {}\nb {}\na {}\n", "line 3, says what line 1 says"),
        (b"a {}\xff\n", "not UTF-8"),
    ],
)
def test_wrong_templates_are_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(StudyError) as caught:
        read_templates(write(tmp_path / "t.txt", content))
    assert said in str(caught.value)


def test_unknown_templates_name_the_ready_ones() -> None:
    with pytest.raises(UsageError, match=r"openai-80, openai-7, plain .*openai-80\?"):
        read_templates("openai-8")
