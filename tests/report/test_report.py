from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snellen.embedding import embed
from snellen.errors import StudyError, UsageError
from snellen.mining import mine
from snellen.report import report
from snellen.report.pictures import readable
from tests.scenes import draw_scenes

BLIND, REFERENCE = "control/colour-histogram", "control/gradient-grid"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\n{{ 7 * 7 }}\u202e猫.png"


class Outline(HTMLParser):
    """What a browser would find: tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def study_of(folder: Path, count: int = 12, **options: object) -> Path:
    if not (folder / "scenes").exists():
        draw_scenes(folder / "scenes", count)
    for encoder in (BLIND, REFERENCE):
        embed(folder / "s", images=folder / "scenes", encoder=encoder, device="cpu")
    mine(folder / "s", blind=BLIND, reference=REFERENCE, **options)  # type: ignore[arg-type]
    return folder / "s"


def outline(study: Path) -> Outline:
    return Outline((study / "report.html").read_text("utf-8"))


def test_every_pair_is_shown_with_both_pictures_and_numbers_largest_gap_first(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    report(study)
    page = outline(study)
    import pyarrow.parquet as pq

    pairs = pq.read_table(study / "pairs.parquet").to_pylist()
    pairs.sort(key=lambda pair: (pair["reference_cosine"] - pair["blind_cosine"], pair["pair_id"]))
    cards = [attributes for attributes in page.all("li") if attributes.get("class") == "pair"]
    assert [card["id"] for card in cards] == [f"pair-{pair['pair_id']}" for pair in pairs]
    assert len([image for image in page.all("img") if "figure" not in str(image.get("class"))]) == 2 * len(pairs)
    for card, pair in zip(cards, pairs, strict=True):
        assert float(str(card["data-blind"])) == pair["blind_cosine"]
        assert float(str(card["data-reference"])) == pair["reference_cosine"]
    counts = json.loads((study / "mining.json").read_text())["counts"]
    for n in counts.values():
        assert f"{n:,}" in page.text


def test_the_page_is_self_contained_and_allows_only_its_own_script(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    report(study)
    page = outline(study)
    assert all(str(image["src"]).startswith("data:image/") for image in page.all("img"))
    assert not page.all("link")
    assert not page.all("iframe")
    policies = [meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert "default-src 'none'" in str(policies[0]["content"])
    assert "unsafe" not in str(policies[0]["content"])


def test_hostile_names_and_labels_are_text(tmp_path: Path) -> None:
    draw_scenes(tmp_path / "drawn", 6)
    scenes = tmp_path / "scenes" / "<b onmouseover=alert(3)>label"
    scenes.mkdir(parents=True)
    for index, path in enumerate(sorted((tmp_path / "drawn").iterdir())):
        path.rename(scenes / HOSTILE.replace("/", "").replace("猫", f"猫{index}"))
    study = study_of(tmp_path)
    report(study)
    page = outline(study)
    assert len(page.all("script")) == 1
    assert not page.all("b") or all("onmouseover" not in attributes for attributes in page.all("b"))
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)<script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "\u202e" not in page.text
    assert "<b onmouseover=alert(3)>label" in page.text


def test_with_no_pair_the_page_shows_misses_and_thresholds_that_work(tmp_path: Path) -> None:
    study = study_of(tmp_path, blind_min=0.9999999, reference_max=-0.9)
    report(study)
    page = outline(study)
    assert "No blind pair" in page.text
    cards = [attributes for attributes in page.all("li") if attributes.get("class") == "pair"]
    assert len(cards) == 50
    assert page.text.count("does not pass") == 50
    misses = [float(str(card["data-miss"])) for card in cards]
    assert misses == sorted(misses)
    mining = json.loads((study / "mining.json").read_text())
    tried = re.findall(r"--blind-min (\S+) --reference-max (\S+)", page.text)
    assert len(tried) == len(mining["suggestions"]) > 0
    for (blind_min, reference_max), suggestion in zip(tried, mining["suggestions"], strict=True):
        found = mine(study, blind=BLIND, reference=REFERENCE, blind_min=blind_min, reference_max=reference_max)
        assert found.counts["below_reference_max"] == suggestion["n_pairs"]


def test_what_is_not_shown_is_said(tmp_path: Path) -> None:
    study = study_of(tmp_path, 30)
    report(study, max_shown=3)
    page = outline(study)
    total = json.loads((study / "mining.json").read_text())["counts"]["written"]
    assert len([item for item in page.all("li") if item.get("class") == "pair"]) == 3
    assert re.search(rf"The 3 pairs with the largest gap, of\s+{total}", page.text)


def test_pictures_that_changed_or_went_are_said_to(tmp_path: Path) -> None:
    study = study_of(tmp_path, 6)
    scenes = sorted((tmp_path / "scenes").iterdir())
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(scenes[0])
    scenes[1].unlink()
    report(study)
    page = outline(study)
    assert "changed since it was embedded" in page.text
    assert "no longer in the source" in page.text
    (tmp_path / "scenes").rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="--images"):
        report(study)
    report(study, images=tmp_path / "moved")


def test_equal_studies_give_equal_pages(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        report(study_of(tmp_path / name))
        pages.append((tmp_path / name / "s" / "report.html").read_bytes())
    assert pages[0] == pages[1]


@pytest.mark.parametrize("name", ["pairs.parquet", "mining.json", "images.parquet"])
def test_a_page_is_never_made_of_another_studys_files(tmp_path: Path, name: str) -> None:
    study = study_of(tmp_path / "one")
    other = study_of(tmp_path / "two", 15)
    (study / name).write_bytes((other / name).read_bytes())
    with pytest.raises(StudyError, match=f"{name} was changed"):
        report(study)


def test_the_manifest_names_all_that_the_page_is_made_of(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    report(study)
    inputs = json.loads((study / "report.html.manifest.json").read_text())["inputs"]
    assert inputs == {
        name: hashlib.sha256((study / name).read_bytes()).hexdigest()
        for name in ("images.parquet", "pairs.parquet", "mining.json")
    }


def test_before_mining_there_is_nothing_to_report(tmp_path: Path) -> None:
    draw_scenes(tmp_path / "scenes", 3)
    embed(tmp_path / "s", images=tmp_path / "scenes", encoder=BLIND, device="cpu")
    with pytest.raises(StudyError, match="snellen mine"):
        report(tmp_path / "s")


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("a%20b/c.jpg", "a b/c.jpg"),
        ("%E7%8C%AB%0A.jpg", "猫%0A.jpg"),
        ("%E2%80%AEgpj.exe", "%E2%80%AEgpj.exe"),
        ("%FF.jpg", "%FF.jpg"),
    ],
)
def test_names_are_readable_and_nothing_invisible_gets_through(uri: str, text: str) -> None:
    assert readable(uri) == text
