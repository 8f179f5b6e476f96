"""What stands behind the figures of an item: question, answers, scores, and their logs."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.prompts.chats import readable
from itemeval_assets.core.prompts.choices import CHOICES
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.text.nearest import nearest
from itemeval_assets.measurement.columns import shortened
from itemeval_assets.storage.study.layout import image_key

from ..planned import PlannedCells

__all__ = ["ItemAnswer", "ItemAnswers", "item_answers", "logs_of", "questions_of"]

# Of all ids, in a message.
_SHOWN = 5
_LOGS = ("gen_log_file", "grade_log_file")
_TEXTS = ("solution", "judge_completion")


@dataclass(frozen=True, kw_only=True)
class ItemAnswer:
    """One answer and one grading of it. The logs are those of their calls, as path or URI.

    `settled_by`: the scorer that graded it before a judge, who was not asked.
    """

    condition: str
    graded_by: str
    replication: int
    state: str
    score: float | None
    solution: str | None
    judge_completion: str | None
    gen_log: str | None
    grade_log: str | None
    settled_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class ItemAnswers:
    """An item, and all that was answered to it and graded.

    `choices`: as they were shown, a line for each; null for an item without. `images`: where those
    that were shown lie, as path or URI. `notes`: what to know of the data.
    `gone`: the logs that are not there any more.
    """

    item_id: str
    dataset_id: str
    question: str
    target: str
    metadata: dict[str, Any]
    answers: list[ItemAnswer]
    choices: str | None = None
    images: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    @property
    def logs(self) -> list[str]:
        """The logs of all calls, each once."""
        found = (log for one in self.answers for log in (one.gen_log, one.grade_log) if log)
        return list(dict.fromkeys(found))


def item_answers(
    planned: PlannedCells, items: Sequence[str], partitions: Iterable[Partition]
) -> list[ItemAnswers]:
    """These items with their answers. Raises ConfigError for one that there is not."""
    known = {row["item_id"]: row for row in planned.items.to_pylist()}
    for name in items:
        if name not in known:
            near = nearest(str(name), known)
            hint = f"did you mean {near!r}?" if near else f"it has {shortened([*known], _SHOWN)}"
            raise ConfigError(f"item: the study has no item {name!r}; {hint}")
    wanted = list(dict.fromkeys(items))
    answers = _answers(planned, wanted, partitions)
    questions = questions_of(planned)
    found = [_item(planned.study, known[name], questions[name], answers[name]) for name in wanted]
    gone = _gone(planned, {log for item in found for log in item.logs})
    return [replace(item, gone=[log for log in item.logs if log in gone]) for item in found]


def _gone(planned: PlannedCells, logs: Collection[str]) -> set[str]:
    """Those of these logs that somebody deleted or moved."""
    start = planned.study.uri("")
    return {log for log in logs if not planned.store.backend.exists(log.removeprefix(start))}


def questions_of(planned: PlannedCells) -> dict[str, str]:
    """{item_id: what it asks, as people read it}."""
    ids, inputs = (planned.items[name].to_pylist() for name in ("item_id", "input"))
    is_chat = planned.study.config.benchmark.mapping.chat
    return dict(zip(ids, map(readable, inputs) if is_chat else inputs, strict=True))


def logs_of(planned: PlannedCells, grade: str, items: Collection[str]) -> dict[str, list[str]]:
    """{item_id: the logs of its answers and of what one grade condition made of them}."""
    found: dict[str, dict[str, None]] = {name: {} for name in items}
    ids = pa.array(list(items), pa.string())
    for generate in planned.study.design.generate if found else ():
        part = Partition((generate.id, grade))
        rows = planned.store.read("gradings_long", [part], ["item_id", *_LOGS])
        rows = rows.filter(pc.is_in(rows["item_id"], value_set=ids))  # type: ignore[attr-defined]
        for row in rows.to_pylist():
            logs = (row[name] for name in _LOGS)
            found[row["item_id"]] |= {planned.study.uri(key): None for key in logs if key}
    return {name: list(uris) for name, uris in found.items()}


def _answers(
    planned: PlannedCells, items: Sequence[str], partitions: Iterable[Partition]
) -> Mapping[str, list[ItemAnswer]]:
    """The cells of these items, by item; one partition is in memory at a time."""
    found: dict[str, list[ItemAnswer]] = {name: [] for name in items}
    ids = pa.array(items, pa.string())
    for partition, table in planned.by_partition(partitions, events=(*_TEXTS, *_LOGS)):
        rows = table.filter(pc.is_in(table["item_id"], value_set=ids))  # type: ignore[attr-defined]
        first = planned.study.design.grade_by_id[partition.grade].grader.after
        for row in rows.sort_by("replication").to_pylist():
            gen_log, grade_log = (row[name] and planned.study.uri(row[name]) for name in _LOGS)
            found[row["item_id"]].append(
                ItemAnswer(
                    condition=row["gen_condition_id"],
                    graded_by=row["grade_condition_id"],
                    **{name: row[name] for name in ("replication", "state", "score", *_TEXTS)},
                    gen_log=gen_log,
                    grade_log=grade_log,
                    settled_by=first.name if first and _is_settled(row) else None,
                )
            )
    return found


def _is_settled(row: Mapping[str, Any]) -> bool:
    """Whether nobody was called for a grading of a judge. An answer of the cache has a log."""
    return row["score"] is not None and row["grade_log_file"] is None


def _item(
    study: Study, row: Mapping[str, Any], question: str, answers: list[ItemAnswer]
) -> ItemAnswers:
    metadata, mapping = json.loads(row["metadata_json"]), study.config.benchmark.mapping
    images = metadata[IMAGES] if mapping.images else []
    return ItemAnswers(
        item_id=row["item_id"],
        dataset_id=row["dataset_id"],
        question=question,
        target=row["target"],
        metadata=metadata,
        answers=answers,
        choices=metadata[CHOICES] if mapping.choices else None,
        images=[study.uri(image_key(name)) for name in images],
    )
