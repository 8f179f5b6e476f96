"""Which logs of an itemeval study can come in, by what its index or their headers say."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from itemeval_assets.core.design.partitions import GENERATE
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.logs.reading import read_log_header
from itemeval_assets.imports.found import LeftOut

from .source import Source
from .waves import Waves

OF_WAVES = "logs of waves"
_FORMER = "logs of former conditions"
_FOREIGN = "logs that are not of itemeval"
_UNREAD = "logs that no table knows"


class ListedLog(NamedTuple):
    """A log by its key. `condition`: of answers that of ours, of gradings that of the source."""

    key: str
    run_id: str
    stage: str
    condition: str


class LogList:
    """The logs that can come in, one by one; what stays out is counted meanwhile."""

    def __init__(self, source: Source, waves: Waves, known: Collection[str]) -> None:
        self._source, self._waves, self._known = source, waves, known
        self.counts = Counter[str]()

    def __iter__(self) -> Iterator[ListedLog]:
        indexed = {row["log_file"]: row for row in self._source.log_index.to_pylist()}
        for key in self._source.logs:
            row = indexed.get(key)
            told = _of_index(key, row) if row else self._of_header(key)
            here = told and self._here(told)
            if told is None:
                self.counts[_FOREIGN] += 1
            elif here is None:
                self.counts[OF_WAVES] += 1
            elif here.condition not in self._known:
                self.counts[_FORMER] += 1
            else:
                self.counts[_UNREAD] += row is None
                yield here

    def _here(self, log: ListedLog) -> ListedLog | None:
        """The log under the condition of its time; null: of a wave that stays out."""
        if log.stage != GENERATE.name:
            return log
        condition = self._waves.condition(log.run_id, log.condition)
        return None if condition is None else log._replace(condition=condition)

    def _of_header(self, key: str) -> ListedLog | None:
        backend = self._source.backend
        header = read_log_header(backend.local_copy(key), backend.uri(key))
        told = facts_of(header)
        run_id = (header.eval.metadata or {}).get("itemeval_run_id")
        names = run_id, told.get("stage"), told.get("condition_id")
        return ListedLog(key, *map(str, names)) if all(names) else None

    def left_out(self) -> list[LeftOut]:
        """What of it stays out, and why."""
        why = {
            OF_WAVES: self._waves.why_not,
            _FORMER: "the config has these conditions no more; they stay in the source",
            _FOREIGN: "they do not say which run and condition they are of",
        }
        return [LeftOut(self.counts[what], what, why[what]) for what in why if self.counts[what]]

    def notes(self) -> Iterator[str]:
        """What to know of what comes in."""
        if self.counts[_UNREAD]:
            yield (
                f"{counted(self.counts[_UNREAD], 'log')} of runs that itemeval did not end: their "
                "answers come in, too, where no table has one"
            )


def _of_index(key: str, row: Mapping[str, Any]) -> ListedLog:
    return ListedLog(key, row["run_id"], row["stage"], row["condition_id"])


def facts_of(log: Any) -> dict[str, Any]:
    """What itemeval wrote into the header of a log, which it does of its own logs alone."""
    return (log.eval.metadata or {}).get("itemeval") or {}
