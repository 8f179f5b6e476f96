"""The Python API: one function per CLI command, on a `Study`.

A study runs as Dagster runs, in this process: lineage, checks and history are the same
from a notebook, the terminal, the UI and a schedule.
"""

from itemeval_assets.engine.study_files import load_study

from .arguments import with_task
from .exchange import every_eval, export, import_results, release
from .plans import redraw, seal
from .ratings import import_ratings, next_ratings, ratings_sheet
from .results import cells, count_cells, scored_logs, status, table
from .rubrics import export_rubrics, import_rubrics
from .runs import estimate, preflight, recover, reset, run

__all__ = [
    "cells",
    "count_cells",
    "estimate",
    "every_eval",
    "export",
    "export_rubrics",
    "import_ratings",
    "import_results",
    "import_rubrics",
    "load_study",
    "next_ratings",
    "preflight",
    "ratings_sheet",
    "recover",
    "redraw",
    "release",
    "reset",
    "run",
    "scored_logs",
    "seal",
    "status",
    "table",
    "with_task",
]
