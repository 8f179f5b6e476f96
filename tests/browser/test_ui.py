"""What people see of a study in Dagster's web UI, in a real browser on a real server."""

import time
from collections.abc import Iterator

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.settings import nearest_dagster_home
from tests.browser.demo import (
    CHROMIUM,
    browser_page,
    finished_study,
    hide_navigation,
    lineage_url,
    web_server,
)
from tests.model_server import ModelServer
from tests.studies import write_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.shown,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"chromium is not installed at {CHROMIUM}"),
]
MARGIN_PX = 24  # of the page: what lies beyond is cut
POLLS = 240  # a run from the UI starts a process of its own and imports everything first


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("XDG_DATA_HOME", str(home))
        patch.setenv("INSPECT_CACHE_DIR", str(home))
        yield finished_study(tmp_path_factory.mktemp("lab"), items=8)


MODELS = (
    *("gpt-5-mini", "claude-haiku-4-5", "gemini-2.5-flash-lite", "command-mmmm-wwww"),
    *("meta/Llama-3.3-70B-Instruct", "meta/Llama-3.3-70B-Instruct-Turbo"),
)


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that never ran, with long names of models and conditions."""
    config = write_study(
        tmp_path_factory.mktemp("long_names"),
        study="long_names",
        models=[f"mockllm/{model}" for model in MODELS],
        prompts=["builtin:minimal", "builtin:standard"],
        graders=["mockllm/claude-sonnet-4-5-20250929"],
        extra={"facets": {"model_config": [{"name": "default"}, {"name": "cool", "top_p": 0.5}]}},
    )
    return load_study(config)


@pytest.fixture(scope="module")
def address(study: Study, long_names: Study) -> Iterator[str]:
    """The UI of the studies; by now the models answer every request."""
    with ModelServer() as models, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_BASE_URL", models.base_url)
        patch.setenv("LAB_API_KEY", "local")
        with web_server(study, long_names) as address:
            yield address


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    with browser_page() as page:
        page.set_default_timeout(20_000)
        hide_navigation(page, address)
        yield page


def shows(page: Page, text: str, count: int = 1) -> None:
    """Wait until this text stands so often on the page."""
    expect(page.get_by_text(text, exact=True)).to_have_count(count, timeout=20_000)


@pytest.mark.long
def test_the_list_of_runs_says_what_each_is_about(page, address, study) -> None:
    page.goto(f"{address}/runs")
    shows(page, "stage: generate")
    shows(page, "condition: 4 of 4", 2)
    shows(page, "grader: 2 of 2")
    expect(page.get_by_text("cost: $0.00")).to_have_count(2)
    expect(page.get_by_text("itemeval_assets/")).to_have_count(0)
    expect(page.get_by_text("itemeval_assets_")).to_have_count(0)


def test_the_lineage_shows_every_asset_and_the_state_of_its_checks(page, address, study) -> None:
    page.goto(lineage_url(address, study))
    for asset in ("items", "solutions", "gradings", "gradings_long", "ledger", "report", "export"):
        shows(page, asset)
    shows(page, "8 partitions", 3)
    shows(page, "1 / 3 Passed")  # of solutions: only keys_unique


def test_the_grid_cuts_no_partition_key(page, address, long_names) -> None:
    """In a small window, with the navigation open, as one finds it."""
    fresh = page.context.browser.new_page(viewport={"width": 1400, "height": 900})
    fresh.goto(f"{address}/assets/{long_names.name}/gradings?view=partitions")
    expect(fresh.get_by_text("Hide navigation")).to_be_visible(timeout=20_000)
    keys = PartitionKeys(long_names)
    # Beside each there is the whole text again, hidden, by which Dagster measures.
    for key in (*keys.generate.values(), *keys.grade.values()):
        expect(fresh.locator(f"span:text-is('{key}')")).to_have_count(1, timeout=20_000)
    fresh.close()


def test_the_grid_of_gradings_opens_one_partition(page, address, study) -> None:
    pair = PartitionKeys(study).of(study.grade_partitions()[1])
    grid = f"{address}/assets/{study.name}/gradings?view=partitions"
    page.goto(f"{grid}&partition={pair}")
    shows(page, "Materialized (8)")
    for label in ("mean score", "errored rows", "usd of this run", "path", "logs", "manifest"):
        shows(page, label)


def test_a_check_names_the_partition_that_fails(page, address, study) -> None:
    page.goto(f"{address}/assets/{study.name}/solutions?view=checks&checkDetail=no_errored_rows")
    failed = PartitionKeys(study).of(study.generate_partitions()[-1])
    shows(page, "Fails in 1 of 4 partitions; rows in each:")
    shows(page, f"{failed}: 2")
    page.get_by_text("Execution history").click()
    shows(page, "2 rows: item_id q3, epoch 1; item_id q7, epoch 1")
    shows(page, "Passed", 3)
    page.get_by_role("tab", name="Partitions").last.click()
    shows(page, "Failed (1)")
    shows(page, "Passed (3)")


def test_a_partition_materialized_from_the_ui_fills_its_failed_cells(page, address, study) -> None:
    failed = PartitionKeys(study).of(study.generate_partitions()[-1])
    page.goto(f"{address}/assets/{study.name}/solutions?view=partitions&partition={failed}")
    shows(page, "rows of this run")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("button", name="Confirm").click()  # the ledger is written with them
    page.get_by_role("button", name="Launch 1 run").click()
    assert last_run_ends_as(study) == dg.DagsterRunStatus.SUCCESS
    page.reload()
    row = page.get_by_role("row").filter(has_text="rows of this run")
    expect(row).to_contain_text("2")
    page.goto(f"{address}/assets/{study.name}/solutions?view=checks&checkDetail=no_errored_rows")
    shows(page, "Succeeded", 3)
    shows(page, failed)


def test_the_pictures_of_costs_and_results_open(page, address, study) -> None:
    for asset, picture in (("costs", "usd per condition"), ("results", "score by item")):
        page.goto(f"{address}/assets/{study.name}/{asset}?view=events")
        row = page.get_by_role("row").filter(has_text=picture)
        row.get_by_text("[Show Markdown]").click()
        image = page.get_by_role("dialog").get_by_role("img").last
        expect(image).to_be_visible(timeout=20_000)
        width = image.evaluate("picture => picture.naturalWidth")
        assert width > 300
        page.keyboard.press("Escape")


# Those with the most columns, and all in the long form: each page takes the browser a second.
WIDE = ("comparisons", "costs")
OTHERS = ("scores", "results", "reliability", "item_statistics")


@pytest.mark.parametrize(
    "asset", [*WIDE, *(pytest.param(asset, marks=pytest.mark.long) for asset in OTHERS)]
)
def test_no_table_of_results_is_cut(page, address, study, asset: str) -> None:
    """In a window of 1,400 pixels with the navigation open, as one finds it."""
    fresh = page.context.browser.new_page(viewport={"width": 1400, "height": 900})
    fresh.goto(f"{address}/assets/{study.name}/{asset}?view=events")
    expect(fresh.get_by_text("Show schema").first).to_be_visible(timeout=20_000)
    ends = fresh.locator("table").evaluate_all(
        "tables => tables.map(table => table.getBoundingClientRect().right)"
    )
    assert max(ends) <= 1400 - MARGIN_PX
    fresh.close()


def test_the_evidence_of_a_number_is_one_click_away(page, address, study) -> None:
    pair = PartitionKeys(study).of(study.grade_partitions()[1])
    grid = f"{address}/assets/{study.name}/gradings_long?view=partitions"
    page.goto(f"{grid}&partition={pair}")
    for label in ("solutions partition", "prompt", "rubric", "dataset revision", "run that graded"):
        shows(page, label)
    expect(page.get_by_text("view logs of gradings")).to_be_visible(timeout=20_000)


def last_run_ends_as(study: Study) -> dg.DagsterRunStatus:
    with dg.DagsterInstance.from_config(str(nearest_dagster_home(study.config_dir))) as instance:
        for _ in range(POLLS):
            [run] = instance.get_runs(limit=1)
            if run.is_finished and run.tags.get("dagster/partition"):
                return run.status
            time.sleep(0.5)
    raise AssertionError("the run launched from the UI does not end")
