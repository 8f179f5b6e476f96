"""itemeval_assets: evaluation of language models as measurement, on Dagster and inspect_ai."""

from itemeval_assets.api import estimate, export, preflight, recover, reset, run, status, table
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.storage.inputs import load_study

__all__ = [
    "ItemevalAssetsError",
    "estimate",
    "export",
    "load_study",
    "preflight",
    "recover",
    "reset",
    "run",
    "status",
    "table",
]
