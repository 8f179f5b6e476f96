"""The report of a study in a real browser: on a phone and a desk, in light and dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

import itemeval_assets as ie
from tests.browser.demo import CHROMIUM, FLAGS
from tests.scored import scored_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"chromium is not installed at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    study = scored_study(
        tmp_path_factory.mktemp("lab"),
        lambda model, grader, n, epoch: round((3 * n + len(model) + len(grader)) % 7 / 7, 3),
        items=12,
        models=("mockllm/alpha", "mockllm/a_model_with_a_very_long_name_that_breaks_nowhere"),
    )
    return Path(ie.write_report(study)).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_is_legible(
    browser: Browser, report: str, width: int, theme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report)
    assert not said
    # Tables and pictures scroll by themselves: the page is as wide as the screen.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # A phone shows no scroll bar: what goes on behind an edge has a shadow there.
    wide = page.locator("figure, .table").filter(has=page.locator("img, table")).all()
    if width < 500:
        assert any(one.evaluate("box => box.scrollWidth > box.clientWidth") for one in wide)
    assert all(
        "local" in one.evaluate("box => getComputedStyle(box).backgroundAttachment")
        for one in [page.locator("nav"), *wide]
    )
    # What scrolls below the navigation does not shine through.
    behind = page.locator("nav").evaluate("box => getComputedStyle(box).backgroundColor")
    assert behind.startswith("rgb("), behind
    ground, ink = (
        page.evaluate(f"getComputedStyle(document.body).{name}")
        for name in ("backgroundColor", "color")
    )
    assert ink == ("rgb(0, 0, 0)" if theme == "light" else "rgb(255, 255, 255)"), ground
    page.get_by_role("link", name="Hardest items").click()
    first = page.locator("details").first
    first.locator("summary").click()
    assert first.locator("td").first.is_visible()
    assert all(
        image.evaluate("picture => picture.naturalWidth") > 200
        for image in page.locator("img").all()
    )
    page.close()


def test_nothing_is_painted_over_the_navigation(browser: Browser, report: str) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(report)
    # A caption stands where the navigation is.
    page.evaluate("""() => {
        const caption = document.querySelector("figcaption");
        window.scrollBy(0, caption.getBoundingClientRect().top - 5);
    }""")
    on_top = """() => {
        const caption = document.querySelector("figcaption").getBoundingClientRect();
        const seen = document.elementFromPoint(caption.left + 20, caption.top + 10);
        return seen.closest("nav") !== null;
    }"""
    page.wait_for_function(on_top)
    page.close()
