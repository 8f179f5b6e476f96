"""Takes in rubrics that people have changed: by upsert, under the claim of their partition."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from itemeval_assets.core.design.cells.item_rubrics import rubric_hash
from itemeval_assets.core.design.conditions.rubrics import RubricCondition
from itemeval_assets.core.design.partitions import RUBRIC, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, DatasetError, StoreError
from itemeval_assets.core.tables.schemas import ITEM_RUBRICS, arrow_schema
from itemeval_assets.core.text.times import now
from itemeval_assets.core.text.words import counted, cut
from itemeval_assets.ratings.texts import LONGEST_CELL, is_same, plain
from itemeval_assets.storage.study.store import ResultsStore, open_store

from .records import RubricsTaken
from .table import GivenRubric, read_rubrics
from .writing import require_written, stored_rows

__all__ = ["import_rubrics"]

_SHOWN = 20
_LONGEST_NAME = 200
# What a judge's template is filled in with: in a rubric's text it would be sent as it stands.
_PLACEHOLDERS = ("{solution}", "{input}", "{target}", "{rubric}", "{grading_scheme}")
_RETURNS = ("\r\n", "\r", "_x000D_\n", "_x000d_\n")


class _Change(NamedTuple):
    """A rubric that has another text now."""

    condition: RubricCondition
    item_id: str
    text: str


def import_rubrics(path: Path, study: Study, by: str, say: Callable[[str], None]) -> RubricsTaken:
    """Take in the rubrics of a file whose texts are others than those that are stored.

    `by`: who has changed them. Raises DatasetError, which names each row that cannot be taken:
    then none was.
    """
    require_written(study)
    if not 0 < len(by.strip()) <= _LONGEST_NAME:
        raise ConfigError(
            f"--by: give the name of who has changed the rubrics, in {_LONGEST_NAME} characters or"
            " fewer"
        )
    store = open_store(study, look=True)
    store.require_layout()
    given = read_rubrics(path)
    if not given:
        raise StoreError(f"{path}: there is no row below the header. Nothing was taken")
    named = {one.name for one in given}
    partitions = [Partition((one.id,)) for one in study.design.written if one.name in named]

    def waiting(partition: Partition, holder: str) -> None:
        label = study.design.label_of(partition)
        say(f"waiting for {holder or 'a run that has ended'}, which is at work in {label}")

    with store.claimed(partitions, f"rubrics-{path.name}", waiting):
        changes = _changes(path, study, store, given)
        for partition in partitions:
            own = [one for one in changes if (one.condition.id,) == partition]
            if own:
                store.upsert(RUBRIC.table, partition, _changed_rows(store, partition, own, by))
    return RubricsTaken(
        study=study.name,
        config=str(study.config_path),
        source=str(path),
        changed=len(changes),
        known=len(given) - len(changes),
        stale=_stale(study, store, changes),
    )


def _changes(
    path: Path, study: Study, store: ResultsStore, given: Sequence[GivenRubric]
) -> list[_Change]:
    """The rows with another text. Raises DatasetError with every row that cannot be taken."""
    conditions = {one.name: one for one in study.design.written}
    stored = {name: stored_rows(store, Partition((one.id,))) for name, one in conditions.items()}
    problems, found, seen = [], [], dict[tuple[str, str], str]()
    for row in given:
        place = (row.name, row.item_id)
        problem = _problem(row, stored) or (
            f"the item {cut(row.item_id)!r} stands in {seen[place]}, too; keep one of them"
            if place in seen
            else None
        )
        seen.setdefault(place, row.place)
        if problem:
            problems.append(f"{row.place}: {problem}")
        elif not is_same(row.text, stored[row.name][row.item_id]["rubric"]):
            found.append(_Change(conditions[row.name], row.item_id, _cleaned(row.text)))
    _refuse(path, problems)
    return found


def _problem(row: GivenRubric, stored: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str | None:
    if row.name not in stored:
        known = ", ".join(map(repr, stored))
        return f"no model writes a rubric {cut(row.name)!r} in this study; there are: {known}"
    there = stored[row.name].get(row.item_id)
    if there is None:
        return f"the item {cut(row.item_id)!r} has no rubric {row.name!r}; remove the row"
    return None if is_same(row.text, there["rubric"]) else _problem_of_text(row, there)


def _problem_of_text(row: GivenRubric, there: Mapping[str, Any]) -> str | None:
    """What is wrong with a text that is another one than the stored rubric, `there`."""
    if not row.text.strip():
        return f"the rubric of {cut(row.item_id)!r} is empty; write one, or remove the row"
    if len(row.text) >= LONGEST_CELL:
        return (
            f"the rubric of {cut(row.item_id)!r} fills a cell of Excel, which may have cut it; "
            "change it in a .parquet file"
        )
    if row.hash and row.hash != there["item_rubric_hash"]:
        who = there["edited_by"] or "a run"
        return (
            f"the rubric of {cut(row.item_id)!r} was changed by {who} since the file was written; "
            "write the file anew"
        )
    for mark in _PLACEHOLDERS:
        if mark in row.text and mark not in there["rubric"]:
            return (
                f"the rubric of {cut(row.item_id)!r} has {mark}, which judges would be sent as it "
                "stands: the grade_template has the placeholders"
            )
    return None


def _cleaned(text: str) -> str:
    """A text without the marks and line ends of a spreadsheet."""
    for end in _RETURNS:
        text = text.replace(end, "\n")
    return plain(text).strip()


def _changed_rows(
    store: ResultsStore, partition: Partition, changes: Sequence[_Change], by: str
) -> pa.Table:
    """The stored rows with their new texts: what the call has cost stays theirs."""
    texts, at = {one.item_id: one.text for one in changes}, now()
    rows = [
        {
            **row,
            "rubric": texts[row["item_id"]],
            "item_rubric_hash": rubric_hash(texts[row["item_id"]]),
            "edited": True,
            "edited_by": by.strip(),
            "edited_at": at,
        }
        for row in store.read(RUBRIC.table, [partition]).to_pylist()
        if row["item_id"] in texts
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(ITEM_RUBRICS))


def _stale(study: Study, store: ResultsStore, changes: Sequence[_Change]) -> int:
    """How many gradings are by the texts of before."""
    return sum(
        one["item_id"] in changed
        for rubric, changed in _by_condition(changes)
        for partition in study.grade_partitions()
        if study.design.rubric_of(partition) == rubric
        for one in store.read("gradings", [partition], ["item_id"]).to_pylist()
    )


def _by_condition(changes: Sequence[_Change]) -> Iterator[tuple[Partition, set[str]]]:
    for id in dict.fromkeys(one.condition.id for one in changes):
        yield Partition((id,)), {one.item_id for one in changes if one.condition.id == id}


def _refuse(path: Path, problems: Sequence[str]) -> None:
    """Raise DatasetError where there are problems, with the first of them."""
    if not problems:
        return
    more = len(problems) - _SHOWN
    lines = [*problems[:_SHOWN], *([f"and {counted(more, 'more row')}"] if more > 0 else [])]
    told = "\n  ".join(lines)
    raise DatasetError(
        f"{path}: {counted(len(problems), 'row')} cannot be taken. Nothing was taken\n  {told}"
    )
