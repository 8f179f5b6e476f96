"""The waves of an itemeval study as later times of ours: tables and logs under our ids.

A wave that the config does not have stays out.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import Design
from itemeval_assets.core.design.partitions import GENERATE
from itemeval_assets.core.imports.waves import later_runs, names_of, offsets_of
from itemeval_assets.core.text.yaml.edits import plain_word
from itemeval_assets.engine.foreign_logs import LoggedCall, SamplePlace

from .source import WAVE, WAVE_LABEL, Source

_OF_LATER = ["run_id", "condition_id", "item_id", "epoch", WAVE_LABEL]
# Generate condition, item, epoch.
_Key = tuple[str, str, int]
# In the place of the generate condition that a sample grades: its wave stays out.
_STAYS_OUT = ""


class OfTimes(NamedTuple):
    """Rows under our ids, and how many stay out."""

    rows: pa.Table
    left_out: int


class Waves:
    """Tells of each row and log of a source which time of ours it is of."""

    def __init__(self, source: Source, design: Design) -> None:
        self._source = source
        self._by_time = {
            (one.wave.name, one.first_id): one for one in design.generate if one.wave is not None
        }
        self._declared = dict.fromkeys(name for name, _ in self._by_time)
        is_later = pc.greater(source.solutions[WAVE], 0)  # type: ignore[attr-defined]
        self._later = source.solutions.select(_OF_LATER).filter(is_later).to_pylist()
        manifests = [*source.manifests.values()]
        self._labels = later_runs(self._later, manifests)
        self._offsets = offsets_of(self._later, manifests)
        self._names = names_of(sorted(self._offsets, key=lambda label: self._offsets[label]))

    @property
    def why_not(self) -> str:
        """Why waves stay out, and what to do."""
        missing = [name for name in self._names.values() if name not in self._declared]
        if not missing:
            return "no manifest says which wave they are of"
        names = ", ".join(map(plain_word, missing))
        how = (
            f"add {names} to its `waves`" if self._declared else f"write `waves: [{names}]` into it"
        )
        return f"the config lacks them; {how}, and import again"

    @cached_property
    def solutions(self) -> OfTimes:
        """The solutions, those of a wave under the condition and replication of its time."""
        found = self._moved(self._source.solutions, "condition_id")
        slugs = {one.id: one.slug for one in self._by_time.values()}
        if not slugs:
            return found
        ids, slug = (found.rows[name].to_pylist() for name in ("condition_id", "condition_slug"))
        told = [slugs.get(id, own) for id, own in zip(ids, slug, strict=True)]
        return found._replace(rows=_with(found.rows, "condition_slug", told))

    @cached_property
    def gradings(self) -> OfTimes:
        """The gradings, each of the time of its solution."""
        return self._moved(self._source.gradings, "gen_condition_id")

    @cached_property
    def ledger(self) -> list[dict[str, Any]]:
        """The ledger. Of gradings it has no condition of what they grade."""
        found = []
        for row in self._source.ledger.to_pylist():
            id = row["condition_id"]
            here = self.condition(row["run_id"], id) if row["stage"] == GENERATE.name else id
            found += [{**row, "condition_id": here}] if here is not None else []
        return found

    def condition(self, run_id: str, condition: str) -> str | None:
        """The generate condition that a run has asked; null: of a wave that stays out."""
        if run_id not in self._labels:
            return condition
        return self._of_label(self._labels[run_id], condition)

    def places_of_answers(
        self, run_id: str, offset: int, calls: Sequence[LoggedCall]
    ) -> Mapping[SamplePlace, SamplePlace]:
        """Where samples of a log of answers are here, if elsewhere. `offset`: the epochs before."""
        label = self._labels.get(run_id)
        if label is None and offset:
            return {call.place: SamplePlace(_STAYS_OUT, call.cell) for call in calls}
        shift = 0 if label is None else offset - self._offsets.get(label, offset)
        return {
            call.place: SamplePlace(None, call.cell._replace(epoch=call.cell.epoch + shift))
            for call in calls
            if shift
        }

    def places_of_gradings(self, calls: Iterable[LoggedCall]) -> Mapping[SamplePlace, SamplePlace]:
        """Where samples of a log of gradings are here, if elsewhere."""
        found = {}
        for place in (call.place for call in calls):
            key = (place.graded or "", place.cell.item_id, place.cell.epoch)
            if key in self._elsewhere:
                here = self._elsewhere[key]
                found[place] = (
                    SamplePlace(_STAYS_OUT, place.cell)
                    if here is None
                    else SamplePlace(here[0], Cell(here[1], here[2]))
                )
        return found

    def stays_out(self, call: LoggedCall) -> bool:
        """Whether a sample, as it is here, is of a wave that stays out."""
        return call.graded == _STAYS_OUT

    @cached_property
    def _elsewhere(self) -> dict[_Key, _Key | None]:
        """Where the answers of waves are here; null: they stay out."""
        found: dict[_Key, _Key | None] = {}
        for row in self._later:
            label = row[WAVE_LABEL] or ""
            id, item, epoch = (row[name] for name in ("condition_id", "item_id", "epoch"))
            here = self._of_label(label, id)
            now = None if here is None else (here, item, epoch - self._offsets[label])
            found[id, item, epoch] = now
        return found

    def _of_label(self, label: str, condition: str) -> str | None:
        """A condition at the time of a wave. A former one keeps its id; null: it stays out."""
        name = self._names.get(label, "")
        if name not in self._declared:
            return None
        here = self._by_time.get((name, condition))
        return here.id if here else condition

    def _moved(self, rows: pa.Table, condition: str) -> OfTimes:
        if not self._elsewhere:
            return OfTimes(rows, 0)
        names = (condition, "item_id", "epoch")
        keys = zip(*(rows[name].to_pylist() for name in names), strict=True)
        places = [self._elsewhere.get(key, key) for key in keys]
        comes_in = rows.filter(pa.array([place is not None for place in places], pa.bool_()))
        ids, _, epochs = zip(*filter(None, places), strict=True) if comes_in.num_rows else [()] * 3
        moved = _with(_with(comes_in, condition, ids), "epoch", epochs)
        return OfTimes(moved, rows.num_rows - moved.num_rows)


def _with(rows: pa.Table, name: str, values: Sequence[Any]) -> pa.Table:
    place = rows.column_names.index(name)
    field = rows.schema.field(name)
    return rows.set_column(place, field, pa.array(values, field.type))
