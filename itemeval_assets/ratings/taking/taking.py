"""Takes in the ratings of a sheet, as a run stores its gradings: by upsert, with a manifest.

The file is kept first, then the manifest is written, then the rows, partition by partition. A new
rater is written into the YAML last. Whoever is killed leaves the rest to the next import of the
same file, which stores what is not there.
"""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import GRADE, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.tables.schemas import GRADINGS, arrow_schema
from itemeval_assets.core.text.times import now
from itemeval_assets.engine.logs.usage import no_tokens
from itemeval_assets.stages import gradings_long
from itemeval_assets.stages.items import known
from itemeval_assets.stages.views.cells import CellView
from itemeval_assets.storage.study.layout import manifest_key
from itemeval_assets.storage.study.store import ResultsStore, open_store

from ..content import SheetTexts
from ..kept import keep_file, kept_sheets
from ..pool import pool_of
from ..raters import rater_condition
from ..records import RatingsSummary, Sheet
from .checking import Rating, ratings_of, sheet_of
from .new_rater import with_rater, write_rater
from .reading import read_sheet

__all__ = ["import_ratings"]

_RATINGS = "ratings"
_KNOWN = ["item_id", "epoch", "score", "reasoning", "solution_hash"]


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
    taking = _Taking(rated, store, condition, sheet, path)
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


def _condition(study: Study, sheet: Sheet) -> GradeCondition:
    """The grade condition of a sheet. Raises ConfigError where the study has it no more."""
    known = study.design.grade_by_id.get(sheet.grade_condition_id)
    if known is None and sheet.rubric not in study.snapshot.rubrics:
        raise ConfigError(
            f"rubric: the sheet was written for {sheet.rubric!r}, which the study has no more: name"
            " it in facets.rubric again. Nothing was taken"
        )
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


class _Taking:
    """The ratings of one file, on their way into the tables."""

    def __init__(
        self,
        study: Study,
        store: ResultsStore,
        condition: GradeCondition,
        sheet: Sheet,
        path: Path,
    ) -> None:
        self._study, self._store, self._condition = study, store, condition
        self._sheet, self._path = sheet, path
        self._data = path.read_bytes()
        self.run_id = str(uuid.uuid4())
        self.kept: str | None = None

    def take(self, ratings: Sequence[Rating], say: Callable[[str], None]) -> int:
        """Store those that are new or other ones; how many."""
        parts: dict[Partition, list[Rating]] = defaultdict(list)
        for rating in ratings:
            parts[Partition((rating.line.gen_condition_id, self._condition.id))].append(rating)
        partitions = sorted(parts)
        with self._store.claimed(partitions, f"ratings-{self.run_id}", partial(self._tell, say)):
            new = {part: self._new(part, parts[part]) for part in partitions}
            if any(new.values()):
                self._keep(sum(map(len, new.values())))
            for part, found in new.items():
                if found:
                    self._store.upsert("gradings", part, self._rows(part, found))
            self._join([part for part, found in new.items() if found], partitions)
        return sum(map(len, new.values()))

    def _tell(self, say: Callable[[str], None], partition: Partition, holder: str) -> None:
        label = self._study.design.label_of(partition)
        wait = (
            f"waiting for {holder}, which is at work in" if holder else "nobody else is at work in"
        )
        say(f"{wait} {label}")

    def _new(self, partition: Partition, ratings: Sequence[Rating]) -> list[Rating]:
        rows = self._store.read("gradings", [partition], _KNOWN).to_pylist()
        stored = {Cell(row["item_id"], row["epoch"]): row for row in rows}
        return [one for one in ratings if not _is_stored(one, stored.get(one.line.cell))]

    def _keep(self, count: int) -> None:
        """The file as it came, and what says of which run it is."""
        suffix = self._path.suffix.lower()
        self.kept = self._study.uri(keep_file(self._store, self.run_id, suffix, self._data))
        manifest = {
            "run_id": self.run_id,
            "stage": GRADE.name,
            "policy": _RATINGS,
            "created_at": now(),
            "rater": self._sheet.rater,
            "grade_condition_id": self._condition.id,
            "ratings": count,
            "imported_from": self._path.name,
            "kept": self.kept,
            "sha256": hashlib.sha256(self._data).hexdigest(),
        }
        self._store.update_json(manifest_key(self.run_id), lambda known: known or manifest)

    def _rows(self, partition: Partition, ratings: Sequence[Rating]) -> pa.Table:
        created = now()
        constant = {
            "study": self._study.name,
            "run_id": self.run_id,
            "gen_condition_id": partition.generate,
            **self._condition.columns,
            **no_tokens(),
            "parse_ok": True,
            "usd": 0.0,
            "created_at": created,
        }
        rows = [{**constant, **self._of(rating)} for rating in ratings]
        return pa.Table.from_pylist(rows, schema=arrow_schema(GRADINGS))

    def _of(self, rating: Rating) -> dict[str, Any]:
        """What one row of the sheet says. `judge_completion` names the row."""
        told = {
            "sheet": self.kept,
            "row": rating.row.place,
            "code": rating.line.code,
            "score": str(rating.row.score),
            "comment": rating.row.comment,
        }
        return {
            **rating.line.cell._asdict(),
            "score": rating.score,
            "score_raw": str(rating.row.score),
            "reasoning": rating.row.comment or None,
            "judge_completion": json.dumps(told, ensure_ascii=False),
            "solution_hash": rating.line.solution_hash,
        }

    def _join(self, new: Sequence[Partition], asked: Sequence[Partition]) -> None:
        """Write gradings_long where it lacks ratings, of this import or of one that was killed."""
        behind = {*gradings_long.behind(self._study, self._store.stats()), *new}
        for _ in gradings_long.write(self._store, [part for part in asked if part in behind]):
            pass


def _is_stored(rating: Rating, row: Mapping[str, Any] | None) -> bool:
    return row is not None and (
        row["score"] == rating.score
        and (row["reasoning"] or "") == rating.row.comment
        and row["solution_hash"] == rating.line.solution_hash
    )
