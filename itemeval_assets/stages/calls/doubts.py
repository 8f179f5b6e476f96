"""What may be wrong in the items and the templates of a run: told before its calls."""

from collections.abc import Sequence

from itemeval_assets.core.design.items.nested import words_on_inputs
from itemeval_assets.core.design.items.targets import Ungradable, ungradable
from itemeval_assets.core.design.partitions import Partition

from .stage_run import Scope


def ungradable_items(scope: Scope, gradings: Sequence[Partition] = ()) -> list[Ungradable]:
    """What the scorers of these gradings cannot grade; without any, those of the whole design.

    Of a run that makes only solutions, the gradings are still to come.
    """
    graders = scope.study.design.graders_of(gradings or scope.study.grade_partitions())
    return ungradable(graders, _column(scope, "target"))


def doubts(scope: Scope, found: Sequence[Ungradable]) -> list[str]:
    """What may be wrong, in words. `found`: what the scorers cannot grade."""
    benchmark = scope.study.config.benchmark
    is_text = benchmark.mapping.chat is None and not benchmark.ref
    inputs = words_on_inputs(_column(scope, "input")) if is_text else []
    return [*(one.words for one in found), *inputs, *scope.study.design.doubts]


def _column(scope: Scope, name: str) -> dict[str, str]:
    """A column of the items of the run, by item id."""
    columns = (scope.items[one].slice(0, scope.extent.items_limit) for one in ("item_id", name))
    return dict(zip(*(column.to_pylist() for column in columns), strict=True))
