"""From a record of a dataset to an item: which column holds what, and ids that are unique."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from itemeval_assets.core.config.sections import MappingConfig
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.prompts.chats import as_json, chat_of, is_like_a_chat
from itemeval_assets.core.prompts.choices import (
    CHOICES,
    choices_of,
    in_columns,
    laid_out,
    letter_of,
    place_of,
    refuse_twins,
    shuffled,
)
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.text.nearest import nearest
from itemeval_assets.core.text.words import bytes_of, cut, well_formed

from ..conditions.ids import canonical_json

Row = dict[str, Any]
ImagesOf = Callable[[Any, str], list[str]]
# Far below what the JSON of Python and of others can hold.
DEEPEST = 100
# An id names a part of a log, and stands in every row.
LONGEST_ID_BYTES = 1_000


class Record(NamedTuple):
    """One record of a dataset, and its place there as people find it: `line 7`, or `row 7`."""

    place: str
    values: Mapping[str, Any]


class Placed(NamedTuple):
    """An item without its images and `created_at`, and its place. `whole` has its images, too."""

    place: str
    item: Row
    whole: Callable[[], Row]


def items_of(
    records: Iterable[Record],
    mapping: MappingConfig,
    dataset: str,
    revision: str,
    images_of: ImagesOf,
    is_own: bool,
) -> Iterator[Placed]:
    """The item of each record.

    `is_own`: the user can correct the data. `images_of` gives the names of the images that a column
    holds, for an item id. Raises DatasetError for a column that is not there, and for an empty id
    or input; `whole` of what it gives raises it for an image that cannot be read.
    """
    for index, record in enumerate(records):
        columns = _Columns(record.values, f"dataset {dataset!r}, {record.place}", is_own)
        item = _item(columns, mapping, index, dataset, revision)
        whole = partial(dict, item)
        if mapping.images:
            whole = partial(_with_images, item, columns, mapping.images, images_of)
        yield Placed(record.place, item, whole)


def refuse_repeated_ids(placed: Iterable[Placed]) -> None:
    """Raise DatasetError for an item id that stands twice."""
    first: dict[str, str] = {}
    for place, item, _ in placed:
        here = f"dataset {item['dataset_id']!r} ({place})"
        if item["item_id"] in first:
            raise DatasetError(
                f"benchmark.mapping.id: item id {item['item_id']!r} occurs twice: "
                f"in {first[item['item_id']]} and in {here}; "
                'make ids unique, for instance with id: "{dataset}:{id}"'
            )
        first[item["item_id"]] = here


@dataclass(frozen=True)
class _Columns:
    """The columns of one record. `where`: its place, as messages tell it."""

    values: Mapping[str, Any]
    where: str
    is_own: bool

    def value(self, name: str, path: str) -> Any:
        """What a column holds. `path` is the key of the mapping that names it."""
        if name not in self.values:
            raise self.problem(path, f"there is no column {name!r}; {self._instead(name)}")
        if _is_deeper(self.values[name], DEEPEST):
            raise self.problem(
                path,
                f"the value of column {name!r} is nested more than {DEEPEST} levels deep; flatten "
                "it, or store it as text",
            )
        return self.values[name]

    def text(self, name: str, path: str) -> str:
        value = self.value(name, path)
        if isinstance(value, bytes):
            raise self.problem(path, f"column {name!r} holds bytes; store it as text")
        return _text(value)

    def id_part(self, name: str) -> str:
        found = self.text(name, "id")
        if not found.strip():
            raise self.problem(
                "id",
                f"column {name!r} is empty, and the id is made of it; fill it in, or leave out "
                "`mapping.id`: then items are numbered",
            )
        return found

    def _instead(self, name: str) -> str:
        """The columns that there are, in quotes: a name may begin with a blank."""
        names = list(map(str, self.values))
        near = nearest(name, names)
        meant = f"did you mean {near!r}? There" if near else "there"
        return f"{meant} are {', '.join(map(repr, names))}"

    def problem(self, path: str, what: str) -> DatasetError:
        return DatasetError(f"benchmark.mapping.{path}: {self.where}: {what}")


def _item(
    columns: _Columns, mapping: MappingConfig, number: int, dataset: str, revision: str
) -> Row:
    item_id = _item_id(columns, mapping, number, dataset)
    metadata = {name: _plain(columns.value(name, "metadata")) for name in mapping.metadata}
    target = columns.text(mapping.target, "target") if mapping.target else ""
    if mapping.choices:
        metadata[CHOICES], target = _choices(columns, mapping, item_id, dataset)
    return {
        "item_id": item_id,
        "dataset_id": dataset,
        "dataset_revision": revision,
        "input": _input(columns, mapping, item_id),
        "target": target,
        "grading_scheme": _grading_scheme(columns, mapping.grading_scheme),
        "metadata_json": well_formed(canonical_json(metadata)),
    }


def _item_id(columns: _Columns, mapping: MappingConfig, number: int, dataset: str) -> str:
    found = _mapped_id(columns, mapping, number, dataset)
    if (size := bytes_of(found)) > LONGEST_ID_BYTES:
        raise columns.problem(
            "id",
            f"the id {cut(found)!r} has {size:,} bytes; it may have at most "
            f"{LONGEST_ID_BYTES:,}; map a shorter column, or leave out `mapping.id`: then items "
            "are numbered",
        )
    return found


def _mapped_id(columns: _Columns, mapping: MappingConfig, number: int, dataset: str) -> str:
    """One column, several joined by `:`, a pattern, or else the row number."""
    if mapping.id is None:
        return str(number)
    if isinstance(mapping.id, list):
        return ":".join(map(columns.id_part, mapping.id))
    if "{" not in mapping.id:
        return columns.id_part(mapping.id)
    return re.sub(
        r"\{([^{}]+)\}",
        lambda match: dataset if match[1] == "dataset" else columns.id_part(match[1]),
        mapping.id,
    )


def _input(columns: _Columns, mapping: MappingConfig, item_id: str) -> str:
    """The text of an item, or its chat as JSON."""
    name = mapping.input
    if mapping.chat:
        return _chat(columns, name, item_id)
    if mapping.chat is None and is_like_a_chat(columns.value(name, "input")):
        raise columns.problem(
            "input",
            f"item {item_id!r}: column {name!r} holds a chat; write `chat: true` in "
            "benchmark.mapping to send its turns, or `chat: false` to send it as JSON text",
        )
    shown = columns.text(name, "input")
    if not shown.strip():
        raise DatasetError(
            f"benchmark.mapping.input: {columns.where}, item {item_id!r}: column {name!r} is "
            "empty; fill it in, or remove the item"
        )
    return shown


def _chat(columns: _Columns, name: str, item_id: str) -> str:
    try:
        return as_json(chat_of(columns.value(name, "input")))
    except ValueError as error:
        raise columns.problem("input", f"item {item_id!r}: {error}") from error


def _grading_scheme(columns: _Columns, name: str | None) -> str | None:
    scheme = columns.value(name, "grading_scheme") if name else None
    return None if scheme is None else _text(scheme)


def _with_images(item: Row, columns: _Columns, name: str, images_of: ImagesOf) -> Row:
    value, item_id = columns.value(name, IMAGES), item["item_id"]
    try:
        names = images_of(value, item_id)
    except ValueError as error:
        raise columns.problem(IMAGES, f"item {item_id!r}, column {name!r}: {error}") from error
    metadata = {**json.loads(item["metadata_json"]), IMAGES: names}
    return {**item, "metadata_json": canonical_json(metadata)}


def _choices(
    columns: _Columns, mapping: MappingConfig, item_id: str, dataset: str
) -> tuple[str, str]:
    """The choices of an item as they are shown, and the letter of the right one, if it is known."""
    path, names = "choices", mapping.choices
    try:
        if isinstance(names, str):
            found = choices_of(columns.value(names, path))
        else:
            found = in_columns([columns.value(name, path) for name in names or ()])
        order, letter, seed = list(range(len(found.texts))), "", mapping.shuffle_choices
        if seed is not None:
            order = shuffled(len(order), seed, dataset, item_id)
        if mapping.target and mapping.target_is:
            path = "target"
            right = place_of(columns.value(mapping.target, path), found, mapping.target_is)
            letter = letter_of(order.index(right))
            # A dataset of the hub stays as it is: to its letters, one item is no reason to fail.
            if columns.is_own:
                path = "choices"
                refuse_twins(found, right, names or ())
    except ValueError as error:
        raise columns.problem(path, f"item {item_id!r}: {error}") from error
    return laid_out([found.texts[place] for place in order]), letter


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
