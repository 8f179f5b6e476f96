"""Images that changed since a study stored their items."""

import json
from collections.abc import Mapping
from typing import Any

from itemeval_assets.core.design.items.changed_items import HOW_TO_ACCEPT
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.storage.study.store import ResultsStore

from .pins import pins


def known_images(
    study: Study, store: ResultsStore, revisions: Mapping[str, str], stored: list[dict[str, Any]]
) -> dict[tuple[str, str], list[str]]:
    """The names of the images by dataset and item, as long as column and revision are the same."""
    column = study.config.benchmark.mapping.images
    if column is None:
        return {}
    pinned = {id: (lock.get(IMAGES), lock["revision"]) for id, lock in pins(store).items()}
    same = {id for id, revision in revisions.items() if pinned.get(id) == (column, revision)}
    return {
        (row["dataset_id"], row["item_id"]): json.loads(row["metadata_json"]).get(IMAGES, [])
        for row in stored
        if row["dataset_id"] in same
    }


def refuse_changed_images(
    known: Mapping[tuple[str, str], list[str]], rows: list[dict[str, Any]]
) -> None:
    for row in rows:
        before = known.get((row["dataset_id"], row["item_id"]))
        if before is not None and before != json.loads(row["metadata_json"])[IMAGES]:
            raise DatasetError(
                f"benchmark.mapping.images: an image of item {row['item_id']!r} of "
                f"{row['dataset_id']!r} changed since this study stored it; restore it, or give "
                f"the changed data a study of its own (`study:` name).\n{HOW_TO_ACCEPT}"
            )
