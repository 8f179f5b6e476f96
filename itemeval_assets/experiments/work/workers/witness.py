"""The process that a lookout tells of each spec; it outlives the one that runs them.

It loads nothing until it has something to say: most runs end as they should.
"""

import json
import sys
from typing import Any


def main(place: str) -> None:
    """Read a line for each spec that begins, an empty one when it ends, and `end` at the end."""
    last = ""
    for line in sys.stdin:
        last = line.strip()
        if last == "end":
            return
    if last:
        _tell(json.loads(place), json.loads(last))


def _tell(place: dict[str, Any], last: dict[str, Any]) -> None:
    """Say that the process has ended while a spec was at work, and note which."""

    from itemeval_assets.storage.objects.backends import open_backend  # noqa: PLC0415 (only now)

    def with_this(known: bytes | None) -> bytes:
        numbers = {*json.loads(known or b"[]"), last["sort_index"]}
        return json.dumps(sorted(numbers)).encode()

    print(
        f"{place['run']}: the process ended during {last['label']}. Finished specs "
        "are kept: call resume(). If the spec ends its process each time, put its function into a "
        'module and use executor="multiprocess"',
        file=sys.stderr,
    )
    open_backend(place["location"]).update(place["key"], with_this)
