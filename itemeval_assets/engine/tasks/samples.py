"""The samples of a task as items, and which sample of it an item is."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

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


def items_of_task(
    task: Task, dataset: str, base: Path | None = None, keep: Keep | None = None
) -> list[Row]:
    """The items, without `created_at`; their revision is a hash of all that they hold.

    `base`: the folder that paths of images are relative to, where it is known. `keep` is given each
    image. Raises DatasetError for an image that cannot be read, and for two samples of one id.
    """
    rows = [_item(sample, dataset) for sample in task.dataset]
    ids = [row["item_id"] for row in rows]
    if repeated := next((id for id in ids if ids.count(id) > 1), None) if _repeats(ids) else None:
        raise DatasetError(f"benchmark.task: two samples have the id {repeated!r}")
    shown = [list(images_in(sample)) for sample in task.dataset]
    seen = [[_mark_of_image(image) for image in images] for images in shown]
    told = canonical_json([rows, seen]).encode("utf-8", "surrogatepass")
    revision, reader = hashlib.sha256(told).hexdigest()[:40], ImageReader(base, keep)
    return [
        {**_with_images(row, images, reader, base is None), "dataset_revision": revision}
        for row, images in zip(rows, shown, strict=True)
    ]


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
        "dataset_revision": "",
        "input": _input(sample),
        "target": _target(sample),
        "grading_scheme": None,
        "metadata_json": well_formed(canonical_json(_plain(metadata))),
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


def _plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    return json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
