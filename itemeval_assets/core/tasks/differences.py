"""What differs between the data of a task at two times, in words."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from itemeval_assets.core.text.words import cut

Row = Mapping[str, Any]
MAKE_IT_STEADY = (
    "let the task make the same samples each time: give a seed to each shuffle and random number, "
    "take no time or new id into a sample, and let metadata hold texts, numbers and lists"
)


def difference(before: Iterable[Row], now: Iterable[Row]) -> str:
    """The first sample that is another one, and what of it."""
    then, present = ({row["item_id"]: row for row in rows} for rows in (before, now))
    for id in then:
        if id not in present:
            return f"it had a sample {cut(id)!r}, and has no sample {cut(id)!r} now"
    for id, row in present.items():
        if id not in then:
            return f"it had no sample {cut(id)!r}, and has it now"
        for name, was, is_now in _parts(then[id], row):
            return f"{name} of sample {id!r} was {_short(was)}, and is {_short(is_now)}"
    return "an image, the order of its samples, or one that is not of the study, is another one"


def _parts(then: Row, now: Row) -> Iterator[tuple[str, Any, Any]]:
    """(name, before, now) of each part that differs."""
    for name in ("input", "target"):
        if then[name] != now[name]:
            yield f"the {name}", then[name], now[name]
    before, present = (json.loads(row["metadata_json"]) for row in (then, now))
    for key in sorted({*before, *present}):
        if before.get(key) != present.get(key):
            yield f"metadata.{key}", before.get(key), present.get(key)


def _short(value: Any) -> str:
    return cut(repr(value))
