"""The site of the documentation, as `make docs` builds it, in a real browser: no page is too wide,
none complains, none asks anybody else for anything, and each link leads somewhere.
"""

import functools
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from scripts.site import lay_pages
from tests.browser.demo import CHROMIUM, browser_page
from tests.faults.study_runs import IS_LONG

ROOT = Path(__file__).parents[2]
MKDOCS = ROOT / ".docs" / "bin" / "mkdocs"
# Windows, the theme that their readers prefer, and what the page makes of it.
READERS: list[tuple[int, Literal["light", "dark"], str]] = [
    (390, "dark", "slate"),
    (1400, "light", "default"),
]
# In short each page is seen on a phone, where pages are too wide first, and each fourth on a desk.
ON_A_DESK = 1 if IS_LONG else 4
# Tags that Markdown makes.
TEXT = {"h1", "h2", "h3", "p", "br", "hr", "a", "img", "em", "strong", "code", "pre", "ul", "ol"}
TEXT |= {"li", "table", "thead", "tbody", "tr", "th", "td", "blockquote", "span", "div"}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not MKDOCS.exists(), reason="the site has no MkDocs yet: make docs"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built anew."""
    pages, folder = (tmp_path_factory.mktemp(name) for name in ("pages", "site"))
    lay_pages(pages)
    command = [MKDOCS, "build", "--strict", "--site-dir", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "SITE_PAGES": str(pages)}
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder


class Links(HTMLParser):
    """The links of a page, the places that it has, and its tags."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = {""}
        self.tags: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.targets.add(value)
            elif name == "id" and value:
                self.places.add(value)


def pages_of(site: Path) -> list[Path]:
    return sorted(page for page in site.rglob("*.html") if page.name != "404.html")


def test_each_link_leads_to_a_file_and_a_place_in_it(site: Path) -> None:
    found = {page: Links(page) for page in pages_of(site)}
    assert len(found) > 25
    for page, links in found.items():
        for target in links.targets:
            parts = urlsplit(target)
            if not parts.scheme:
                file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
                file = file / "index.html" if file.is_dir() else file
                assert file.is_file(), (page.name, target)
                if parts.fragment and file in found:
                    assert unquote(parts.fragment) in found[file].places, (page.name, target)


def test_a_placeholder_is_no_tag(site: Path) -> None:
    """As `<name>` would be, which no reader then sees."""
    frame = Links(site / "404.html").tags
    for page in pages_of(site):
        assert Links(page).tags - frame - TEXT == set(), page.name


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    if not CHROMIUM.exists():
        pytest.skip(f"chromium is not installed at {CHROMIUM}")
    with browser_page() as page:
        page.set_default_timeout(20_000)
        yield page


def test_each_page_fits_a_phone_and_a_desk_in_its_theme(
    site: Path, address: str, page: Page
) -> None:
    # The index of all pages takes the browser longer than the page.
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    nothing = {**index, "docs": []}
    wrong = _complaints(page, address)
    page.route("**/search_index.json", lambda route: route.fulfill(json=nothing))
    for number, file in enumerate(pages_of(site)):
        page.goto(f"{address}/{file.relative_to(site).as_posix()}")
        for width, preferred, theme in READERS[: 1 if number % ON_A_DESK else 2]:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=preferred)
            page.wait_for_function(f"document.body.dataset.mdColorScheme === '{theme}'")
            if _is_too_wide(page):
                wrong.append(f"{file.name}: wider than a window of {width}")
    page.unroute_all()
    assert wrong == []


def test_the_search_finds_a_page(address: str, page: Page) -> None:
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(f"{address}/index.html?q=krippendorff")
    expect(page.locator(".md-search-result__link").first).to_be_visible(timeout=60_000)


def _is_too_wide(page: Page) -> bool:
    """Once what moves when a window changes has come to rest."""
    try:
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=5000)
    except TimeoutError:
        return True
    return False


def _complaints(page: Page, address: str) -> list[str]:
    """What pages say of errors from now on, and whom else they ask."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda said: found.append(f"{page.url}: {said.text}") if said.type == "error" else None,
    )
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(address) else found.append(asked.url),
    )
    return found
