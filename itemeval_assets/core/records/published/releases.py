"""Rules of releases: the published versions of a study.

A cell of a release is one grading event that the design asks for: generate x grade condition x
item x replication, of one revision of the data.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.tables.cells import CELL_COLUMNS
from itemeval_assets.core.tables.schemas import GRADINGS_LONG

Bump = Literal["bumpmajor", "bumpminor", "bumppatch"]

# Long texts stand once, in the frame gradings_long; logs have a frame of their own.
_ELSEWHERE = {
    "study",
    "solution",
    "reasoning",
    "judge_completion",
    "gen_log_file",
    "grade_log_file",
}
_ELSEWHERE |= {"gen_condition_slug", "grade_condition_slug"}
EVENT_COLUMNS = tuple(
    name for name in GRADINGS_LONG.column_names if name not in {*CELL_COLUMNS, *_ELSEWHERE}
)


@dataclass(frozen=True)
class Release:
    """A published release. `is_new` is false where nothing had changed since it.

    `missing` counts cells of the design without a sound grading event.
    """

    study: str
    experiment_id: str
    version: str
    uri: str
    bucket: str
    is_new: bool
    cells: int
    events: int
    missing: int


class PartitionContent(NamedTuple):
    """What a partition of gradings_long holds: digests of its cells, and of its rows."""

    cells: int
    cells_sha256: str
    rows_sha256: str


def items_of(config: StudyConfig, items: Sequence[Mapping[str, str]]) -> list[str]:
    """The ids of those stored items that the YAML still has: of its datasets, up to
    their limits, and of its sample.

    Reads item_id and dataset_id; items are in the order of their dataset, or of the sample.
    """
    limits: dict[str, list[int | None]] = {}
    for dataset in config.benchmark.datasets:
        limits.setdefault(dataset.id, []).append(dataset.limit)
    seen: Counter[str] = Counter()
    found = []
    for item in items:
        dataset = item["dataset_id"]
        seen[dataset] += 1
        # Parts of one dataset may have limits of their own: together they have so many at most.
        given = limits.get(dataset, [0])
        most = None if None in given else sum(limit or 0 for limit in given)
        if most is None or seen[dataset] <= most:
            found.append(item["item_id"])
    sample = config.benchmark.sample
    return found[: sample.n] if sample else found


def required_bump(
    before: Mapping[str, PartitionContent],
    now: Mapping[str, PartitionContent],
    has_lost_cells: Callable[[str], bool],
) -> Bump | None:
    """How much the version rises between two contents, by partition; None: nothing changed.

    Major when a cell is gone: the design changed. Minor when cells were added. Patch when the same
    cells have other rows. `has_lost_cells(partition)` is asked only where digests differ.
    """
    if before.keys() - now.keys():
        return "bumpmajor"
    changed = [name for name in before if before[name].cells_sha256 != now[name].cells_sha256]
    if any(has_lost_cells(name) for name in changed):
        return "bumpmajor"
    if changed or now.keys() - before.keys():
        return "bumpminor"
    return None if before == now else "bumppatch"
