"""itemeval_assets: evaluation of language models as measurement, on Dagster and inspect_ai."""

from typing import TYPE_CHECKING, Any

from itemeval_assets.api import (
    cells,
    count_cells,
    estimate,
    export,
    preflight,
    release,
    run,
    status,
    table,
)
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.storage.inputs import load_study

if TYPE_CHECKING:
    from itemeval_assets.component import StudyComponent

__all__ = [
    "ItemevalAssetsError",
    "StudyComponent",
    "cells",
    "count_cells",
    "estimate",
    "export",
    "load_study",
    "preflight",
    "release",
    "run",
    "status",
    "table",
]


def __getattr__(name: str) -> Any:
    # Late: a script that only reads tables loads no Dagster.
    if name == "StudyComponent":
        from itemeval_assets.component import StudyComponent

        return StudyComponent
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Every public name, also the late one: `dg` looks here for components."""
    return sorted({*globals(), *__all__})
