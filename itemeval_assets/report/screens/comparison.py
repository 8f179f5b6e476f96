"""What the terminal shows of two runs of an experiment side by side."""

from typing import TYPE_CHECKING

from ..terminal import data, out
from .experiment_lines import count_of, counts_of, named, shortened, spec_line, status_of

if TYPE_CHECKING:
    from itemeval_assets.experiments import Comparison
    from itemeval_assets.experiments.read.compare import Changes
    from itemeval_assets.experiments.read.row_changes import RowChanges

__all__ = ["compared"]


def compared(found: "Comparison") -> None:
    """What differs between two runs: fields, frames, rows, and the first values."""
    before, after = found.before, found.after
    for sign, run in (("-", before), ("+", after)):
        name = data(f"{run.experiment}/{run.version}/{run.timestamp}")
        out.print(f"{sign} {name}: {status_of(run)}{counts_of(run)}", soft_wrap=True)
    if found.is_equal:
        out.print("No difference.")
    for side, fields in (("inputs", found.inputs), ("outputs", found.outputs)):
        named(side, _changed_fields(fields))
    signs = (("+", found.frames_added), ("-", found.frames_removed))
    frames = {f"{sign} {name}": rows for sign, side in signs for name, rows in side.items()}
    named("frames", {name: count_of(rows, "row") for name, rows in frames.items()})
    for name, changes in found.frames.items():
        if changes:
            _changed_rows(name, changes)


def _changed_fields(fields: "Changes[str]") -> dict[str, str]:
    changed = {f"! {name}": f"{was} -> {now}" for name, (was, now) in fields.changed.items()}
    added = {f"+ {name}": kind for name, kind in fields.added.items()}
    return {f"- {name}": kind for name, kind in fields.removed.items()} | added | changed


def _changed_rows(name: str, changes: "RowChanges") -> None:
    counts = f"{changes.added:,} added, {changes.removed:,} removed, {changes.changed:,} changed"
    rows = f"{count_of(changes.rows_before, 'row')}, then {changes.rows_after:,}"
    out.print(f"[bold]{data(name)}[/bold]: {rows}: {counts}", soft_wrap=True)
    types = changes.columns_changed.items()
    columns = {f"- column {column}": "" for column in changes.columns_removed}
    columns |= {f"+ column {column}": "" for column in changes.columns_added}
    named("", columns | {f"! column {column}": f"{was} -> {now}" for column, (was, now) in types})
    named("", {f"! {column}": count_of(n, "value") for column, n in changes.values.items()})
    sides = (
        ("-", changes.first_removed, changes.removed),
        ("+", changes.first_added, changes.added),
    )
    for sign, first, total in sides:
        for row in first:
            out.print(data(f"  {sign} {spec_line(row)}"), soft_wrap=True)
        _and_more(total - len(first))
    for one in changes.first_changed:
        values = f"{shortened(str(one.before))} -> {shortened(str(one.after))}"
        out.print(data(f"  ! {one.column} {values}: {spec_line(one.row)}"), soft_wrap=True)
    _and_more(sum(changes.values.values()) - len(changes.first_changed))


def _and_more(number: int) -> None:
    if number > 0:
        out.print(f"  and {number:,} more")
