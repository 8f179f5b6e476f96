"""Takes the pictures of the documentation from a real, finished study in a real browser.

    uv run python -m scripts.screenshots

Needs Debian's chromium. Writes docs/img/*.png, 1400 wide, and leaves nothing else behind.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from itemeval_assets import write_report
from itemeval_assets.core.design.study import Study
from tests.browser.demo import (
    as_mock_models,
    browser_page,
    finished_run,
    finished_study,
    hide_navigation,
    lineage_url,
    materialize,
    served_ui,
    start_schedule,
    web_server,
)
from tests.model_server import ModelServer

IMAGES = Path(__file__).parents[1] / "docs" / "img"
LARGEST_BYTES = 300_000
# A machine that does other things, too, takes its time.
PATIENCE_MS = 90_000


def main() -> None:
    """Make the study, serve it, and take every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory(prefix="lab") as folder:
        study = finished_study(Path(folder))
        materialize(study, "estimate")
        with web_server(study) as address, browser_page() as page:
            page.set_default_timeout(PATIENCE_MS)
            hide_navigation(page, address)
            lineage(page, address, study)
            checks(page, address, study)
            costs(page, address, study)
            estimate(page, address, study)
            results(page, address, study)
            report(page, study)
        with (
            ModelServer(reply=as_mock_models) as models,
            served_ui(study.config_path, LAB_BASE_URL=models.base_url, LAB_API_KEY="local") as (
                address,
                _,
            ),
            browser_page() as page,
        ):
            page.set_default_timeout(PATIENCE_MS)
            hide_navigation(page, address)
            schedule(page, address, study)


def lineage(page: Page, address: str, study: Study) -> None:
    """The asset graph of the study, in a window that holds all of it."""
    page.set_viewport_size({"width": 1400, "height": 1420})
    page.goto(lineage_url(address, study))
    expect(page.get_by_text("8 partitions")).to_have_count(3)
    expect(page.get_by_text("1 / 3 Passed")).to_be_visible()
    _save(page, "lineage")
    page.set_viewport_size({"width": 1400, "height": 900})


def checks(page: Page, address: str, study: Study) -> None:
    """no_errored_rows of solutions: failed in a named partition, passed in the others."""
    page.goto(f"{address}/assets/{study.name}/solutions?view=checks&checkDetail=no_errored_rows")
    page.get_by_text("Execution history").click()
    page.get_by_text("2 rows: item_id").wait_for()
    expect(page.get_by_text("Passed", exact=True)).to_have_count(3)
    _save(page, "checks")


def costs(page: Page, address: str, study: Study) -> None:
    """Where the money went: the metadata of the asset `costs`, with its pictures."""
    page.goto(f"{address}/assets/{study.name}/costs?view=events")
    page.get_by_text("[Show Markdown]").first.click()
    page.get_by_alt_text("usd per condition").wait_for()
    _save(page, "costs")


def estimate(page: Page, address: str, study: Study) -> None:
    """The estimate of what remains, as a table."""
    page.goto(f"{address}/assets/{study.name}/estimate?view=events")
    page.get_by_text("usd at most").first.wait_for()
    _save(page, "estimate")


def results(page: Page, address: str, study: Study) -> None:
    """Scores by item and condition: a picture of the asset `results`."""
    page.goto(f"{address}/assets/{study.name}/results?view=events")
    page.get_by_text("[Show Markdown]").nth(1).click()
    page.get_by_role("img").last.wait_for()
    _save(page, "results")


def report(page: Page, study: Study) -> None:
    """The top of the report: the study as one web page."""
    page.goto(Path(write_report(study)).as_uri())
    _save(page, "report")


def schedule(page: Page, address: str, study: Study) -> None:
    """The schedule of re-runs after its first tick, and the check that it turned green."""
    start_schedule(page, address, study)
    page.get_by_text("1 run requested").or_(page.get_by_text("2 runs requested")).first.wait_for(
        timeout=120_000
    )
    _save(page, "schedule")
    finished_run(study)
    page.goto(f"{address}/assets/{study.name}/solutions?view=checks&checkDetail=no_errored_rows")
    page.get_by_text("Succeeded").first.wait_for()
    _save(page, "rerun")


def _save(page: Page, name: str) -> None:
    page.mouse.move(700, 880)  # over nothing that lights up or explains itself
    page.wait_for_timeout(1500)  # for what fades in
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise SystemExit(f"{path} has {size} bytes, more than {LARGEST_BYTES}")
    print(f"{path.relative_to(Path.cwd())}: {size} bytes")


if __name__ == "__main__":
    main()
