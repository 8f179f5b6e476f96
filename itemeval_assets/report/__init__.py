"""What people see: figures in views, rendered on a terminal, on pages, in cards and in pictures.

Handed on is what the terminal shows.
"""

from .cells import cell_survey
from .screens.imports import import_summary
from .screens.models import redrawn
from .screens.money import preflight, study_estimate
from .screens.ratings import next_ratings, ratings_taken, sheet_written
from .screens.results import (
    created,
    every_eval,
    export_result,
    release_summary,
    scored_logs,
    seal_state,
    study_status,
    was_reset,
    written,
)
from .screens.rubrics import rubrics_taken, rubrics_written
from .screens.runs import quickstart_summary, run_summary
from .terminal import ask_consent, print_result, problem, progress_bar, remark

__all__ = [
    "ask_consent",
    "cell_survey",
    "created",
    "every_eval",
    "export_result",
    "import_summary",
    "next_ratings",
    "preflight",
    "print_result",
    "problem",
    "progress_bar",
    "quickstart_summary",
    "ratings_taken",
    "redrawn",
    "release_summary",
    "remark",
    "rubrics_taken",
    "rubrics_written",
    "run_summary",
    "scored_logs",
    "seal_state",
    "sheet_written",
    "study_estimate",
    "study_status",
    "was_reset",
    "written",
]
