"""What the terminal shows of sheets, and of the ratings that came in."""

from typing import TYPE_CHECKING

from itemeval_assets.core.text.words import counted

from ..render.terminal_table import show
from ..terminal import command, data, out, paragraph
from ..views.people import expected_view

if TYPE_CHECKING:
    from itemeval_assets.ratings.records import NextRatings, RatingsSummary, SheetSummary

__all__ = ["next_ratings", "ratings_taken", "sheet_written"]


def sheet_written(found: "SheetSummary") -> None:
    """Where the sheet is, what it will bring, and how to go on."""
    low, high = found.scale
    out.print(
        f"{counted(found.answers, 'answer')} for {data(found.rater)} to rate from {low:g} to "
        f"{high:g}; {found.left - found.answers:,} more are left:",
        soft_wrap=True,
    )
    out.print(f"  {data(found.path)}", soft_wrap=True)
    _expected(found)
    filled = found.path if not found.path.endswith(".html") else "RATINGS.csv"
    again = command("ratings", "import", filled, found.config)
    out.print(f"Once it is filled in:  {again}", soft_wrap=True)


def next_ratings(found: "NextRatings") -> None:
    """What the next sheet would bring, and the command that writes it."""
    out.print(
        f"The next {counted(found.answers, 'answer')} of {found.left:,} that {data(found.rater)} "
        "can rate:",
        soft_wrap=True,
    )
    _expected(found)
    options = ("--rater", found.rater, "--n", str(found.answers), "--seed", str(found.seed))
    out.print(
        f"Write the sheet:  {command('ratings', 'sheet', found.config, *options)}", soft_wrap=True
    )


def _expected(found: "NextRatings") -> None:
    show(expected_view(found.expected))
    told = [one for one in found.expected if one.then is not None]
    if told:
        widest = max(told, key=lambda one: one.now or 0.0)
        paragraph(
            f"The {found.level:.0%} interval of the corrected mean of {widest.model} would shrink "
            f"from ±{widest.now:.3g} to ±{widest.then:.3g}, on the rater's scale."
        )
    else:
        paragraph("How much the intervals would shrink is known from 10 rated items of a model on.")
    for words in found.words:
        paragraph(f"{words}.")


def ratings_taken(found: "RatingsSummary") -> None:
    """What came in, what was there already, and what is left blank."""
    out.print(
        f"{counted(found.ratings, 'rating')} by {data(found.rater)} came in, {found.known:,} "
        f"{'was' if found.known == 1 else 'were'} there already, {counted(found.blank, 'row')} "
        f"{'has' if found.blank == 1 else 'have'} no score.",
        soft_wrap=True,
    )
    if found.is_new_rater:
        paragraph(f"{found.rater} is a rater of the study now: see graders in {found.config}")
    if found.kept:
        out.print(f"The file is kept as  {data(found.kept)}", soft_wrap=True)
    for note in found.notes:
        paragraph(f"{note}.")
    out.print(f"Look at it:  {command('agreement', found.config)}", soft_wrap=True)
