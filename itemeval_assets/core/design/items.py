"""From a record of a dataset to an item: which column holds what, and ids that are unique."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from itemeval_assets.core.config.sections import MappingConfig
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.words import bytes_of, cut, well_formed

from .conditions import canonical_json

Row = dict[str, Any]
# Far below what the JSON of Python and of others can hold.
DEEPEST = 100
# An id names a part of a log, and stands in every row.
LONGEST_ID_BYTES = 1_000


class Record(NamedTuple):
    """One record of a dataset, and its place there as people find it: `line 7`, or `row 7`."""

    place: str
    values: Mapping[str, Any]


def items_of(
    records: Iterable[Record], mapping: MappingConfig, dataset: str, revision: str
) -> Iterator[tuple[str, Row]]:
    """(place, item without `created_at`) of each record.

    Raises DatasetError for a column that is not there, and for an empty id or input.
    """
    for index, record in enumerate(records):
        where = f"dataset {dataset!r}, {record.place}"
        yield record.place, _item(record.values, index, mapping, where, dataset, revision)


def refuse_repeated_ids(placed: Iterable[tuple[str, Row]]) -> None:
    """Raise DatasetError for an item id that stands twice."""
    first: dict[str, str] = {}
    for place, item in placed:
        here = f"dataset {item['dataset_id']!r} ({place})"
        if item["item_id"] in first:
            raise DatasetError(
                f"benchmark.mapping.id: item id {item['item_id']!r} stands in "
                f"{first[item['item_id']]} and again in {here}; "
                'make ids unique, for instance with id: "{dataset}:{id}"'
            )
        first[item["item_id"]] = here


def _item(
    values: Mapping[str, Any],
    index: int,
    mapping: MappingConfig,
    where: str,
    dataset: str,
    revision: str,
) -> Row:
    def column(name: str, path: str) -> Any:
        if name not in values:
            raise DatasetError(
                f"benchmark.mapping.{path}: {where}: there is no column {name!r}; "
                f"there are {', '.join(map(str, values))}"
            )
        if _is_deeper(values[name], DEEPEST):
            raise DatasetError(
                f"benchmark.mapping.{path}: {where}: the value of column {name!r} is nested more "
                f"than {DEEPEST} levels deep; flatten it, or store it as text"
            )
        return values[name]

    def text(name: str, path: str) -> str:
        value = column(name, path)
        if isinstance(value, bytes):
            raise DatasetError(
                f"benchmark.mapping.{path}: {where}: column {name!r} holds bytes; store it as text"
            )
        return _text(value)

    def id_part(name: str) -> str:
        found = text(name, "id")
        if not found.strip():
            raise DatasetError(
                f"benchmark.mapping.id: {where}: column {name!r} is empty, and the id is made of "
                "it; fill it in, or leave out `mapping.id`: then items are numbered"
            )
        return found

    item_id = _item_id(mapping, index, dataset, id_part)
    if (size := bytes_of(item_id)) > LONGEST_ID_BYTES:
        raise DatasetError(
            f"benchmark.mapping.id: {where}: the id {cut(item_id)!r} has {size:,} bytes, and may "
            f"have {LONGEST_ID_BYTES:,}; map a shorter column, or leave out `mapping.id`: then "
            "items are numbered"
        )
    shown = text(mapping.input, "input")
    if not shown.strip():
        raise DatasetError(
            f"benchmark.mapping.input: {where}, item {item_id!r}: column {mapping.input!r} is "
            "empty; fill it in, or remove the item"
        )
    scheme = column(mapping.grading_scheme, "grading_scheme") if mapping.grading_scheme else None
    return {
        "item_id": item_id,
        "dataset_id": dataset,
        "dataset_revision": revision,
        "input": shown,
        "target": text(mapping.target, "target") if mapping.target else "",
        "grading_scheme": None if scheme is None else _text(scheme),
        "metadata_json": well_formed(
            canonical_json({name: _plain(column(name, "metadata")) for name in mapping.metadata})
        ),
    }


def _item_id(mapping: MappingConfig, index: int, dataset: str, part: Any) -> str:
    """The mapped id: one column, several joined by `:`, a pattern, or else the row number."""
    if mapping.id is None:
        return str(index)
    if isinstance(mapping.id, list):
        return ":".join(part(name) for name in mapping.id)
    if "{" not in mapping.id:
        return part(mapping.id)
    return re.sub(
        r"\{([^{}]+)\}",
        lambda match: dataset if match[1] == "dataset" else part(match[1]),
        mapping.id,
    )


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects stand in each other more than so many levels deep."""
    layer = [value]
    for _ in range(levels + 1):
        inner = (
            part.values() if isinstance(part, dict) else part
            for part in layer
            if isinstance(part, dict | list | tuple)
        )
        layer = [part for parts in inner for part in parts]
        if not layer:
            return False
    return True


def _text(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    return well_formed(plain if isinstance(plain, str) else canonical_json(plain))


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: dates and the like become text, NaN and infinities null."""
    return json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
