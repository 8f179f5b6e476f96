"""The samples of a task as items, and which sample of it an item is."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, ContentImage, ContentText

from itemeval_assets.core.design.conditions.ids import canonical_json
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.prompts.chats import as_json
from itemeval_assets.core.prompts.choices import CHOICES, laid_out
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.prompts.turns import Role, Turn
from itemeval_assets.core.text.words import cut, well_formed
from itemeval_assets.engine.data.images import ImageReader, Keep

Row = dict[str, Any]
_MOST_LETTERS = 26
_NO_REVISION = {"dataset_revision": ""}
_OF_AN_ITEM = ("item_id", "dataset_id", "input", "target", "grading_scheme", "metadata_json")
# Where an object lies in the memory, as Python tells it.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class TaskData(NamedTuple):
    """The items of a task in its order, without `created_at`.

    `revisions`: hashes of all that the items hold; first of the items in the order of their ids,
    then of those in the order of the task, which older studies have pinned.
    """

    rows: list[Row]
    revisions: tuple[str, str]

    def revision(self, pinned: str | None) -> str:
        """The pinned revision, where the items are still those; else the one that they have now."""
        return pinned if pinned in self.revisions else self.revisions[0]


def items_of_task(
    task: Task, dataset: str, base: Path | None = None, keep: Keep | None = None
) -> TaskData:
    """The data of a task. Many shuffle their samples: the order says nothing of them.

    `base`: the folder that paths of images are relative to, where it is known. `keep` is given each
    image. Raises DatasetError for an image that cannot be read, for metadata that JSON cannot hold,
    for two samples of one id, and for texts that no log keeps.
    """
    for place, sample in enumerate(task.dataset, 1):
        _require_loggable(sample, place)
    ids = [item_id(sample) for sample in task.dataset]
    if repeated := next((id for id in ids if ids.count(id) > 1), None) if _repeats(ids) else None:
        raise DatasetError(f"benchmark.task: two samples have the id {repeated!r}")
    return items_of_samples([*task.dataset], dataset, base, keep)


def items_of_samples(
    samples: Sequence[Sample], dataset: str, base: Path | None = None, keep: Keep | None = None
) -> TaskData:
    """Samples as items, as `items_of_task` has those of a task. No two have the same id."""
    rows = [_item(sample, dataset) for sample in samples]
    ids = [row["item_id"] for row in rows]
    shown = [list(images_in(sample)) for sample in samples]
    seen = [[_mark_of_image(image) for image in images] for images in shown]
    by_id = sorted(range(len(ids)), key=ids.__getitem__)
    revisions = (
        _revision([rows[place] for place in by_id], [seen[place] for place in by_id]),
        _revision(rows, seen),
    )
    reader = ImageReader(base, keep)
    kept = [
        {**_with_images(row, images, reader, base is None), "dataset_revision": revisions[0]}
        for row, images in zip(rows, shown, strict=True)
    ]
    return TaskData(kept, revisions)


def _require_loggable(sample: Sample, place: int) -> None:
    """Raise DatasetError where inspect_ai would lose the sample, or the log: it would be paid for.

    `place`: from 1, in the order of the dataset.
    """
    id = item_id(sample)
    where = f"benchmark.task: sample {place}"
    if not id:
        raise DatasetError(f"{where} has an empty id; give it another one, or none to any sample")
    if "\0" in id:
        raise DatasetError(
            f"{where}: its id {id!r} holds the character NUL, which no log keeps; take it out"
        )
    for name, text in (("id", id), ("input", _input_as_given(sample))):
        if well_formed(text) != text:
            raise DatasetError(
                f"{where}, {well_formed(id)!r}: its {name} holds a lone surrogate, which is half a "
                "character; let the task read its data as UTF-8"
            )


def _input_as_given(sample: Sample) -> str:
    """All text that a model is shown."""
    messages = [] if isinstance(sample.input, str) else sample.input
    shown = [sample.input] if isinstance(sample.input, str) else map(_text, messages)
    return "\n".join([*shown, *(sample.choices or [])])


def _revision(rows: list[Row], seen: list[list[str]]) -> str:
    told = canonical_json([rows, seen]).encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:40]


def revision_of(rows: Iterable[Row]) -> str:
    """The first of the `revisions` of items whose samples show no image."""
    plain = [{**{name: row[name] for name in _OF_AN_ITEM}, **_NO_REVISION} for row in rows]
    return _revision(sorted(plain, key=lambda row: row["item_id"]), [[] for _ in plain])


def _mark_of_image(image: str) -> str:
    """What tells an image from others: a file by what it holds, wherever it lies."""
    with suppress(OSError, ValueError):
        return hashlib.sha256(Path(image).read_bytes()).hexdigest()
    return image


def _repeats(ids: list[str]) -> bool:
    return len({*ids}) < len(ids)


def item_id(sample: Any) -> str:
    """The id of the item that a sample is, in a dataset or in a log."""
    return str(sample.id)


def question_of(sample: Any) -> tuple[str, str]:
    """The input and the target of a sample, in a dataset or in a log, as its item has them."""
    return _input(sample), _target(sample)


def _with_images(row: Row, images: list[str], reader: ImageReader, is_packaged: bool) -> Row:
    """Images of a package stay where its task finds them: their paths are kept."""
    if not images:
        return row
    try:
        names = reader.names(images, None)
    except ValueError as error:
        if not is_packaged:
            where = f"benchmark.task: an image of the sample {row['item_id']!r}"
            raise DatasetError(f"{where}: {error}") from error
        names = [cut(image) for image in images]
    metadata = json.loads(row["metadata_json"])
    metadata.setdefault(IMAGES, names)
    return {**row, "metadata_json": canonical_json(metadata)}


def _item(sample: Sample, dataset: str) -> Row:
    metadata = {str(key): value for key, value in (sample.metadata or {}).items()}
    if 0 < len(sample.choices or []) <= _MOST_LETTERS:
        metadata.setdefault(CHOICES, laid_out(sample.choices or []))
    return {
        "item_id": item_id(sample),
        "dataset_id": dataset,
        **_NO_REVISION,
        "input": _input(sample),
        "target": _target(sample),
        "grading_scheme": None,
        "metadata_json": well_formed(canonical_json(_plain(metadata, item_id(sample)))),
    }


def _input(sample: Sample) -> str:
    """What a sample asks: a text, or a chat as JSON."""
    if isinstance(sample.input, str):
        return well_formed(sample.input)
    turns = [Turn(_role(message), well_formed(_text(message))) for message in sample.input]
    if [turn.role for turn in turns] == ["user"]:
        return turns[0].text
    return as_json(turns)


def _role(message: ChatMessage) -> Role:
    """Of a tool, what it said is shown to the model as what the user said is."""
    return "user" if message.role == "tool" else message.role


def _text(message: ChatMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content if isinstance(part, ContentText))


def images_in(sample: Sample) -> Iterator[str]:
    """The images that a sample shows: paths, addresses, or data URIs."""
    for message in [] if isinstance(sample.input, str) else sample.input:
        parts = [] if isinstance(message.content, str) else message.content
        yield from (part.image for part in parts if isinstance(part, ContentImage))


def _target(sample: Sample) -> str:
    """One target as it is, and several as a JSON list."""
    if isinstance(sample.target, str):
        return well_formed(sample.target)
    targets = [str(target) for target in sample.target]
    return well_formed(targets[0] if len(targets) == 1 else canonical_json(targets))


def _plain(metadata: Row, id: str) -> Any:
    """Metadata as JSON can hold them. Raises DatasetError where it cannot."""
    try:
        text = json.dumps(metadata, default=_text_of)
    except (TypeError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"benchmark.task: the metadata of sample {id!r} cannot be kept as JSON: {error}; let "
            "the task give them as texts, numbers, lists and objects with texts as keys"
        ) from error
    return json.loads(text, parse_constant=lambda _: None)


def _text_of(value: Any) -> str:
    """What JSON has no form for, as a text that is the same in each process.

    The order of a set and the address of an object are not.
    """
    if not isinstance(value, set | frozenset):
        return _ADDRESS.sub("", str(value))
    parts = (_text_of(one) if isinstance(one, frozenset) else repr(one) for one in value)
    told = ", ".join(sorted(_ADDRESS.sub("", part) for part in parts))
    return f"{{{told}}}" if told and isinstance(value, set) else f"{type(value).__name__}({told})"
