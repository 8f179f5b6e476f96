"""A schedule that ticks for real: `itemeval-assets ui` with its daemon, started in the browser."""

import json
import urllib.request

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.settings import nearest_dagster_home
from tests.browser.demo import (
    CHROMIUM,
    browser_page,
    finished_run,
    finished_study,
    hide_navigation,
    lineage_url,
    served_ui,
    start_schedule,
)
from tests.model_server import ModelServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"chromium is not installed at {CHROMIUM}"),
]


@pytest.fixture
def study(tmp_path, sealed_environment) -> Study:
    return finished_study(tmp_path, items=8)


@pytest.mark.long
def test_a_tick_of_the_started_schedule_turns_the_check_green(study: Study) -> None:
    # By now the models answer every request.
    with (
        ModelServer() as models,
        served_ui(study.config_path, LAB_BASE_URL=models.base_url, LAB_API_KEY="local") as (
            address,
            _,
        ),
        browser_page() as page,
    ):
        page.set_default_timeout(30_000)
        hide_navigation(page, address)
        start_schedule(page, address, study)
        run = finished_run(study)
        assert run.status == dg.DagsterRunStatus.SUCCESS
        # The two that were refused, and no other.
        assert [request.model for request in models.requests][:2] == ["orion-1"] * 2
        assert models.count("orion-1") == 2 and models.count("nova-1") == 0
        shows_success(page, address, study)
        # This judge over everything, as a script asks for it.
        called, judge = models.count(), study.design.grade[-1]
        backfill = launch_backfill(address, study, judge.id)
        run = finished_run(study, {"dagster/backfill": backfill})
        assert run.status == dg.DagsterRunStatus.SUCCESS
        # What the re-run answered was not graded yet; all other cells were.
        assert models.count() - called <= 2


@pytest.mark.long
def test_a_study_that_is_started_in_its_yaml_runs_without_a_click(study: Study) -> None:
    """The address of its page is printed; nobody opens it."""
    text = study.config_path.read_text()
    study.config_path.write_text(text.replace("automation:\n", "automation:\n  started: true\n"))
    with (
        ModelServer() as models,
        served_ui(study.config_path, LAB_BASE_URL=models.base_url, LAB_API_KEY="local") as (
            address,
            _,
        ),
    ):
        run = finished_run(study)
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert models.count("orion-1") == 2 and models.count("nova-1") == 0
        said = (nearest_dagster_home(study.config_dir) / "webserver.log").read_text()
        assert f"Its page: {lineage_url(address, study)}" in said


def launch_backfill(address: str, study: Study, grade: str) -> str:
    """Launch a backfill of gradings by one grade condition over GraphQL; its id."""
    mutation = """
      mutation ($params: LaunchBackfillParams!) {
        launchPartitionBackfill(backfillParams: $params) {
          __typename
          ... on LaunchBackfillSuccess { backfillId }
          ... on PythonError { message }
        }
      }"""
    assets = ("gradings", "grading_ledger", "gradings_long")
    keys = PartitionKeys(study)
    params = {
        "assetSelection": [{"path": [study.name, asset]} for asset in assets],
        "partitionNames": [f"{key}|{keys.grade[grade]}" for key in keys.generate.values()],
        "tags": [{"key": "itemeval_assets/consent_usd", "value": "1.0"}],
    }
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": mutation, "variables": {"params": params}}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        answer = json.load(reply)["data"]["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    return answer["backfillId"]


def shows_success(page: Page, address: str, study: Study) -> None:
    page.goto(f"{address}/assets/{study.name}/solutions?view=checks&checkDetail=no_errored_rows")
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=20_000)
