"""Provider batches that were sent, and whose answers no row has yet.

A provider answers a batch within a day, and bills it whether or not anybody fetches the answers.
So what was sent is written down before the wait: the next run takes the answers of these lines,
and sends none of them again.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.text.words import counted, dollars

_LISTED = 3


class Call(NamedTuple):
    """What a request has to have in common with a line to be answered by it.

    `digest` is that of what the model is shown, whose text is not stored in batches.
    """

    partition: Partition
    cell: Cell
    digest: str


class NewLine(NamedTuple):
    """A request as it is sent in a batch: the model that is asked, and what it costs at most."""

    model: str
    call: Call
    most_usd: float


class Line(NamedTuple):
    """One request of a batch that was sent, or was about to be.

    `run_ids`: the run that sent it, and those that waited for it. `holder` names the reservation
    that covers it; null where no run waits for it. `is_given_up`: it is not waited for any more,
    and its cost counts.
    """

    partition: Partition
    cell: Cell
    digest: str
    most_usd: float
    run_ids: tuple[str, ...]
    holder: str | None = None
    is_given_up: bool = False

    @property
    def call(self) -> Call:
        return Call(self.partition, self.cell, self.digest)


@dataclass(frozen=True)
class KeptBatch:
    """A batch with the lines that nobody has the answers of, by their ids in the batch.

    `name` is ours, and `id` that of the provider, null until it is known. `file_id`: the file that
    the batch was asked for with, where the provider takes files. `problem`: why its answers cannot
    be had, as far as a run has found out.
    """

    name: str
    model: str
    run_id: str
    created_at: str
    lines: Mapping[str, Line]
    id: str | None = None
    file_id: str | None = None
    problem: str | None = None

    @property
    def open_lines(self) -> dict[str, Line]:
        """The lines that are not given up."""
        return {id: line for id, line in self.lines.items() if not line.is_given_up}

    def without(self, ids: Collection[str]) -> Self:
        """The batch without these lines."""
        left = {id: line for id, line in self.lines.items() if id not in ids}
        return replace(self, lines=left)

    def with_lines(self, changed: Mapping[str, Line]) -> Self:
        """The batch with these lines in the place of those of the same id; none comes back."""
        return replace(self, lines={id: changed.get(id, line) for id, line in self.lines.items()})

    def to_document(self) -> dict[str, Any]:
        lines = {id: _line_as_json(line) for id, line in self.lines.items()}
        return {**vars(self), "lines": lines}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for a document of another shape."""
        lines = {id: _line_of_json(line) for id, line in document["lines"].items()}
        found = cls(**{**document, "lines": lines})
        texts = (found.name, found.model, found.run_id, found.created_at)
        others = (found.id, found.file_id, found.problem)
        if not all(isinstance(text, str) for text in (*texts, *filter(None, others))):
            raise TypeError("no texts")
        _moment(found.created_at)
        return found


def _line_as_json(line: Line) -> dict[str, Any]:
    return {**line._asdict(), "partition": list(line.partition), "cell": list(line.cell)}


def _line_of_json(line: Mapping[str, Any]) -> Line:
    item_id, epoch = line["cell"]
    return Line(
        Partition(line["partition"]),
        Cell(str(item_id), int(epoch)),
        str(line["digest"]),
        float(line["most_usd"]),
        tuple(line["run_ids"]),
        line["holder"],
        bool(line["is_given_up"]),
    )


class WaitingBatch(NamedTuple):
    """What `status` tells of a kept batch.

    `calls` cost `usd` at most, a price known; `unwanted` of them belong to no cell that is still
    to be called. `is_collected_now`: a run in progress waits for it. `expected_usd`: what the
    calls that a cell waits for probably cost; null while no stored call of a model tells.
    """

    batch_id: str | None
    model: str
    run_id: str
    created_at: str
    age_s: float
    calls: int
    usd: float
    unwanted: int = 0
    unwanted_usd: float = 0.0
    is_collected_now: bool = False
    problem: str | None = None
    expected_usd: float | None = None


# What a line probably costs; null: nobody knows.
UsdOf = Callable[[Line], float | None]
Wanted = Collection[tuple[Partition, Cell]]


def unwanted(batch: KeptBatch, wanted: Wanted, living: Collection[str]) -> dict[str, Line]:
    """The lines that no run waits for, and whose cells are not to be called."""
    return {
        id: line
        for id, line in batch.open_lines.items()
        if line.holder not in living and (line.partition, line.cell) not in wanted
    }


def waiting(
    batch: KeptBatch,
    wanted: Wanted,
    living: Collection[str],
    now_s: float,
    usd_of: UsdOf = lambda line: None,
) -> WaitingBatch | None:
    """What to tell of a batch, null: nothing. `living` holders are at work."""
    in_vain = unwanted(batch, wanted, living)
    lines, others = batch.open_lines.values(), in_vain.values()
    if not lines:
        return None
    return WaitingBatch(
        batch.id,
        batch.model,
        batch.run_id,
        batch.created_at,
        max(0.0, now_s - _moment(batch.created_at)),
        len(lines),
        sum(line.most_usd for line in lines),
        len(others),
        sum(line.most_usd for line in others),
        any(line.holder in living for line in lines),
        batch.problem,
        _sum([usd_of(line) for line in batch.without(in_vain).open_lines.values()]),
    )


def _sum(amounts: Collection[float | None]) -> float | None:
    """The sum, null where an amount is, and of nothing."""
    known = [usd for usd in amounts if usd is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def waiting_words(batches: Sequence[WaitingBatch]) -> Iterator[str]:
    """What waits at providers, what of it is in vain, and what cannot be had: a sentence each."""
    sound = [batch for batch in batches if not batch.problem]
    if open_ones := [batch for batch in sound if batch.calls > batch.unwanted]:
        calls = sum(batch.calls - batch.unwanted for batch in open_ones)
        usd = sum(batch.usd - batch.unwanted_usd for batch in open_ones)
        likely = _sum([batch.expected_usd for batch in open_ones])
        expected = "" if likely is None else f", {dollars(likely)} expected"
        yield (
            f"calls in batches whose answers are not collected: {calls:,}, at most "
            f"{dollars(usd)}{expected}: {'; '.join(_listed(open_ones))}"
        )
    in_vain = sum(batch.unwanted for batch in sound)
    if in_vain:
        usd = sum(batch.unwanted_usd for batch in sound)
        yield (
            f"no cell waits any more for {counted(in_vain, 'call')} in batches, at most "
            f"{dollars(usd)}: the provider may bill them, and budget.max_usd counts them"
        )
    for batch in batches:
        if batch.problem:
            yield f"{_named(batch)}: {batch.problem}"


def can_be_collected(batches: Iterable[WaitingBatch]) -> bool:
    """Whether the next run takes answers of any of them."""
    return any(
        batch.calls > batch.unwanted and not (batch.problem or batch.is_collected_now)
        for batch in batches
    )


def can_be_given_up(batches: Iterable[WaitingBatch]) -> bool:
    """Whether there is anything to give up."""
    return any(batch.unwanted or batch.problem for batch in batches)


def _listed(batches: Sequence[WaitingBatch]) -> Iterator[str]:
    for batch in batches[:_LISTED]:
        at_work = ", a run waits for it" if batch.is_collected_now else ""
        yield f"{_named(batch)}{at_work}"
    if batches[_LISTED:]:
        yield f"and {len(batches) - _LISTED} more"


def _named(batch: WaitingBatch) -> str:
    id = batch.batch_id or "a batch without an id so far"
    return f"{id} of {batch.model}, {counted(batch.calls, 'call')}, {age(batch.age_s)} old"


def age(seconds: float) -> str:
    """How long ago something was."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def _moment(created_at: str) -> float:
    return datetime.strptime(created_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
