"""One module per asset: tables in, tables out.

Modules load when first used: definitions must load in seconds, and these import pandas,
inspect_ai and datasets, which take that long each.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        cells,
        costs,
        estimate,
        export,
        gradings,
        gradings_long,
        items,
        ledger,
        losses,
        preflight,
        reruns,
        results,
        solutions,
        status,
        unread,
    )

__all__ = [
    "cells",
    "costs",
    "estimate",
    "export",
    "gradings",
    "gradings_long",
    "items",
    "ledger",
    "losses",
    "preflight",
    "reruns",
    "results",
    "solutions",
    "status",
    "unread",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
