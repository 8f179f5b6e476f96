"""Views on the page of an asset in Dagster, which has room for 75 letters and cuts the rest."""

from dataclasses import replace
from typing import Any, NamedTuple

from itemeval_assets.core.text.labels import label_parts
from itemeval_assets.report.views.view import Column, View

from .records import columns_of, shown

_CONDITION, _PARTS = "condition", ("model", "prompt", "config", "graded by")


class PageTable(NamedTuple):
    """The rows by heading, and in words what all of them have in common."""

    rows: list[dict[str, Any]]
    in_all_rows: str


def on_asset_page(view: View) -> PageTable:
    """A view without what is empty, or the same in all rows, or for who has more room.

    A condition has its model, prompt and config in columns of their own.
    """
    columns = [column for column in columns_of(view, "people") if _has_room(column, view)]
    rows = shown(replace(view, columns=columns))
    once = {str(column.page) for column in columns if column.once and len(rows) > 1}
    same = {name: rows[0][name] for name in once if len({str(row[name]) for row in rows}) == 1}
    filled = {name for row in rows for name, value in row.items() if value not in ("", None)}
    kept = [name for name in map(_heading, columns) if name in filled - same.keys()]
    said = [f"{name} {same[name]}" for name in map(_heading, columns) if same.get(name)]
    return PageTable(
        _by_parts([{name: row[name] for name in kept} for row in rows]), "; ".join(said)
    )


def _has_room(column: Column, view: View) -> bool:
    # Nobody can click on a path there.
    return column.kind != "logs" and not column.wide and column.applies(view)


def _heading(column: Column) -> str:
    return str(column.page)


def _by_parts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the parts of each condition in the place of its label."""
    if not rows or _CONDITION not in rows[0]:
        return rows
    parts = [label_parts(str(row[_CONDITION])) for row in rows]
    heads = [name for n, name in enumerate(_PARTS) if any(part[n] for part in parts)]
    return [
        {
            **{name: value for name, value in zip(_PARTS, part, strict=True) if name in heads},
            **{name: value for name, value in row.items() if name != _CONDITION},
        }
        for part, row in zip(parts, rows, strict=True)
    ]
