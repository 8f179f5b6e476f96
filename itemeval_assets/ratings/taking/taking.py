"""Takes in the ratings of a sheet that came back.

A new rater is written into the YAML last. Whoever is killed leaves the rest to the next import of
the same file, which stores what is not there.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.text.yaml.edits import plain_word
from itemeval_assets.stages.items import known
from itemeval_assets.stages.views.cells import CellView
from itemeval_assets.storage.objects.given_file import GivenFile
from itemeval_assets.storage.study.store import ResultsStore, open_store

from ..content import SheetTexts
from ..kept import kept_sheets
from ..pool import pool_of
from ..raters import first_of_name, rater_condition
from ..records import RatingsSummary, Sheet
from .checking import Rating, ratings_of, sheet_of
from .new_rater import with_rater, write_rater
from .reading import read_sheet
from .storing import Taking


def import_ratings(
    path: Path, study: Study, rater: str | None, say: Callable[[str], None]
) -> RatingsSummary:
    """Take in the ratings of a filled-in sheet; what came in.

    A rater that the YAML lacks is written into it. Raises an ItemevalAssetsError for a sheet that
    does not fit: then nothing was taken, and the YAML is as it was.
    """
    store = open_store(study)
    store.require_layout()
    rows = read_sheet(path)
    if not rows:
        raise StoreError(f"{path}: there is no row below the header. Nothing was taken")
    sheets = sheet_of(path, rows, [*kept_sheets(store)])
    sheet = sheets[0]
    _require_rater(rater, sheet)
    condition = _condition(study, sheet)
    ratings = _checked(path, study, store, condition, rows, sheets)
    is_new = bool(ratings) and condition.id not in study.design.grade_by_id
    rated = with_rater(study, sheet.rater, sheet.scale) if is_new else study
    taking = Taking(rated, store, condition, sheet, GivenFile(path))
    taken = taking.take(ratings, say) if ratings else 0
    if is_new:
        write_rater(study, rated)
    return RatingsSummary(
        study=study.name,
        config=str(study.config_path),
        source=str(path),
        rater=sheet.rater,
        rubric=sheet.rubric,
        ratings=taken,
        known=len(ratings) - taken,
        blank=sum(row.score is None for row in rows),
        is_new_rater=is_new,
        run_id=taking.run_id if taken else None,
        kept=taking.kept if taken else None,
        notes=[],
    )


def _require_rater(rater: str | None, sheet: Sheet) -> None:
    if rater is not None and rater != sheet.rater:
        raise ConfigError(
            f"rater: the sheet was written for {sheet.rater!r}, and not for {rater!r}: write a"
            f" sheet for each rater (ratings sheet --rater {rater}). Nothing was taken"
        )


def _require_one_name(study: Study, sheet: Sheet) -> None:
    """A rater that reads as another one comes in only where the YAML says that there are two."""
    if first := first_of_name(study, sheet.rater):
        entry = f"{{kind: human, scale: [{', '.join(f'{end:g}' for end in sheet.scale)}]}}"
        raise ConfigError(
            f"rater: the sheet is of {sheet.rater!r}, and there is a grader {first!r} already, "
            f"which reads as the same name. If they are two people, write "
            f"{plain_word(sheet.rater)}: {entry} under graders in the YAML, and import the sheet "
            "again. Nothing was taken"
        )


def _condition(study: Study, sheet: Sheet) -> GradeCondition:
    """The grade condition of a sheet. Raises ConfigError where the study has it no more."""
    known = study.design.grade_by_id.get(sheet.grade_condition_id)
    if known is None and sheet.rubric not in study.snapshot.rubrics:
        raise ConfigError(
            f"rubric: the sheet was written for {sheet.rubric!r}, which the study has no more: name"
            " it in facets.rubric again. Nothing was taken"
        )
    _require_one_name(study, sheet)
    condition = known or rater_condition(study, sheet.rater, sheet.rubric, sheet.scale)
    if condition.id != sheet.grade_condition_id:
        raise ConfigError(
            f"rubric: {sheet.rubric!r} has other words than when the sheet was written, and ratings"
            " by other words are others: restore it, or write a new sheet. Nothing was taken"
        )
    if condition.grader.scale != sheet.scale:
        raise ConfigError(
            f"graders.{sheet.rater}.scale is another one than when the sheet was written, "
            f"{list(sheet.scale)}: restore it, or write a new sheet. Nothing was taken"
        )
    return condition


def _checked(
    path: Path,
    study: Study,
    store: ResultsStore,
    condition: GradeCondition,
    rows: Sequence[Any],
    sheets: Sequence[Sheet],
) -> list[Rating]:
    items = known(study, store).table
    view = CellView(study, items, "full-interactive")
    pool = pool_of(store, view, condition, study.design.generate, again=True)
    by_id: Mapping[str, Any] = {row["item_id"]: row for row in items.to_pylist()}
    texts = SheetTexts(study, store, condition, by_id)
    return ratings_of(path, rows, sheets, pool.hashes, texts)
