"""Stores ratings, as a run stores its gradings: by upsert, with a manifest.

The file is kept first, then the manifest is written, then the rows, partition by partition.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import GRADE, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import GRADINGS, arrow_schema
from itemeval_assets.core.text.times import now
from itemeval_assets.engine.logs.usage import no_tokens
from itemeval_assets.stages import gradings_long
from itemeval_assets.storage.objects.given_file import GivenFile
from itemeval_assets.storage.study.layout import filled_sheet_key, manifest_key
from itemeval_assets.storage.study.store import ResultsStore

from ..records import Sheet
from .checking import Rating

_RATINGS = "ratings"
_KNOWN = ["item_id", "epoch", "score", "reasoning", "solution_hash"]


class Taking:
    """The ratings of one file, on their way into the tables."""

    def __init__(
        self,
        study: Study,
        store: ResultsStore,
        condition: GradeCondition,
        sheet: Sheet,
        file: GivenFile,
    ) -> None:
        self._study, self._store, self._condition = study, store, condition
        self._sheet, self._file = sheet, file
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
        key = filled_sheet_key(self.run_id, self._file.suffix)
        self._file.keep(self._store.backend, key)
        self.kept = self._study.uri(key)
        manifest = {
            "run_id": self.run_id,
            "stage": GRADE.name,
            "policy": _RATINGS,
            "created_at": now(),
            "rater": self._sheet.rater,
            "grade_condition_id": self._condition.id,
            "ratings": count,
            "imported_from": self._file.name,
            "kept": self.kept,
            "sha256": self._file.sha256,
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
