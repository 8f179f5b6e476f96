"""What the terminal shows of an import: what came in, what did not and why, and how to go on."""

from typing import TYPE_CHECKING

from itemeval_assets.core.text.words import counted

from ..terminal import command, data, out

if TYPE_CHECKING:
    from itemeval_assets.imports.found import ImportSummary


def import_summary(found: "ImportSummary") -> None:
    """What came in from where, and what to know of it."""
    for line in _lines(found):
        out.print(data(line), soft_wrap=True)
    for note in found.notes:
        out.print(data(f"{note[0].upper()}{note[1:]}."), style="yellow", soft_wrap=True)
    for left in found.left_out:
        verb = "stays out" if left.count == 1 else "stay out"
        words = f"{left.words} {verb}: {left.why}."
        out.print(data(words), style="yellow", soft_wrap=True)
    if found.is_dry_run:
        again = command("import", found.source, found.config)
        out.print(f"Nothing was stored. Take it in:  {again}", soft_wrap=True)
    else:
        out.print(f"Look at it:  {command('status', found.config)}", soft_wrap=True)


def _lines(found: "ImportSummary") -> list[str]:
    if found.is_nothing:
        return [f"{found.study}: all of {found.source} is there already."]
    counts = ", ".join(
        counted(count, what)
        for count, what in (
            (found.items, "item"),
            (found.solutions, "solution"),
            (found.gradings, "grading"),
            (found.logs, "log"),
        )
    )
    verb = "would come in" if found.is_dry_run else "came in"
    return [f"{found.study}: {counts} {verb}", f"  from {found.source}", f"  to   {found.location}"]
