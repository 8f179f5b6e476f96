"""What a task has scored itself: read from the logs of its solutions, without a call."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.tables.split import Parts
from itemeval_assets.core.tasks.lock import ScoreName
from itemeval_assets.engine.logs.reading import read_log
from itemeval_assets.storage.study.store import ResultsStore

if TYPE_CHECKING:
    from inspect_ai.scorer import Score

_COLUMNS = ["item_id", "epoch", "sample_uuid", "log_file"]


def names_in_logs(study: Study, store: ResultsStore) -> set[ScoreName]:
    """The scores that the logs of the stored solutions have. A log that is gone tells none."""
    parts = [part for part in study.generate_partitions() if store.has("solutions", part)]
    keys = {
        row["log_file"]
        for row in store.read("solutions", parts, ["log_file"]).to_pylist()
        if row["log_file"] and store.backend.exists(row["log_file"])
    }
    if not keys:
        return set()
    from itemeval_assets.engine.tasks.logs.scores import names_in  # noqa: PLC0415 (loads inspect_ai)

    backend = store.backend
    logs = (read_log(backend.local_copy(key), backend.uri(key)) for key in sorted(keys))
    return {name for log in logs for name in names_in(log)}


class ScoredByTask:
    """The scores of stored solutions. A log is read once for all scorers."""

    def __init__(self, store: ResultsStore, solutions: Parts) -> None:
        self._store, self._solutions = store, solutions
        self._rows: dict[str, dict[Cell, dict[str, Any]]] = {}
        self._logs: dict[str, Mapping[str, Mapping[str, Score]]] = {}

    def uuid(self, condition: str, cell: Cell) -> str:
        """The uuid of the sample that a solution is of."""
        return self._of(condition)[cell]["sample_uuid"] or ""

    def verdicts(self, condition: str, name: ScoreName, cells: list[Cell]) -> list[Verdict]:
        """What a scorer said of these solutions. Raises StoreError for a log that is gone."""
        from itemeval_assets.engine.tasks.logs.scores import verdict_of  # noqa: PLC0415 (loads inspect_ai)

        rows = self._of(condition)
        return [
            verdict_of(self._in_log(rows[cell]["log_file"]).get(self.uuid(condition, cell)), name)
            for cell in cells
        ]

    def _of(self, condition: str) -> dict[Cell, dict[str, Any]]:
        if condition not in self._rows:
            rows = self._solutions[condition,].select(_COLUMNS).to_pylist()
            self._rows[condition] = {Cell(row["item_id"], row["epoch"]): row for row in rows}
        return self._rows[condition]

    def _in_log(self, key: str) -> Mapping[str, Mapping[str, "Score"]]:
        from itemeval_assets.engine.tasks.logs.scores import scores_in  # noqa: PLC0415 (loads inspect_ai)

        if key not in self._logs:
            backend = self._store.backend
            self._logs[key] = scores_in(read_log(backend.local_copy(key), backend.uri(key)))
        return self._logs[key]
