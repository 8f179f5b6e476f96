"""inspect's viewer on the logs of a study, in a real browser: it shows the verdicts as scores."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from itemeval_assets import api
from tests.browser.demo import CHROMIUM, FLAGS
from tests.commands import Command, wait_until
from tests.studies import write_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"chromium is not installed at {CHROMIUM}"),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    config = write_study(tmp_path, graders=["mockllm/judge"], items=4, replications=2)
    api.run(config)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    viewer = Command("view", config, "--port", str(port))
    wait_until(lambda: _is_open(port))
    yield f"http://127.0.0.1:{port}/"
    viewer.kill()
    viewer.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_samples_have_a_column_for_each_grader(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(address)
        page.get_by_text("a_short_default", exact=True).first.click()
        for grader in ("numeric", "judge · strict"):
            expect(page.get_by_text(grader, exact=True).first).to_be_visible(timeout=30_000)
        expect(page.get_by_text("8 rows")).to_be_visible(timeout=30_000)
        browser.close()
