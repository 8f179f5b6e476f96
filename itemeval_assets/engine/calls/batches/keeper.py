"""What a run knows of batches: those of earlier runs, and those that it sends itself.

Whatever it finds out is stored before it goes on: a process may end at any moment.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from inspect_ai.model import ModelUsage

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.records.batches import Call, KeptBatch, Line, NewLine
from itemeval_assets.core.text.times import now
from itemeval_assets.storage.study.batches import Change, KeptBatches


class Place(NamedTuple):
    """A line of a kept batch: the name of the batch, and the id of the line in it."""

    name: str
    line_id: str


class Keeper:
    """The batches of the calls of one run. `holder` names the reservation that covers them."""

    def __init__(self, store: KeptBatches, run_id: str, holder: str) -> None:
        self._store, self._run_id, self._holder = store, run_id, holder
        self._batches: dict[str, KeptBatch] = {}
        self._untaken: dict[Call, list[Place]] = {}
        self._delivered: set[Place] = set()
        self._superseded: set[Place] = set()
        self._answered: dict[Place, ModelUsage | None] = {}
        for batch in store.all():
            self._batches[batch.name] = batch
            self._leave(batch)

    def _leave(self, batch: KeptBatch) -> None:
        """Let the lines of a batch be taken."""
        for line_id, line in batch.open_lines.items():
            self._untaken.setdefault(line.call, []).append(Place(batch.name, line_id))

    @property
    def known_ids(self) -> set[str]:
        """The ids of all batches that the study keeps."""
        return {batch.id for batch in self._batches.values() if batch.id}

    def batch(self, name: str) -> KeptBatch:
        return self._batches[name]

    def of_id(self, batch_id: str) -> KeptBatch | None:
        """The batch that the provider knows by this id."""
        return next((kept for kept in self._batches.values() if kept.id == batch_id), None)

    def without_id(self, calls: Iterable[Call]) -> list[KeptBatch]:
        """The batches that have lines of these calls, and whose ids are not known."""
        names = {place.name for call in calls for place in self._untaken.get(call, ())}
        return [batch for name in sorted(names) if (batch := self._batches[name]).id is None]

    def take(self, calls: Mapping[int, Call]) -> dict[int, tuple[str, str]]:
        """The id of a batch and of its line for each call that has one. Each is taken once."""
        found: dict[int, tuple[str, str]] = {}
        taken: dict[str, set[str]] = {}
        for key, call in calls.items():
            for place in list(self._untaken.get(call, ())):
                if batch_id := self._batches[place.name].id:
                    self._untaken[call].remove(place)
                    taken.setdefault(place.name, set()).add(place.line_id)
                    found[key] = batch_id, place.line_id
                    break
        for name, ids in taken.items():
            self._change(name, partial(self._waiting_for, ids))
        return found

    def lost(self, calls: Mapping[int, Call]) -> dict[int, str]:
        """Why there is no answer for a call, where it has a line that cannot be taken."""
        return {
            key: self._batches[self._untaken[call][0].name].problem or ""
            for key, call in calls.items()
            if self._untaken.get(call)
        }

    def _waiting_for(self, ids: Collection[str], batch: KeptBatch) -> KeptBatch:
        """The batch, with this run as one of those that have waited for the lines."""
        changed = {}
        for id in ids & batch.lines.keys():
            runs = dict.fromkeys((*batch.lines[id].run_ids, self._run_id))
            changed[id] = batch.lines[id]._replace(run_ids=tuple(runs), holder=self._holder)
        return replace(batch.with_lines(changed), problem=None)

    def sending(self, lines: Mapping[str, NewLine]) -> str:
        """Write down that a batch of these lines is about to be sent; its name."""
        kept = {
            id: Line(*line.call, line.most_usd, (self._run_id,), self._holder)
            for id, line in lines.items()
        }
        model = next(iter(lines.values())).model
        batch = KeptBatch(uuid.uuid4().hex, model, self._run_id, now(), kept)
        self._store.keep(batch)
        self._batches[batch.name] = batch
        return batch.name

    def uploaded(self, name: str, file_id: str) -> None:
        """The file is there that a batch is about to be made of."""
        self._change(name, lambda batch: replace(batch, file_id=file_id))

    def made(self, name: str, batch_id: str) -> None:
        """The provider has the batch. Where its id cannot be stored, its file leads to it."""
        self._batches[name] = replace(self._batches[name], id=batch_id, problem=None)
        with suppress(StoreError):
            self._change(name, lambda batch: replace(batch, id=batch_id, problem=None))

    def not_made(self, name: str) -> None:
        """The provider has no such batch: its calls may be sent."""
        for places in self._untaken.values():
            places[:] = [place for place in places if place.name != name]
        self._store.change(name, lambda batch: batch.without(batch.lines))
        del self._batches[name]

    def out_of_reach(self, name: str, problem: str) -> None:
        """The answers of a batch cannot be had now; its calls are not sent either."""
        for places in self._untaken.values():
            places[:] = [place for place in places if place.name != name]
        self._change(name, lambda batch: replace(batch, problem=problem))
        self._leave(self._batches[name])

    def delivered(self, batch_id: str, ids: Collection[str]) -> None:
        """The provider has answered these lines, or refused them."""
        if batch := self.of_id(batch_id):
            self._delivered |= {Place(batch.name, id) for id in ids}

    def supersede(self, is_superseded: Callable[[Line], bool]) -> None:
        """Know which lines no call of this run will take, nor any later one."""
        self._superseded = {
            Place(batch.name, id)
            for batch in self._batches.values()
            for id, line in batch.lines.items()
            if is_superseded(line)
        }

    def with_superseded(self, models: Collection[str]) -> set[str]:
        """The ids of the batches of these models that have such lines."""
        batches = [self._batches[name] for name in {place.name for place in self._superseded}]
        return {batch.id for batch in batches if batch.id and batch.model in models}

    def answered(self, batch_id: str, used: Mapping[str, ModelUsage | None]) -> None:
        """Note what such lines of a batch used: nothing where the provider refused the call."""
        if batch := self.of_id(batch_id):
            told = {Place(batch.name, id): usage for id, usage in used.items()}
            self._answered |= {place: told[place] for place in told.keys() & self._superseded}

    def superseded(self) -> dict[str, dict[str, ModelUsage | None]]:
        """What such lines used, by the names of their batches and their ids."""
        found: dict[str, dict[str, ModelUsage | None]] = {}
        for (name, id), usage in self._answered.items():
            found.setdefault(name, {})[id] = usage
        return found

    def forget(self, name: str, ids: Collection[str]) -> None:
        """Drop lines of a batch: what they cost is known."""
        self._change(name, partial(KeptBatch.without, ids=ids))

    def collected(self, known: Callable[[Line], bool]) -> None:
        """Forget the delivered lines whose calls are known to have rows."""
        by_batch: dict[str, set[str]] = {}
        for name, id in self._delivered:
            line = self._batches[name].lines.get(id)
            if line and known(line):
                by_batch.setdefault(name, set()).add(id)
        for name, ids in by_batch.items():
            self._change(name, partial(KeptBatch.without, ids=ids))

    def close(self) -> None:
        """Let go of what this run has waited for, and has not collected."""
        for batch in list(self._batches.values()):
            if any(map(self._is_mine, batch.lines.values())):
                self._change(batch.name, self._let_go)

    def _let_go(self, batch: KeptBatch) -> KeptBatch:
        mine = {id: line for id, line in batch.lines.items() if self._is_mine(line)}
        return batch.with_lines({id: line._replace(holder=None) for id, line in mine.items()})

    def _is_mine(self, line: Line) -> bool:
        return line.holder == self._holder and self._run_id in line.run_ids

    def _change(self, name: str, change: Change) -> None:
        self._store.change(name, change)
        self._batches[name] = change(self._batches[name])
