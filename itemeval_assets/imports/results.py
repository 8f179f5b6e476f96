"""Takes in the results of others: the one place that tells what kind of source a path is."""

from collections.abc import Callable
from pathlib import Path

from itemeval_assets.storage.study.inputs import load_config

from .found import Found, ImportSummary
from .itemeval.checks import require_two_arguments
from .itemeval.survey import survey
from .taking import Taking


def import_results(
    path: str, config: str | Path, *, dry_run: bool, say: Callable[[str], None]
) -> ImportSummary:
    """Take in what a source holds for the study of a config; `dry_run`: only say what that is.

    A study of a task takes in logs of the task, any other one a study of itemeval. The source is
    looked through before anything is stored.
    """
    taking = Taking(_found(path, config), path, say)
    return taking.summary(is_dry_run=True) if dry_run else taking.take_in()


def _found(path: str, config: str | Path) -> Found:
    require_two_arguments(path, config)
    if load_config(config)[0].benchmark.ref is None:
        return survey(path, config)
    from .eval_logs.survey import survey as survey_logs  # noqa: PLC0415 (loads inspect_ai)

    return survey_logs(path, config)
