"""One module per asset: tables in, tables out.

Modules load when first used: definitions must load in seconds, and these import pandas,
inspect_ai and datasets, which take that long each.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import export, gradings, gradings_long, items, ledger, solutions  # noqa: F401
    from .calls import batches, preflight  # noqa: F401
    from .calls.recovery import evidence, losses, unread  # noqa: F401
    from .figures import conditions, reliability  # noqa: F401
    from .figures.comparisons import comparisons  # noqa: F401
    from .figures.items import item_statistics  # noqa: F401
    from .figures.judges import agreement  # noqa: F401
    from .figures.scores import scores  # noqa: F401
    from .projection import estimate  # noqa: F401
    from .views import cells, costs, incomplete, reruns, results, status  # noqa: F401

# The modules by the folder that they are in.
_MODULES = {
    "": ("export", "gradings", "gradings_long", "item_rubrics", "items", "ledger", "solutions"),
    ".calls": ("batches", "preflight"),
    ".calls.recovery": ("evidence", "losses", "unread"),
    ".projection": ("estimate",),
    ".figures": ("conditions", "reliability"),
    ".figures.comparisons": ("comparisons",),
    ".figures.items": ("item_statistics",),
    ".figures.judges": ("agreement",),
    ".figures.scores": ("scores",),
    ".views": ("cells", "costs", "incomplete", "reruns", "results", "status"),
}


def __getattr__(name: str) -> Any:
    for folder, modules in _MODULES.items():
        if name in modules:
            return importlib.import_module(f"{folder}.{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
