"""Files that the store makes for itself: drafts of objects, and locks. No list has them.

Everything else is somebody's, whatever its name: an input file may be called `.hidden`.
"""

import re
import uuid
from collections.abc import Iterable

# At the top of a folder or prefix. Apart from the tables: their readers take every file for data.
LOCKS = ".locks"
# Ends of what an eval writes: its log, and the notes beside it of what its replies used.
LOG, NOTES = ".eval", ".usage.jsonl"
_DRAFT = re.compile(r"\.[0-9a-f]{32}\.draft")


def draft_name() -> str:
    """The name of a new draft, which is renamed once it is whole."""
    return f".{uuid.uuid4().hex}.draft"


def is_own(key: str, listed: str) -> bool:
    """Whether an object below the folder `listed` is the store's own.

    Who lists the folder of locks sees the locks.
    """
    is_lock = key.startswith(f"{LOCKS}/") and not f"{listed}/".startswith(f"{LOCKS}/")
    # Consoles of S3 make an object that ends in a slash where somebody makes a folder.
    return is_lock or key.endswith("/") or _DRAFT.fullmatch(key.rpartition("/")[2]) is not None


def data_files(keys: Iterable[str], suffix: str) -> list[str]:
    """The tables or logs among keys. Systems leave files of theirs that begin with a dot."""
    return [
        key
        for key in keys
        if key.endswith(suffix) and not any(part.startswith(".") for part in key.split("/"))
    ]
