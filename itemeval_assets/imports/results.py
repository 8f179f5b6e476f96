"""Takes in the results of others: the one place that tells what kind of source a path is."""

from collections.abc import Callable
from pathlib import Path

from .found import ImportSummary
from .itemeval.survey import survey
from .taking import Taking


def import_results(
    path: str, config: str | Path, *, dry_run: bool, say: Callable[[str], None]
) -> ImportSummary:
    """Take in what a source holds for the study of a config; `dry_run`: only say what that is.

    The source is looked through before anything is stored.
    """
    taking = Taking(survey(path, config), path, say)
    return taking.summary(is_dry_run=True) if dry_run else taking.take_in()
