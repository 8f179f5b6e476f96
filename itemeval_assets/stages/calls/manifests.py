"""The manifest of a run: begun before its first call, finished with what the calls told."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.money.projection.estimate import Projection
from itemeval_assets.core.records.manifest import build_manifest
from itemeval_assets.core.text.times import now
from itemeval_assets.stages.outcome import Outcome
from itemeval_assets.storage.study.layout import manifest_key

from .stage_run import StageRun

_PACKAGES = (
    "inspect-ai",
    "pandas",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "datasets",
    "dagster",
    "genai-prices",
)


def begin_manifest(
    run: StageRun, selected: list[Partition], projection: Projection, models: list[str]
) -> None:
    """Write down what is about to run: a killed run, too, can be explained.

    `models` are those that are called: the manifest has the price used for each.
    """
    manifest = build_manifest(
        run.study,
        run_id=run.run_id,
        stage=selected[0].stage.name,
        created_at=now(),
        versions=_versions(),
        items=run.items.to_pylist(),
        plan=run.extent,
        partitions=selected,
        estimate=projection,
        prices={model: run.book.as_record(model, bool(run.batch(model))) for model in models},
    )
    run.store.update_json(manifest_key(run.run_id), lambda _: manifest)


def finish_manifest(run: StageRun, outcome: Outcome) -> None:
    """Add what only the calls could tell: effective sampling and endpoints, by condition."""
    found: dict[str, Any] = {"endpoints_effective": outcome.endpoints}
    if "temperature_effective" in outcome.rows.column_names:
        found["sampling_effective"] = _effective_sampling(outcome.rows)
    run.store.update_json(manifest_key(run.run_id), lambda manifest: {**manifest, **found})


def _effective_sampling(solutions: pa.Table) -> dict[str, Any]:
    columns = [name for name in solutions.column_names if name.endswith("_effective")]
    sampling: dict[str, dict[str, list[Any]]] = {}
    for row in solutions.select(["condition_id", *columns]).to_pylist():
        seen = sampling.setdefault(row["condition_id"], {name: [] for name in columns})
        for name in columns:
            if row[name] is not None and row[name] not in seen[name]:
                seen[name].append(row[name])
    return sampling


def _versions() -> dict[str, Any]:
    ours = _version("itemeval-assets")
    return {
        "itemeval_version": f"itemeval_assets {ours}",
        "itemeval_assets_version": ours,
        "python_version": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
