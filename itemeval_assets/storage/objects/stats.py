"""What is known of an object without reading it."""

from datetime import datetime
from typing import NamedTuple


class ObjectStat(NamedTuple):
    """`mark`: another one after every write. `changed_at`: when the last one was, in UTC."""

    mark: str
    changed_at: datetime
