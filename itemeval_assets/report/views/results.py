"""Views of results: scores by condition, the completion matrix, cells and why they lack."""

from typing import Any

from itemeval_assets.core.text.labels import labels_in

from .view import Column


def _graded_by(part: Any) -> str:
    """Nothing of a generate condition."""
    return "".join(labels_in(part.label, part.partition)[1:])


def _trouble(name: str, colour: str = "") -> Column:
    return Column(name, "number", name, sometimes=name, colour=colour)


# Of a partition, which has one label for both of its conditions.
CONDITIONS = (
    Column(lambda part: labels_in(part.label, part.partition)[0], "text", "condition"),
    Column(_graded_by, "text", "graded by", sometimes=_graded_by),
)

_PAIR = (
    Column("condition", "text", "condition", "condition", "condition"),
    Column("graded_by", "text", "graded by", "graded by", "graded by"),
)

# Of generate x grade conditions, how far they are: the scores themselves are those of `scores`.
SCORED = (
    *_PAIR,
    Column("cells", "count", page="cells", wide=True),
    Column("scored", "count", page="scored"),
    Column("settled", "count", page="settled", sometimes="settled"),
    Column("left_out", "left_out", page="left out"),
)

# Of partitions, a column of a trouble only where there is one.
COMPLETION = (
    *CONDITIONS,
    Column(lambda part: (part.done, part.cells), "share", "done"),
    _trouble("settled"),
    _trouble("missing", "yellow"),
    _trouble("errored", "red"),
    _trouble("blank"),
    _trouble("stale", "yellow"),
    _trouble("truncated"),
    _trouble("unparsed"),
    _trouble("edited"),
    Column("usd", "usd", "usd"),
)

# Why cells are not done.
REASONS = (
    Column("state", "state", "state", "state"),
    Column("stage", "text", "stage", "stage"),
    Column("reason", "line", "reason", "reason"),
    Column("cells", "size", "cells", "cells"),
)

# One by one.
CELLS = (
    *_PAIR,
    Column("item_id", "text", "item", "item"),
    Column("replication", "number", "replication", "replication"),
    Column("state", "state", "state", "state"),
    Column("stage", "text", None, "stage"),
    Column("reason", "line", None, "reason"),
    Column("score", "mean", None, "score"),
)
