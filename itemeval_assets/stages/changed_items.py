"""Items that are other ones than those that the study has answers to, or gradings of.

Rows name an item by its id alone. An old answer must not be scored as one to a new question.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.prompts.choices import CHOICES
from itemeval_assets.core.text.words import counted, cut
from itemeval_assets.storage.study.store import ResultsStore

Row = Mapping[str, Any]
# Of an item as it was, and as it is.
IsAnother = Callable[[Row, Row], bool]
# What rules and programs are given of an item.
_GRADED = ("target", "metadata_json")


def refuse_changed_items(
    study: Study, store: ResultsStore, before: Sequence[Row], now: Sequence[Row]
) -> None:
    """Raise DatasetError where stored rows, also of former conditions, are of another item.

    Compared is what a model was shown, and what a grader was given: another column of metadata that
    nobody is shown changes nothing. How choices are laid out is part of a condition's id.
    """
    then = {row["item_id"]: row for row in before}
    edited = {row["item_id"]: row for row in now if _differs(then.get(row["item_id"]), row)}
    for table, partition, shown in _shown(study, store) if edited else ():
        stored = store.read(table, [partition], ["item_id"])["item_id"].unique().to_pylist()
        known = [id for id in stored if id in edited]
        if found := [id for id in known if shown(then[id], edited[id])]:
            raise _changed(table, then[found[0]], edited[found[0]], len(found))


def _differs(before: Row | None, now: Row) -> bool:
    names = ("input", "grading_scheme", *_GRADED)
    return before is not None and any(before[name] != now[name] for name in names)


def _shown(study: Study, store: ResultsStore) -> Iterator[tuple[str, Partition, IsAnother]]:
    """Of each stored partition, its table, and whether an item is another one to it."""
    generate, grade = study.design.generate_by_id, study.design.grade_by_id
    for partition in store.partitions("solutions"):
        condition = generate.get(partition.generate)
        yield "solutions", partition, _compares(condition.prompt_for if condition else None)
    for partition in store.partitions("gradings"):
        grader = grade[partition.grade].grader if partition.grade in grade else None
        if grader is None or grader.in_log is None:
            given = _given_to(grader) if grader else lambda item: item["target"]
            yield "gradings", partition, _compares(given)


def _compares(shown: Callable[[Row], object] | None) -> IsAnother:
    def is_another(then: Row, now: Row) -> bool:
        has_choices = any(CHOICES in json.loads(item["metadata_json"]) for item in (then, now))
        if shown is None or has_choices:
            return then["input"] != now["input"]
        return shown(then) != shown(now)

    return is_another


def _given_to(grader: Grader) -> Callable[[Row], object]:
    if (call := grader.call) is not None:
        return lambda item: call.prompt_for(item, "")
    names = _GRADED if grader.program else _GRADED[:1]
    return lambda item: [item[name] for name in names]


def _changed(table: str, then: Row, now: Row, count: int) -> DatasetError:
    differ = [name for name in ("input", "target", "grading_scheme") if then[name] != now[name]]
    name = differ[0] if differ else "metadata_json"
    what = "answers to" if table == "solutions" else "gradings of"
    more = f" This is so for {counted(count, 'item')}." if count > 1 else ""
    return DatasetError(
        f"benchmark: item {now['item_id']!r} of {now['dataset_id']!r} is not the one that this "
        f"study has {what}: its {name} was {cut(str(then[name]))!r}, and is "
        f"{cut(str(now[name]))!r}.{more}\n"
        "Restore the data and the mapping, or give the changed data a study of its own (`study:` "
        "name): what is asked as before comes from the response cache, free"
    )
