"""itemeval_assets: evaluation of language models as measurement, on Dagster and inspect_ai."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import cells, count_cells, estimate, export, preflight, release, run, status, table
    from .component import StudyComponent
    from .core.errors import ItemevalAssetsError
    from .storage.study.inputs import load_study

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


# Late: an interrupt in the first moments of a command is told, and readers load no Dagster.
_HOMES = {
    "ItemevalAssetsError": "core.errors",
    "StudyComponent": "component",
    "load_study": "storage.study.inputs",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"itemeval_assets.{_HOMES.get(name, 'api')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Every public name, also the late one: `dg` looks here for components."""
    return sorted({*globals(), *__all__})
