"""Loads what tests and a run of a study load: what processes of tests are forked from."""

import gc
import importlib
import os
import pkgutil

import pytest

import itemeval_assets
from tests.history import know_empty_databases
from tests.spared import draw_no_pictures, fork_workers, read_once, show_no_figures

# What a run loads late, and what else processes of tests need.
LATE = (
    "anthropic",
    "anyio._backends._asyncio",
    "dagster._core.execution.execute_in_process",
    "dagster._core.instance.factory",
    "dagster._core.instance.runs.run_domain",
    "datasets",
    "hypothesis",
    "inspect_ai.model._providers.mockllm",
    "inspect_ai.model._providers.openai_compatible",
    "jsonschema",
    "markdown_it",
    "openpyxl",
    "pandas",
    "playwright.sync_api",
    "rich.markdown",
    "scipy.stats",
    "tests.faults.study_runs",
    "tests.s3_server",
    "tests.storage.writers",
    "upath.implementations.local",
)

for _name in LATE:
    importlib.import_module(_name)
for _found in pkgutil.walk_packages(itemeval_assets.__path__, "itemeval_assets."):
    if not _found.name.endswith("__main__"):
        importlib.import_module(_found.name)
_patch = pytest.MonkeyPatch()
read_once(_patch)
draw_no_pictures(_patch)
if "TEST_LONG" not in os.environ:
    show_no_figures(_patch)
fork_workers(_patch)
know_empty_databases()
# Of a worker of pytest, whose tests choose what they are spared.
undo = _patch.undo
# No process has to look through all this for garbage.
gc.freeze()
