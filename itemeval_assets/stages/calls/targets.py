"""The items of a run whose targets its scorers cannot compare an answer with."""

from collections.abc import Sequence

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.targets import Ungradable, ungradable

from .stage_run import Scope


def ungradable_items(scope: Scope, gradings: Sequence[Partition] = ()) -> list[Ungradable]:
    """What the scorers of these gradings cannot grade; without any, those of the whole design.

    Of a run that makes only solutions, the gradings are still to come.
    """
    design, limit = scope.study.design, scope.extent.items_limit
    graders = design.graders_of(gradings or scope.study.grade_partitions())
    columns = (scope.items[name].slice(0, limit).to_pylist() for name in ("item_id", "target"))
    return ungradable(graders, dict(zip(*columns, strict=True)))
