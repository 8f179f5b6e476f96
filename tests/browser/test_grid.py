"""Dagster's grid shows partition keys whole: in a small window, with the navigation open."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import make_home
from itemeval_assets.settings import nearest_dagster_home
from tests.browser.demo import CHROMIUM, browser_page, web_server
from tests.studies import write_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"chromium is not installed at {CHROMIUM}"),
]
MODELS = (
    *("gpt-5-mini", "claude-haiku-4-5", "gemini-2.5-flash-lite", "command-mmmm-wwww"),
    *("meta/Llama-3.3-70B-Instruct", "meta/Llama-3.3-70B-Instruct-Turbo"),
)


def test_the_grid_cuts_no_partition_key(tmp_path: Path) -> None:
    config = write_study(
        tmp_path,
        models=[f"mockllm/{model}" for model in MODELS],
        prompts=["builtin:minimal", "builtin:standard"],
        graders=["mockllm/claude-sonnet-4-5-20250929"],
        extra={"facets": {"model_config": [{"name": "default"}, {"name": "cool", "top_p": 0.5}]}},
    )
    study = load_study(config)
    keys = PartitionKeys(study)
    make_home(nearest_dagster_home(tmp_path))
    with web_server(study) as address, browser_page() as page:
        page.goto(f"{address}/assets/{study.name}/gradings?view=partitions")
        expect(page.get_by_text("Hide navigation")).to_be_visible(timeout=20_000)
        # Beside each there is the whole text again, hidden, by which Dagster measures.
        for key in (*keys.generate.values(), *keys.grade.values()):
            row = page.locator(f"span:text-is('{key}')")
            expect(row).to_have_count(1, timeout=20_000)
