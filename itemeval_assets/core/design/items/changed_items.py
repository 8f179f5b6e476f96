"""Items that are other ones than those that a study has answers to, or gradings of.

Rows name an item by its id alone. An old answer must not be scored as one to a new question.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.prompts.choices import CHOICES, laid_out, texts_of
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.prompts.prompts import filled_in, rubric_values
from itemeval_assets.core.text.words import counted, cut

from ..conditions.conditions import Design
from ..conditions.ids import canonical_json
from ..partitions import GENERATE, RUBRIC, Partition

Row = Mapping[str, Any]
# What rules and programs are given of an item.
_GRADED = ("target", "metadata_json")
# What a task of inspect_ai is given of a sample, which it answers and scores in one eval.
_OF_TASK = ("input", *_GRADED)
_MOST_NAMED = 10
# What a study has of an item in each table.
_WHAT = {"solutions": "answers to", "item_rubrics": "rubrics of", "gradings": "gradings of"}
HOW_TO_ACCEPT = (
    "To accept the change: --accept-changes. A run then makes the answers and gradings of these "
    "items again, and keeps all others; an estimate says what that costs"
)
# Where every item that has answers or gradings is the same one.
HOW_TO_TAKE_IN = (
    "To accept the change: --accept-changes. A run then makes no answer and no grading again, and "
    "calls models for new cells alone; an estimate says what that costs"
)


class Edited(NamedTuple):
    """An item as it is stored, and as the data have it now."""

    then: Row
    now: Row


_FOR_DATA = (
    "Restore the data and the mapping, or give the changed data a study of its own (`study:` "
    "name): what is asked as before comes from the response cache, free"
)
_FOR_TASKS = (
    "Restore the data of the task, or give the changed task a study of its own (`study:` name)"
)

# Of what was shown to a model, or given to a grader.
IsAnother = Callable[[Edited], bool]


def edited_items(before: Iterable[Row], now: Iterable[Row]) -> dict[str, Edited]:
    """The stored items of which the data say something else now, by id."""
    then = {row["item_id"]: row for row in before}
    pairs = (Edited(then[row["item_id"]], row) for row in now if row["item_id"] in then)
    names = ("input", "grading_scheme", *_GRADED)
    return {
        pair.now["item_id"]: pair
        for pair in pairs
        if any(pair.then[name] != pair.now[name] for name in names)
    }


def comparison(design: Design, partition: Partition) -> IsAnother:
    """Whether an edited item is another one to the rows of a partition.

    Compared is what a model was shown, and what a grader was given: another column of metadata that
    nobody is shown changes nothing. Nor does another order of choices: its seed is part of a
    condition's id, and items are stored in the order of the last seed alone. A task of inspect_ai
    may have looked at all of a sample.
    """
    if partition.stage is GENERATE:
        condition = design.generate_by_id.get(partition.generate)
        if condition is None:
            return _compares(None)
        if condition.task:
            return _differs_in(_OF_TASK)
        prompt_for = condition.prompt_for
        return _compares(lambda item: (prompt_for(item), _images(item)))
    if partition.stage is RUBRIC:
        rubric = design.written_by_id.get(partition.condition_id)
        return _compares(rubric.prompt_for if rubric else lambda item: item["target"])
    condition = design.grade_by_id.get(partition.grade)
    if condition is None:
        return _compares(lambda item: item["target"])
    return (
        _differs_in(_OF_TASK) if condition.grader.in_log else _compares(_given_to(condition.grader))
    )


def outdated_items(edited: Iterable[Edited], is_another: IsAnother) -> set[str]:
    """The ids of those that are another item now."""
    return {pair.now["item_id"] for pair in edited if is_another(pair)}


def require_same(table: str, changed: Sequence[Edited], is_of_task: bool) -> None:
    """Raise DatasetError where a table has rows of items that are others now."""
    if not changed:
        return
    then, now = ((not is_of_task and _in_one_order(item)) or item for item in changed[0])
    names = ("input", "target", "grading_scheme", CHOICES, "metadata_json")
    name = next(name for name in names if then.get(name) != now.get(name))
    was, is_now = ("were", "are") if name == CHOICES else ("was", "is")
    what = _WHAT[table]
    ids = [pair.now["item_id"] for pair in changed]
    more = f" This is so for {counted(len(ids), 'item')}: {named(ids)}." if len(ids) > 1 else ""
    raise DatasetError(
        f"benchmark: item {now['item_id']!r} of {now['dataset_id']!r} is not the one that this "
        f"study has {what}: its {name} {was} {cut(str(then[name]))!r}, and "
        f"{is_now} {cut(str(now[name]))!r}.{more}\n"
        f"{_FOR_TASKS if is_of_task else _FOR_DATA}.\n{HOW_TO_ACCEPT}"
    )


def named(ids: Sequence[str]) -> str:
    """The first items by id, and how many more there are."""
    more = f" and {len(ids) - _MOST_NAMED:,} more" if len(ids) > _MOST_NAMED else ""
    return f"{', '.join(repr(cut(id)) for id in ids[:_MOST_NAMED])}{more}"


def mark_of(edited: Mapping[str, Edited]) -> str:
    """A hash of what items were and are: what somebody has accepted."""
    names = ("item_id", "dataset_id", "input", "grading_scheme", *_GRADED)
    said = [[[row[name] for name in names] for row in edited[id]] for id in sorted(edited)]
    return hashlib.sha256(canonical_json(said).encode("utf-8", "surrogatepass")).hexdigest()


def _given_to(grader: Grader) -> Callable[[Row], object]:
    if (call := grader.asked) is not None:
        return lambda item: call.prompt_for(item, "")
    if grader.by_people and (rubric := grader.template):
        return lambda item: filled_in(rubric, "solution", rubric_values(item, ""))
    names = _GRADED if grader.program else _GRADED[:1]
    return lambda item: [item[name] for name in names]


def _differs_in(names: Sequence[str]) -> IsAnother:
    return lambda pair: any(pair.then[name] != pair.now[name] for name in names)


def _compares(shown: Callable[[Row], object] | None) -> IsAnother:
    def is_another(pair: Edited) -> bool:
        then, now = map(_in_one_order, pair)
        if shown is None or then is None or now is None or (CHOICES in then) != (CHOICES in now):
            then, now = ((item["input"], _images(item)) for item in pair)
            return then != now
        return shown(then) != shown(now)

    return is_another


def _images(item: Row) -> object:
    """The names of the images that are sent to a model with an item."""
    return json.loads(item["metadata_json"]).get(IMAGES)


def _in_one_order(item: Row) -> Row | None:
    """The item with its choices in the order of their texts, and the right text as its target.

    Null where nobody can tell the choices apart.
    """
    metadata = json.loads(item["metadata_json"])
    if CHOICES not in metadata:
        return item
    shown = metadata[CHOICES]
    texts = texts_of(shown) if isinstance(shown, str) else None
    if texts is None:
        return None
    right = dict(zip(ascii_uppercase, texts, strict=False))
    metadata[CHOICES] = laid_out(sorted(texts))
    return {
        **item,
        CHOICES: metadata[CHOICES],
        "target": right.get(item["target"], item["target"]),
        "metadata_json": json.dumps(metadata),
    }
