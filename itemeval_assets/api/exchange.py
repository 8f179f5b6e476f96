"""Results that leave a study, for others, and results of others that come in."""

from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError

from .arguments import as_study, flag, opened_store

if TYPE_CHECKING:
    from itemeval_assets.core.records.published.releases import Release
    from itemeval_assets.imports.found import ImportSummary
    from itemeval_assets.stages.every_eval.writing import EveryEval
    from itemeval_assets.stages.export import ExportResult


def export(config: str | Path | Study, *, for_spreadsheets: bool = False) -> "ExportResult":
    """Write export/ again from the stored tables. Raises StoreError if a table breaks a rule.

    `for_spreadsheets` adds CSV files in which no spreadsheet reads a text as a formula.
    """
    from itemeval_assets.runs.single import run_export

    return run_export(as_study(config), flag("for_spreadsheets", for_spreadsheets))


def every_eval(
    config: str | Path | Study,
    organization: str,
    *,
    relationship: str = "third_party",
    without_rows: bool = False,
) -> "EveryEval":
    """Write the results as records of Every Eval Ever (schema 0.3.0) to export/every_eval.

    One document for each model, with the mean and the interval of each condition by each grader.
    `organization` is yours, `relationship` yours to those who made the models: first_party,
    third_party, collaborative or other. Beside each document is a row for each score, with
    question, target and answer; `without_rows` leaves them out. The package `every-eval-ever`
    checks all of it, where it is installed. Raises StoreError, and writes nothing, where there is
    no score, a table breaks a rule, or a record is not valid.
    """
    from itemeval_assets.stages.every_eval.record import RELATIONSHIPS, Source
    from itemeval_assets.stages.every_eval.writing import write_records

    if not isinstance(organization, str) or not organization.strip():
        raise ConfigError(f"organization: {organization!r}: give the name of yours, as a text")
    if relationship not in RELATIONSHIPS:
        there_are = ", ".join(RELATIONSHIPS)
        raise ConfigError(f"relationship: there is no {relationship!r}; there are: {there_are}")
    rows, study = not flag("without_rows", without_rows), as_study(config)
    return write_records(study, opened_store(study), Source(organization, relationship), rows=rows)


def release(config: str | Path | Study, *, version: str | None = None) -> "Release":
    """Publish the study as a new version of the experiment with its name.

    `version`: bumpmajor, bumpminor, bumppatch, or a version such as 1.2.0. The default depends on
    what changed since the last release; if nothing did, nothing is published. Releases go to the
    bucket or folder in SCYTHE_STORAGE_BUCKET, by default to `experiments/` beside the YAML.
    """
    from itemeval_assets.releases import asked_version, storage_for
    from itemeval_assets.runs.single import run_release

    if not isinstance(version, (str, NoneType)):
        raise ConfigError(f"version: {version!r} is no text; write it as v1.2.3")
    study = as_study(config)
    # What these refuse leaves no run in Dagster's history.
    asked_version(version)
    storage_for(study)
    return run_release(study, version)


def import_results(
    path: str | Path,
    config: str | Path | Study,
    *,
    dry_run: bool = False,
    write_config: bool = False,
    on_note: Callable[[str], None] | None = None,
) -> "ImportSummary":
    """Take in an itemeval study, logs of a task, or a table of answers: nothing is paid again.

    `path` is only read. `config` declares the same study with an `output_dir` of its own, a study
    of the task that `.eval` logs are of, or one of the items that were answered. `dry_run`: say
    what would come in, and store nothing. `write_config`: `config` is not there yet, and is written
    for the `.eval` logs of one task, whose code need not be here. `on_note` is told why the import
    waits. Raises an ItemevalAssetsError for what does not fit; then nothing was taken.
    """
    from itemeval_assets.imports.results import import_results as take_in

    if not isinstance(path, (str, Path)):
        raise ConfigError(f"{path!r} is no path of what is to come in: give a str or a Path")
    place = config.config_path if isinstance(config, Study) else config
    return take_in(
        str(path),
        place,
        dry_run=flag("dry_run", dry_run),
        say=on_note or (lambda note: None),
        write_config=flag("write_config", write_config),
    )
