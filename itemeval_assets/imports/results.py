"""Takes in the results of others: the one place that tells what kind of source a path is."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.storage.study.inputs import load_config

from .answers.rows import is_table
from .arguments import require_two_arguments
from .found import Found, ImportSummary
from .itemeval.survey import survey
from .taking import Taking


def import_results(
    path: str,
    config: str | Path,
    *,
    dry_run: bool,
    say: Callable[[str], None],
    write_config: bool = False,
) -> ImportSummary:
    """Take in what a source holds for the study of a config; `dry_run`: only say what that is.

    A study of a task takes in logs of the task, also without its code; any other one a study of
    itemeval, or a table of answers. The source is looked through before anything is stored.
    `write_config`: write the config first, for logs of one task. It is taken away where the import
    is refused, but for want of a grader, which its reader is to name.
    """
    if write_config and dry_run:
        raise ConfigError("--write-config writes a file, and --dry-run stores nothing: give one")
    if write_config:
        return _with_new_config(path, Path(config), say)
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        taking = Taking(_found(path, config, Path(folder)), path, say)
        return taking.summary(is_dry_run=True) if dry_run else taking.take_in()


def _with_new_config(path: str, config: Path, say: Callable[[str], None]) -> ImportSummary:
    from .eval_logs.new_study import write_config  # noqa: PLC0415 (loads inspect_ai)
    from .eval_logs.without_code import NothingGrades  # noqa: PLC0415 (loads inspect_ai)

    write_config(path, config)
    try:
        found = import_results(path, config, dry_run=False, say=say)
    except NothingGrades as error:
        raise NothingGrades(f"{error}. {config} was written") from error
    except ItemevalAssetsError:
        config.unlink()
        raise
    return found._replace(notes=[f"a study of these logs was written: {config}", *found.notes])


def _found(path: str, config: str | Path, folder: Path) -> Found:
    require_two_arguments(path, config)
    benchmark = load_config(config)[0].benchmark
    if benchmark.from_logs:
        from .eval_logs.without_code import survey_without_code  # noqa: PLC0415 (loads inspect_ai)

        return survey_without_code(path, config)
    if benchmark.ref is not None:
        from .eval_logs.survey import survey as survey_logs  # noqa: PLC0415 (loads inspect_ai)

        return survey_logs(path, config)
    if is_table(path) and Path(path).expanduser().is_file():
        from .answers.survey import survey as survey_answers  # noqa: PLC0415 (loads inspect_ai)

        return survey_answers(path, config, folder)
    return survey(path, config)
