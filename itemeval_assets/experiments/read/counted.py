"""How a run stands whose writer records no completion, such as scythe-engine: its rows say it."""

from collections.abc import Mapping

import pyarrow.parquet as pq

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments.frames.reading import readable
from itemeval_assets.experiments.layout.keys import RunPlace
from itemeval_assets.experiments.layout.records import Completion
from itemeval_assets.storage.objects.backends import Backend

# Tables with a row per spec that succeeded.
_PER_SPEC = ("scalars", "result_file_refs")


def counted_completion(backend: Backend, place: RunPlace, files: Mapping[str, str]) -> Completion:
    """The completion of a run with these final frames: {name: key}.

    Specs without a row were lost: their number is `failed`. What cannot be counted is null.
    """
    specs = n_rows(backend, place.specs)
    if not files:
        return Completion(specs=specs)
    key = next((files[name] for name in _PER_SPEC if name in files), None)
    succeeded = None if key is None else n_rows(backend, key)
    if specs is None or succeeded is None:
        return Completion(status="complete", specs=specs, succeeded=succeeded)
    ended = Completion.of(succeeded, max(0, specs - succeeded))
    return ended.model_copy(update={"finished_at": None})


def n_rows(backend: Backend, key: str) -> int | None:
    """The rows of a Parquet file, from its end; None where it is missing or no such file."""
    if not backend.exists(key):
        return None
    try:
        with backend.open(key) as file, readable(backend.uri(key)), pq.ParquetFile(file) as parquet:
            return parquet.metadata.num_rows
    except StoreError:
        return None
