"""The page in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Request, sync_playwright

from snellen.report import report
from tests.report.exam_study import add_run, with_benchmark
from tests.report.test_report import HOSTILE, study_of

pytestmark = pytest.mark.browser


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of headless Chromium that fails the test on any script error, refused resource or dialog."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "the browser tests need Chromium: apt-get install chromium"
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking", "--no-first-run"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))

        def dialog(dialog: Dialog) -> None:
            troubles.append(dialog.message)
            dialog.dismiss()

        def request(request: Request) -> None:
            if not request.url.startswith(("file:", "data:")):
                troubles.append(request.url)

        page.on("dialog", dialog)
        page.on("request", request)
        yield page
        browser.close()
    assert troubles == []


def numbers(page: Page, key: str) -> list[float]:
    values = page.eval_on_selector_all("li.pair", f"items => items.map(item => Number(item.dataset.{key}))")
    return [float(value) for value in values]


def test_pairs_can_be_sorted(tmp_path: Path, page: Page) -> None:
    page.goto(report(study_of(tmp_path, 30)).as_uri())
    assert len(numbers(page, "gap")) > 3
    assert numbers(page, "gap") == sorted(numbers(page, "gap"), reverse=True)
    page.select_option("#sort", "blind:-1")
    assert numbers(page, "blind") == sorted(numbers(page, "blind"), reverse=True)
    page.select_option("#sort", "reference:1")
    assert numbers(page, "reference") == sorted(numbers(page, "reference"))
    page.select_option("#sort", "name:1")
    names = page.eval_on_selector_all("li.pair", "items => items.map(item => item.dataset.name)")
    assert names == sorted(names)


def test_both_pictures_stand_side_by_side_and_are_drawn(tmp_path: Path, page: Page) -> None:
    page.goto(report(study_of(tmp_path, 12)).as_uri())
    page.locator("li.pair").last.scroll_into_view_if_needed()
    left, right = page.locator("li.pair").first.locator("img").all()
    for image in (left, right):
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 128
    boxes = left.bounding_box(), right.bounding_box()
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]


def test_hostile_names_do_nothing(tmp_path: Path, page: Page) -> None:
    from tests.scenes import draw_scenes

    draw_scenes(tmp_path / "scenes", 6)
    for index, path in enumerate(sorted((tmp_path / "scenes").iterdir())):
        path.rename(path.with_name(HOSTILE.replace("/", "").replace("猫", f"猫{index}")))
    page.goto(report(study_of(tmp_path)).as_uri())
    assert page.locator("script").count() == 1
    assert page.locator("li.pair figcaption bdi").first.inner_text().startswith("<script>alert(1)<script>")


def test_nothing_overflows_a_narrow_screen(tmp_path: Path, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(report(study_of(tmp_path, 12)).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_hostile_question_does_nothing(tmp_path: Path, page: Page) -> None:
    study = with_benchmark(
        tmp_path, question=HOSTILE, options=(f"one {HOSTILE}", f"other {HOSTILE}"), patterns=(HOSTILE,)
    )
    add_run(study, HOSTILE, {})
    page.goto(report(study).as_uri())
    assert page.locator("script").count() == 1
    assert page.locator("li.pair .asked img, li.pair .asked script, #exam img, #exam script").count() == 0
    assert page.locator("li.pair .asked bdi").first.inner_text().startswith("<script>alert(1)</script>")
    assert "{{ 7 * 7 }}" in page.locator("#exam tbody td bdi").first.inner_text()


def test_patterns_unfold_and_intervals_lie_where_they_say(tmp_path: Path, page: Page) -> None:
    study = with_benchmark(tmp_path)
    add_run(study, "one", {})
    page.goto(report(study).as_uri())
    folded = page.locator("#exam details table")
    assert not folded.is_visible()
    page.locator("#exam summary").click()
    assert folded.is_visible()
    whisker = page.locator("#exam .whisker").first
    scale, reach, chance, dot = (
        whisker.locator(name).bounding_box() for name in (".scale", ".reach", ".chance", "circle")
    )
    assert scale and reach and chance and dot
    assert chance["x"] - scale["x"] == pytest.approx(scale["width"] / 4, abs=1)
    assert dot["x"] + dot["width"] / 2 == pytest.approx(scale["x"] + scale["width"], abs=1)  # all right
    assert reach["x"] + reach["width"] == pytest.approx(scale["x"] + scale["width"], abs=1)


def test_both_accuracies_are_seen_on_a_telephone(tmp_path: Path, page: Page) -> None:
    study = with_benchmark(tmp_path)
    add_run(study, "world/clip-fed", {})
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(report(study).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for column in (1, 2):
        box = page.locator("#exam tbody tr:not(.group)").first.locator("td").nth(column).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 400
