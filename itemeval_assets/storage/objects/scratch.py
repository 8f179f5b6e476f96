"""Folders for files that are made here and belong elsewhere."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from itemeval_assets.core.errors import StoreError

from .disk import reason_of


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for the length of the block.

    Raises StoreError where files cannot be made in it: errors of the store itself are none of its.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
            yield Path(folder)
    except OSError as error:
        place = tempfile.tempdir or "a temporary folder"
        raise StoreError(
            f"cannot write in {place}, where files are made before they are stored: "
            f"{reason_of(error)}, or set TMPDIR to another folder. Nothing was stored"
        ) from error
