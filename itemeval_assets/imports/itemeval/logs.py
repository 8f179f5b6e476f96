"""The logs of an itemeval study: which copies they become, and whether rows say what they say."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell, is_blank
from itemeval_assets.core.design.partitions import GENERATE, GRADE, Partition, Stage
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.imports.judges import Known
from itemeval_assets.core.imports.prices import booked_price
from itemeval_assets.core.text.words import counted, well_formed
from itemeval_assets.engine.foreign_logs import (
    LoggedCall,
    SamplePlace,
    logged_calls,
    usage_in_header,
)
from itemeval_assets.engine.logs.reading import read_log
from itemeval_assets.engine.rows import PRICE
from itemeval_assets.imports.found import IMPORTED_FROM, FoundLog, LeftOut, LogPart
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.layout import log_key

from .answers import Answers, Grading
from .costs import Place, by_place, differences
from .log_list import OF_WAVES, ListedLog, LogList, facts_of
from .source import Source
from .waves import Waves


class _Row(NamedTuple):
    """What a row says of its call."""

    text: str | None
    is_error: bool
    total_tokens: int | None


class Logs:
    """All logs are read once, and compared with the rows that name them."""

    def __init__(
        self,
        source: Source,
        study: Study,
        known: Mapping[str, Known],
        waves: Waves,
        solutions: pa.Table,
        gradings: pa.Table,
    ) -> None:
        self._source, self._study, self._known, self._waves = source, study, known, waves
        self._list = LogList(source, waves, {*study.design.generate_by_id, *known})
        self._prices = prices_if_needed(study)
        self._items = {row["item_id"]: row for row in source.items.to_pylist()}
        self._answers = Answers(self._items, solutions, gradings)
        self._rows: dict[str, dict[tuple[str | None, str, int], _Row]] = defaultdict(dict)
        self._tokens_of_rows = Counter[Place]()
        self._take_rows(solutions, GENERATE, None, "solution")
        self._take_rows(gradings, GRADE, "gen_condition_id", "judge_completion")
        self.runs = set[str]()
        self.notes: list[str] = []

    def _take_rows(self, rows: pa.Table, stage: Stage, graded: str | None, text: str) -> None:
        """Take in what rows say of their calls; those of scorers make none."""
        condition = "condition_id" if graded is None else "grade_condition_id"
        names = ["log_file", "run_id", condition, "item_id", "epoch", text, "error", "total_tokens"]
        for row in rows.select([*names, *([graded] if graded else [])]).to_pylist():
            if row["log_file"] is not None:
                place = (row[graded] if graded else None, row["item_id"], row["epoch"])
                said = _Row(row[text], row["error"] is not None, row["total_tokens"])
                self._rows[row["log_file"]][place] = said
                run = row["run_id"], stage.name, row[condition]
                self._tokens_of_rows[run] += row["total_tokens"] or 0

    def graded_today(self) -> dict[Grading, str]:
        """The fingerprints of the answers of today by the gradings that were given to them."""
        _ = self._read
        return self._answers.fingerprints()

    @property
    def left_out(self) -> list[LeftOut]:
        """What stays out of the logs that were found."""
        return self._list.left_out()

    def found(self) -> list[FoundLog]:
        """The copies to make, in the order of their keys."""
        self._tell_of_missing()
        self._tell_of_ledger()
        self.notes += self._list.notes()
        return [
            FoundLog(place.key, [*self._copies(place, log)], log.places)
            for place, log in self._read
        ]

    def _copies(self, place: ListedLog, log: "_Told") -> Iterator[LogPart]:
        is_grade = place.stage == GRADE.name
        here = self._known[place.condition].condition.id if is_grade else place.condition
        model = (self._study.design.model_of)(
            Partition((log.graded[0], here)) if is_grade else Partition((here,))
        )
        booked = self._ledger.get((place.run_id, place.stage, place.condition))
        price = booked_price(self._prices, model or "", booked, source="the ledger of itemeval")
        for graded in log.graded if is_grade else (None,):
            partition = Partition((graded, here) if graded else (here,))
            metadata = {
                "study": self._study.name,
                "run_id": place.run_id,
                **partition.columns,
                "model": model,
                PRICE: price,
                IMPORTED_FROM: place.key,
            }
            if graded:
                metadata["solution_hashes"] = self._hashes.get(
                    (place.key, place.condition, graded), {}
                )
            key = log_key(partition, log.created, log.task_id)
            yield LogPart(partition, key, metadata, {} if graded else self._of_cells(log))

    def _of_cells(self, log: "_Told") -> dict[Cell, Mapping[str, Any]]:
        names = ("dataset_id", "dataset_revision")
        return {cell: {n: self._items[cell.item_id][n] for n in names} for cell in log.cells}

    @cached_property
    def _hashes(self) -> Mapping[tuple[str, str, str], dict[str, str]]:
        """By log, grade and generate condition: what `solution_hashes` of its copy says."""
        return self._answers.in_logs()

    @cached_property
    def _ledger(self) -> dict[Place, Mapping[str, Any]]:
        return by_place(self._waves.ledger)

    @cached_property
    def _read(self) -> list[tuple[ListedLog, "_Told"]]:
        """The logs that come in, as they were read. Raises StoreError where rows disagree."""
        found = []
        for place in self._list:
            backend = self._source.backend
            log = read_log(backend.local_copy(place.key), backend.uri(place.key))
            told = logged_calls(log)
            places = self._places_here(place, log, told)
            calls = [call.at(places.get(call.place, call.place)) for call in told]
            self._compare(place.key, calls)
            if known := [call for call in calls if self._is_known(place, call)]:
                self._learn(place, known)
                found.append((place, _told(log, known, places)))
                self.runs.add(place.run_id)
            elif any(map(self._waves.stays_out, calls)):
                self._list.counts[OF_WAVES] += 1
        return found

    def _places_here(
        self, place: ListedLog, log: Any, calls: list[LoggedCall]
    ) -> Mapping[SamplePlace, SamplePlace]:
        if place.stage == GRADE.name:
            return self._waves.places_of_gradings(calls)
        offset = facts_of(log).get("epoch_offset") or 0
        return self._waves.places_of_answers(place.run_id, offset, calls)

    def _learn(self, place: ListedLog, calls: list[LoggedCall]) -> None:
        """What a log tells of answers and gradings. Those of answers come first, by their keys."""
        if place.stage == GENERATE.name:
            self._answers.learn_answers(place.condition, calls)
            return
        rubric = self._known[place.condition].condition.grader.template
        assert rubric is not None
        self._answers.learn_shown(place.condition, rubric, place.key, calls)

    def _is_known(self, place: ListedLog, call: LoggedCall) -> bool:
        is_grade = place.stage == GRADE.name
        conditions = self._study.design.generate_by_id if is_grade else (None,)
        return call.cell.item_id in self._items and call.graded in conditions

    def _compare(self, key: str, calls: Iterable[LoggedCall]) -> None:
        told = {(call.graded, *call.cell): call for call in calls}
        for place, row in self._rows.get(key, {}).items():
            call = told.get(place)
            differs = None
            if call is None:
                differs = "has no such sample"
            elif row.is_error != call.is_error:
                differs = "tells of an error" if call.is_error else "tells of no error"
            elif not row.is_error and _plain(row.text) != call.completion:
                differs = "has another answer"
            elif (row.total_tokens or 0) != (call.total_tokens or 0):
                differs = f"has {call.total_tokens} tokens, and the row {row.total_tokens}"
            if differs:
                of = f"item {place[1]!r}, replication {place[2]}"
                raise StoreError(
                    f"{self._source.backend.uri(key)}: a row of {of} names this log, which "
                    f"{differs}. Tables and logs are not of one study as it was: restore both from "
                    "one copy. Nothing was taken"
                )

    def _tell_of_missing(self) -> None:
        there = set(self._source.logs)
        gone = {key: len(rows) for key, rows in self._rows.items() if key not in there}
        if gone:
            self.notes.append(
                f"{counted(sum(gone.values()), 'row')} come in without a log, since "
                f"{counted(len(gone), 'log')} are gone from the source; the first: {min(gone)}. "
                "Their cost is that of the rows"
            )

    def _tell_of_ledger(self) -> None:
        """Say where the ledger of the source differs from what is booked here."""
        logged = Counter[Place]()
        for place, log in self._read:
            logged[place.run_id, place.stage, place.condition] += log.total_tokens
        self.notes += differences(self._ledger, logged, self._tokens_of_rows)


class _Told(NamedTuple):
    """What is kept of a log. `graded`: the generate conditions that it grades.

    `places`: where its samples are here, if elsewhere.
    """

    created: str
    task_id: str
    graded: list[str]
    total_tokens: int
    cells: list[Cell]
    places: Mapping[SamplePlace, SamplePlace]


def _told(log: Any, calls: list[LoggedCall], places: Mapping[SamplePlace, SamplePlace]) -> _Told:
    return _Told(
        created=log.eval.created,
        task_id=log.eval.task_id,
        graded=[*dict.fromkeys(call.graded for call in calls if call.graded)],
        total_tokens=usage_in_header(log)["total_tokens"] or 0,
        cells=[call.cell for call in calls],
        places=places,
    )


def _plain(text: str | None) -> str | None:
    return None if is_blank(text) else well_formed(text or "")
