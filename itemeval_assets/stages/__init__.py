"""One module per asset: tables in, tables out.

Modules load when first used: definitions must load in seconds, and these import pandas,
inspect_ai and datasets, which take that long each.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import export, gradings, gradings_long, items, ledger, solutions
    from .calls import losses, preflight, unread
    from .projection import estimate
    from .views import cells, costs, reruns, results, status

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

# Where a module is that is not in this folder itself.
_FOLDERS = {
    **dict.fromkeys(("losses", "preflight", "unread"), ".calls"),
    **dict.fromkeys(("cells", "costs", "reruns", "results", "status"), ".views"),
    "estimate": ".projection",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"{_FOLDERS.get(name, '')}.{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
