"""The page of ratings in a real browser: rated, reloaded in the middle, saved, taken in, shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from itemeval_assets import api, figures
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.study_files import load_study
from tests.browser.demo import CHROMIUM, FLAGS
from tests.ratings.study import line_of, rated_study, sheets_of, truth

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"chromium is not installed at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def opened(browser: Browser, path: Path, **how: Any) -> tuple[Page, list[str]]:
    context = browser.new_context(offline=True, accept_downloads=True, **how)
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    return page, said


def test_twenty_ratings_come_home(browser: Browser, tmp_path: Path) -> None:
    study, path = rated_study(tmp_path, items=20), tmp_path / "anna.html"
    api.ratings_sheet(study, "anna", path, n=20)
    page, said = opened(browser, path, viewport={"width": 1000, "height": 900})
    rate(study, page, range(10))
    page.reload()
    assert "Answer 11 of 20, 10 rated." in page.locator("#told").inner_text()
    page.keyboard.press("PageUp")
    assert page.locator("#score").input_value() == asked(study, 9)
    page.locator("#score").fill("2")
    assert "Give a number from 0 to 1" in page.locator("#problem").inner_text()
    page.locator("#score").fill(asked(study, 9))
    page.locator("#comment").fill('=1+1, "quoted"\nand more')
    page.keyboard.press("PageDown")
    rate(study, page, range(10, 20))
    assert "20 rated. All are rated" in page.locator("#told").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save ratings").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert not said
    page.context.close()
    found = api.import_ratings(saved, study)
    assert (found.ratings, found.blank, found.is_new_rater) == (20, 0, True)
    rows = api.table(study.config_path, "gradings_long")
    rated = rows[rows["grade_kind"] == "human"]
    assert {row.item_id: row.score for row in rated.itertuples()} == {
        line.item_id: truth(line) for line in sheets_of(study)[0].lines
    }
    assert '=1+1, "quoted"\nand more' in set(rated["reasoning"].dropna())
    shown = figures.agreement(load_study(study.config_path))
    assert {one.figure for one in shown.people if one.estimate} >= {"kappa", "corrected mean"}


def asked(study: Study, place: int) -> str:
    return f"{truth(sheets_of(study)[0].lines[place]):g}"


def rate(study: Study, page: Page, places: range) -> None:
    """By keyboard and by mouse, in turns."""
    for place in places:
        if place % 2:
            page.keyboard.type(asked(study, place))
        else:
            page.locator("#buttons").get_by_text(asked(study, place), exact=True).click()
        page.keyboard.press("Enter")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_legible_on_a_phone(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    study, path = rated_study(tmp_path, items=3), tmp_path / "anna.html"
    api.ratings_sheet(study, "anna", path, scale=(0, 10))
    page, said = opened(browser, path, viewport={"width": 390, "height": 800}, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == ("rgb(0, 0, 0)" if theme == "light" else "rgb(255, 255, 255)")
    buttons = page.locator("#buttons button").all()
    assert len(buttons) == 11
    sizes = [button.bounding_box() for button in buttons]
    assert all(size and size["width"] >= 40 and size["height"] >= 40 for size in sizes)
    solution = page.locator("pre.solution").inner_text()
    assert line_of(study, sheets_of(study)[0].lines[0].code) and solution == "4"
    assert not said
    page.context.close()
