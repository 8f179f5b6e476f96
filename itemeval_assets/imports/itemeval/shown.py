"""What models were shown by a template of an itemeval study, from its logs."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pyarrow.compute as pc

from itemeval_assets.core.imports.templates import Shown
from itemeval_assets.core.prompts.prompts import rubric_values, solver_values
from itemeval_assets.engine.foreign_logs import logged_calls
from itemeval_assets.engine.logs.reading import read_log

from .source import Source

# As many texts tell where they differ; more only take longer.
_ENOUGH = 6


class Shower:
    """Finds what was shown; items and solutions are looked up once."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __call__(self, kind: str, name: str, digest: str) -> list[Shown]:
        """Up to six texts of a template, of different items; none where its logs are gone."""
        rows = self._source.solutions if kind == "prompts" else self._source.gradings
        column = "prompt" if kind == "prompts" else "rubric"
        mask = pc.and_(  # type: ignore[attr-defined]
            pc.equal(rows[f"{column}_name"], name),  # type: ignore[attr-defined]
            pc.equal(rows[f"{column}_hash"], digest),  # type: ignore[attr-defined]
        )
        there = set(self._source.logs)
        logs = rows.filter(mask)["log_file"].drop_null().unique().to_pylist()
        by_item: dict[str, Shown] = {}
        for key in (key for key in logs if key in there):
            for item, shown in self._shown(kind, key):
                by_item.setdefault(item, shown)
                if len(by_item) == _ENOUGH:
                    return [*by_item.values()]
        return [*by_item.values()]

    def _shown(self, kind: str, key: str) -> Iterator[tuple[str, Shown]]:
        for call in logged_calls(self._read(key)):
            item = self._items.get(call.cell.item_id)
            if item is None:
                continue
            if kind == "prompts":
                yield call.cell.item_id, Shown(call.shown, solver_values(item, ()))
                continue
            cell = call.graded or "", call.cell.item_id, call.cell.epoch
            solution = self._solutions.get(cell)
            # It may have changed since it was graded.
            if solution is not None and solution in call.shown:
                yield call.cell.item_id, Shown(call.shown, rubric_values(item, solution))

    def _read(self, key: str) -> Any:
        backend = self._source.backend
        return read_log(backend.local_copy(key), backend.uri(key))

    @cached_property
    def _items(self) -> dict[str, dict[str, Any]]:
        return {row["item_id"]: row for row in self._source.items.to_pylist()}

    @cached_property
    def _solutions(self) -> dict[tuple[str, str, int], str]:
        columns = ["condition_id", "item_id", "epoch", "solution"]
        rows = self._source.solutions.select(columns).to_pylist()
        return {tuple(row[c] for c in columns[:3]): row["solution"] or "" for row in rows}
