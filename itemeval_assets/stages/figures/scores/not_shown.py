"""What to say of solutions that judges were not shown as a whole."""

from collections.abc import Iterable, Iterator

import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import Partition

from ..planned import PlannedCells

__all__ = ["about_not_shown"]

_COLUMNS = ["error", "solution_chars_not_shown"]


def about_not_shown(
    planned: PlannedCells, graders: Iterable[GradeCondition], generate: Iterable[str]
) -> Iterator[str]:
    """How many solutions of some generate conditions were cut for each of these judges."""
    ids = list(generate)
    for one in graders:
        most = one.grader.call and one.grader.call.max_solution_chars
        if not most:
            continue
        rows = planned.store.read("gradings", [Partition((id, one.id)) for id in ids], _COLUMNS)
        graded = rows.filter(pc.field("error").is_null())
        left = graded["solution_chars_not_shown"]
        if cut := len(left) - left.null_count:
            yield (
                f"{one.label} was shown {cut:,} of {len(left):,} solutions cut to their first"
                f" {most:,} characters (graders.{one.grader.name}.max_solution_chars)."
            )
