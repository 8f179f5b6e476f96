"""What a stage produced: rows, index entries, and counts."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.money.projection.estimate import NOTHING, Projection


@dataclass
class Outcome:
    """What a stage produced: rows for its table, index rows by partition, and counts.

    `held_back` counts planned calls that were not made, because others had cost more than
    anybody could foresee. `broken`: the errors of logs that inspect could not write to their end.
    """

    rows: pa.Table
    log_index: dict[Partition, pa.Table] = field(default_factory=dict)
    pending: dict[Partition, int] = field(default_factory=dict)
    recovered: dict[Partition, int] = field(default_factory=dict)
    lost: dict[Partition, list[dict[str, Any]]] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    projection: Projection = NOTHING
    unpriced: set[str] = field(default_factory=set)
    held_back: int = 0
    broken: dict[Partition, str] = field(default_factory=dict)
