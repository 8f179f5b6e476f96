"""Loads the benchmark's datasets, and pins their revisions.

The library `datasets` takes a second to load: it waits until a dataset is read that needs it.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from itemeval_assets.core.config.sections import AS_CSV, BenchmarkConfig, DatasetConfig
from itemeval_assets.core.design.items.items import Placed, Record, items_of, refuse_repeated_ids
from itemeval_assets.core.design.items.sampling import drawn
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.core.text.strict_json import load_json

from .images import ImageReader, Keep
from .local_files import SUFFIXES, read_file
from .parquet_files import parts_of

# What `datasets` says of a split that is there and has no rows.
_NO_ROWS = "corresponds to no data"

_COMMIT = re.compile("[0-9a-f]{40}")


class Loaded(NamedTuple):
    """The items to ask for, without `created_at`, and how many the data have."""

    rows: list[dict[str, Any]]
    of: int


def resolve_revision(dataset: DatasetConfig, adapter: str, base: Path) -> str:
    """The exact version a dataset has now.

    A hub dataset: the commit its revision (default: main) points to. Local data: the first 40 hex
    of the sha256 of the content; of several files, of their hashes and names. Raises DatasetError
    when it cannot be found, or when `revision` names another version of local data.
    """
    path = local_path(dataset, adapter, base)
    if path is not None:
        parts = parts_of(dataset.id, base) if adapter == "local" else None
        found = parts.content_hash() if parts else _content_hash(path)
        if dataset.revision is not None and not found.startswith(dataset.revision):
            raise DatasetError(
                f"benchmark.datasets: {dataset.id!r} is local data: its revision is the hash of "
                f"its content, {found}, but `revision` says {dataset.revision!r}. Remove "
                "`revision`, or restore the data"
            )
        return found
    if dataset.revision is not None and _COMMIT.fullmatch(dataset.revision):
        return dataset.revision
    from huggingface_hub import HfApi

    try:
        sha = HfApi().dataset_info(dataset.id, revision=dataset.revision).sha
    except Exception as error:  # the hub's client raises many kinds, all meaning: not found
        raise DatasetError(
            f"benchmark.datasets: cannot resolve {dataset.id!r} on the hub: {_first_line(error)}. "
            "Check the id and the network, or give a local folder"
        ) from error
    if not sha:
        raise DatasetError(f"benchmark.datasets: the hub names no commit for {dataset.id!r}")
    return sha


def load_items(
    benchmark: BenchmarkConfig,
    revisions: Mapping[str, str],
    base: Path,
    keep: Keep | None = None,
    known: Mapping[tuple[str, str], list[str]] | None = None,
) -> Loaded:
    """The items of all datasets, in order, or those of the sample, in the order of the draw.

    `revisions` are by dataset id. `keep` is given each image; `known` has the names of those that
    were kept before, by dataset and item. Raises DatasetError for a dataset that is unreadable or
    empty, a column that is not there, an empty input, an item id that stands twice, or a sample
    that cannot be drawn.
    """
    placed: list[Placed] = []
    for dataset in benchmark.datasets:
        revision = revisions[dataset.id]
        records = _records(dataset, benchmark, revision, base)
        path = local_path(dataset, benchmark.adapter, base)
        reader = ImageReader(path.parent if path and path.is_file() else path, keep)

        def images_of(
            value: Any, item: str, of: str = dataset.id, reader: ImageReader = reader
        ) -> list[str]:
            return reader.names(value, (known or {}).get((of, item)))

        placed += items_of(
            records, benchmark.mapping, dataset.id, revision, images_of, is_own=path is not None
        )
    refuse_repeated_ids(placed)
    chosen = placed
    if benchmark.sample:
        places = drawn([one.item for one in placed], benchmark.sample)
        chosen = [placed[place] for place in places]
    return Loaded([one.whole() for one in chosen], len(placed))


def local_path(dataset: DatasetConfig, adapter: str, base: Path) -> Path | None:
    """The file or folder of a dataset on this disk; None for a hub id.

    Raises DatasetError if it is gone.
    """
    path = (base / Path(dataset.id).expanduser()).resolve()
    if adapter == "hf":
        return path if path.is_dir() else None
    if parts := parts_of(dataset.id, base):
        return parts.root
    if not path.is_file():
        raise DatasetError(
            f"benchmark.datasets: {dataset.id!r} is no file ({path}); {_where_else(dataset.id)}"
        )
    if path.suffix.lower() not in SUFFIXES:
        if path.suffix.lower() == ".tsv":
            raise DatasetError(f"benchmark.datasets: {dataset.id!r}: {AS_CSV}")
        known = ", ".join(SUFFIXES)
        raise DatasetError(
            f"benchmark.datasets: {dataset.id!r}: adapter `local` reads {known}; save the data as "
            "one of these"
        )
    return path


def bytes_on_disk(dataset: DatasetConfig, adapter: str, base: Path) -> int:
    """The size of local data; 0 for a hub id. Raises DatasetError if they are gone."""
    path = local_path(dataset, adapter, base)
    if path is None:
        return 0
    if path.is_file():
        return path.stat().st_size
    parts = parts_of(dataset.id, base) if adapter == "local" else None
    files = parts.files if parts else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _where_else(id: str) -> str:
    is_like_a_hub_id = id.count("/") == 1 and not Path(id).suffix and not id.startswith((".", "~"))
    hub = "; for a dataset of the Hugging Face hub write `adapter: hf`" if is_like_a_hub_id else ""
    return f"paths are relative to the config file{hub}"


def _records(
    dataset: DatasetConfig, benchmark: BenchmarkConfig, revision: str, base: Path
) -> list[Record]:
    path = local_path(dataset, benchmark.adapter, base)
    try:
        records = _load(dataset, path, revision, benchmark, base)
    except DatasetError:
        raise
    except Exception as error:  # whatever the parsers of the `datasets` library raise
        raise DatasetError(
            f"benchmark.datasets: cannot load {dataset.id!r} (split {dataset.split!r}): "
            f"{_first_line(error)}"
        ) from error
    if not records:
        raise DatasetError(
            f"benchmark.datasets: {dataset.id!r} has no items; name data with at least one row"
        )
    return records[: dataset.limit]


def _load(
    dataset: DatasetConfig,
    path: Path | None,
    revision: str,
    benchmark: BenchmarkConfig,
    base: Path,
) -> list[Record]:
    if path is None:
        rows = _load_split(dataset, dataset.id, revision=revision)
    elif path.is_file():
        return read_file(path, dataset)
    elif benchmark.adapter == "local" and (parts := parts_of(dataset.id, base)):
        return parts.read()
    else:
        rows = _load_folder(dataset, path)
    if benchmark.mapping.images:
        rows = _undecoded(rows, benchmark.mapping.images)
    return [Record(f"row {number}", row) for number, row in enumerate(rows, 1)]


def _undecoded(rows: Any, column: str) -> Any:
    """The rows with images as they lie in the dataset, not as pixels."""
    from datasets import Image, List

    feature = getattr(rows, "features", {}).get(column)
    if isinstance(feature, Image):
        return rows.cast_column(column, Image(decode=False))
    if isinstance(getattr(feature, "feature", None), Image):
        return rows.cast_column(column, List(Image(decode=False)))
    return rows


def _load_folder(dataset: DatasetConfig, path: Path) -> Any:
    saved = [name for name in ("dataset_dict.json", "state.json") if (path / name).exists()]
    if not saved:
        return _load_split(dataset, str(path))
    if dataset.csv_options:
        raise DatasetError(
            f"benchmark.datasets: {dataset.id!r} is a saved dataset; "
            f"{' and '.join(dataset.csv_options)} are for CSV: remove them"
        )
    if _is_saved_empty(path / dataset.split if saved == ["dataset_dict.json"] else path):
        return []
    from datasets import load_from_disk

    found = load_from_disk(str(path))
    return found[dataset.split] if saved == ["dataset_dict.json"] else found


def _load_split(dataset: DatasetConfig, where: str, **options: Any) -> Any:
    from datasets import load_dataset

    names = {"delimiter": "sep"}  # `datasets` takes `delimiter`, too, and then forgets it
    options |= {names.get(key, key): value for key, value in dataset.csv_options.items()}
    try:
        return load_dataset(where, name=dataset.name, split=dataset.split, **options)
    except ValueError as error:
        if _NO_ROWS in str(error):
            return []
        raise


def _is_saved_empty(folder: Path) -> bool:
    """Whether `save_to_disk` wrote no rows to a folder: `datasets` cannot read that back."""
    state = folder / "state.json"
    return state.is_file() and load_json(state.read_bytes()).get("_data_files") == []


def _content_hash(path: Path) -> str:
    """First 40 hex of the sha256 of a file, or of the names and contents in a folder."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()[:40]
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
        digest.update(file.relative_to(path).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:40]


def _first_line(error: Exception) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return without_secrets(line, os.environ)
