"""Slow things that tests, and the processes they fork, go without: nobody looks at them."""

import importlib.metadata
import os
import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import botocore.session
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from botocore.loaders import Loader, create_loader
from dagster import AssetKey, JobDefinition, MetadataValue

from itemeval_assets.host import processes
from itemeval_assets.runs.launching.launcher import Launcher
from tests.forks import start_forked

__all__ = ["draw_no_pictures", "fork_workers", "read_once", "show_no_figures"]

WORKERS = {
    "itemeval_assets.runs.launching.worker",
    "itemeval_assets.experiments.work.workers.worker",
    "itemeval_assets.engine.scorers.worker",
}
# What a command materializes at its end, for pages of Dagster alone.
SHOWN = {"costs", "results", "comparisons", "reliability", "agreement", "item_statistics"}


def read_once(patch: pytest.MonkeyPatch) -> None:
    """Libraries read anew what stays as it is: a tenth of a run, and of each bucket."""
    _read_migrations_once(patch)
    _read_certificates_once(patch)
    _read_description_of_s3_once(patch)
    _read_packages_once(patch)
    _copy_jobs_once(patch)


def draw_no_pictures(patch: pytest.MonkeyPatch) -> None:
    """Pages of a run have names in place of their pictures, which take a tenth of the run.

    A picture on any other page is drawn, but becomes no PNG.
    """
    for module in ("results", "figures", "money"):
        name = f"itemeval_assets.defs.assets.{module}.picture"
        patch.setattr(name, lambda alt, _: MetadataValue.md(f"![{alt}]()"))
    name = "itemeval_assets.report.plots.figures.markdown_image"
    patch.setattr(name, lambda _, alt: f"![{alt}]()")


def show_no_figures(patch: pytest.MonkeyPatch) -> None:
    """Commands leave out the figures that Dagster's pages show: a tenth of a run. Not the scores,
    which the command tells itself.
    """
    whole = Launcher.__call__

    def without(launch: Launcher, tables: Sequence[str], *given: Any, **options: Any) -> None:
        asked = [name for name in tables if "export" not in tables or name not in SHOWN]
        whole(launch, asked, *given, **options)

    patch.setattr(Launcher, "__call__", without)


def fork_workers(patch: pytest.MonkeyPatch) -> None:
    """Workers load nothing, but in the long form, and with TESTS_INTERPRETERS."""
    whole = processes.start_python

    def start(module: str, *arguments: str, **options: Any) -> Any:
        as_ever = {"TEST_LONG", "TESTS_INTERPRETERS"} & os.environ.keys()
        starts = start_forked if module in WORKERS and not as_ever else whole
        return starts(module, *arguments, **options)

    patch.setattr(processes, "start_python", start)
    patch.setattr("itemeval_assets.engine.scorers.process.start_python", start)


def _read_migrations_once(patch: pytest.MonkeyPatch) -> None:
    """Dagster reads all of its migrations for each database that it opens."""
    read, known = ScriptDirectory.from_config, dict[str | None, ScriptDirectory]()

    def once(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in known:
            known[place] = read(config)
        return known[place]

    patch.setattr(ScriptDirectory, "from_config", once)


def _copy_jobs_once(patch: pytest.MonkeyPatch) -> None:
    """To run some assets here, Dagster copies the whole job, and describes the copy in full."""
    copy = JobDefinition.as_ephemeral_job
    known = WeakKeyDictionary[JobDefinition, JobDefinition]()

    def once(
        job: JobDefinition,
        resource_defs: Mapping[str, Any],
        input_values: Mapping[str, Any],
        op_selection: Sequence[str] | None = None,
        asset_selection: Sequence[AssetKey] | None = None,
    ) -> JobDefinition:
        if resource_defs or input_values:
            return copy(job, resource_defs, input_values, op_selection, asset_selection)
        if job not in known:
            known[job] = copy(job, {}, {})
        assets = frozenset(asset_selection) if asset_selection else None
        return known[job].get_subset(op_selection=op_selection, asset_selection=assets)

    patch.setattr(JobDefinition, "as_ephemeral_job", once)


def _read_certificates_once(patch: pytest.MonkeyPatch) -> None:
    """Each client of a provider reads those of all authorities: each condition has one."""
    patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))


def _read_description_of_s3_once(patch: pytest.MonkeyPatch) -> None:
    """A client of S3 reads what S3 is, for a tenth of a second: each bucket needs two."""
    known: dict[object, object] = {}

    def once(search_path: str | None = None) -> Loader:
        loader = create_loader(search_path)
        loader._cache = known
        return loader

    patch.setattr(botocore.session, "create_loader", once)


def _read_packages_once(patch: pytest.MonkeyPatch) -> None:
    """Each log names versions: for each of them, all is read that a package says of itself."""
    patch.setattr(importlib.metadata, "distribution", cache(importlib.metadata.distribution))
    said: Any = importlib.metadata.Distribution.metadata
    patch.setattr(importlib.metadata.Distribution, "metadata", property(cache(said.fget)))
