"""What the logs of a task tell whose code is not here: its items and its scores.

The items are the samples that any log has an answer to. Their ids, texts and hash are those that
the task itself would give, so that the study can be gone on with once its code is here.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.tables.schemas import ITEMS, arrow_schema
from itemeval_assets.core.tasks.lock import ScoreName, TaskLock
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.core.text.times import now
from itemeval_assets.core.text.words import counted, cut
from itemeval_assets.engine.tasks.logs.scores import names_declared, names_in
from itemeval_assets.engine.tasks.logs.without_code import samples_in
from itemeval_assets.engine.tasks.samples import items_of_samples, revision_of

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

Row = dict[str, Any]


class ToldByLogs:
    """The items and scores of a task, as log after log tells them, the oldest first.

    `stored`: the items that the study at `location` has already: they stay as they are.
    """

    def __init__(self, task: TaskRef, stored: Iterable[Row], location: str) -> None:
        self._task = task
        self._rows = {row["item_id"]: row for row in stored}
        self._place_of = dict.fromkeys(self._rows, location)
        self._declared: dict[ScoreName, None] = {}
        self._seen = set[ScoreName]()
        self._version = "0"
        self._differ = set[str]()

    def add(self, log: "EvalLog", place: str) -> None:
        """Take in what a log tells. Raises DatasetError where a sample is another one than before.

        `place`: where the log lies.
        """
        data = items_of_samples([*samples_in(log)], self._task.word)
        for row in data.rows:
            known = self._rows.setdefault(row["item_id"], row)
            self._require_same(known, row, place)
            self._place_of.setdefault(row["item_id"], place)
        self._declared |= dict.fromkeys(names_declared(log))
        self._seen |= names_in(log)
        self._version = str(log.eval.task_version)

    def _require_same(self, known: Row, row: Row, place: str) -> None:
        id = row["item_id"]
        for name in ("input", "target"):
            if known[name] != row[name]:
                raise DatasetError(
                    f"sample {id!r} has the {name} {cut(row[name])!r} in {place}, and "
                    f"{cut(known[name])!r} in {self._place_of[id]}: they are of two versions of "
                    "the task. Import those of one, and give the other a study of its own. Nothing "
                    "was taken"
                )
        if known["metadata_json"] != row["metadata_json"]:
            self._differ.add(id)

    @property
    def notes(self) -> list[str]:
        """What to know of the items."""
        if not self._differ:
            return []
        count = counted(len(self._differ), "item")
        return [f"the metadata of {count} differ between logs: those that came first are kept"]

    @property
    def items(self) -> pa.Table:
        """All items, those that are stored first, with one revision."""
        rows = [*self._rows.values()]
        revision, stamp = revision_of(rows), now()
        stamped = [{"created_at": stamp, **row, "dataset_revision": revision} for row in rows]
        return pa.Table.from_pylist(stamped, schema=arrow_schema(ITEMS))

    def lock(self, before: TaskLock | None) -> TaskLock:
        """The task as its logs tell it; `before`: what was known of it, or of another one."""
        keys = {key for row in self._rows.values() for key in json.loads(row["metadata_json"])}
        facts = {"items": len(self._rows), "metadata": tuple(sorted(keys))}
        if before is not None and before.is_of(self._task):
            found = replace(before, **facts)
        else:
            found = TaskLock(
                task=self._task.word,
                args=dict(self._task.args),
                scores=(),
                resolved_at=now(),
                version=self._version,
                from_logs=True,
                **facts,
            ).after(before)
        # In the order of the task, which a set has not.
        for name in filter(self._seen.__contains__, self._declared):
            found = found.with_learned([name])
        return found.with_learned(self._seen)
