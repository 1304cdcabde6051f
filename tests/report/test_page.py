"""The page in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Request, sync_playwright

from snellen.report import report
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
    from snellen.world.scenes import draw_scenes

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
