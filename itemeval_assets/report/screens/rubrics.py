"""What the terminal shows of rubrics that people look through."""

from typing import TYPE_CHECKING

from itemeval_assets.core.text.words import counted

from ..terminal import command, data, out, paragraph

if TYPE_CHECKING:
    from itemeval_assets.ratings.rubrics.records import RubricsSummary, RubricsTaken

__all__ = ["rubrics_taken", "rubrics_written"]


def rubrics_written(found: "RubricsSummary") -> None:
    """Where the file is, what is in it, and how to go on."""
    missing = f"; {found.missing:,} are not written yet" if found.missing else ""
    out.print(f"{counted(found.rubrics, 'rubric')}, {found.edited:,} of them edited{missing}:")
    out.print(f"  {data(found.path)}", soft_wrap=True)
    for words in found.words:
        paragraph(f"{words}.")
    again = command("rubrics", "import", found.config, found.path, "--by", "NAME")
    out.print(f"Once texts are changed:  {again}", soft_wrap=True)


def rubrics_taken(found: "RubricsTaken") -> None:
    """What came in, and what is graded again for it."""
    out.print(
        f"{counted(found.changed, 'rubric')} {'has' if found.changed == 1 else 'have'} a new text, "
        f"{found.known:,} {'is' if found.known == 1 else 'are'} as before."
    )
    if found.stale:
        paragraph(f"{counted(found.stale, 'grading')} by the texts of before will be made again.")
        out.print(f"What that costs:  {command('estimate', found.config)}", soft_wrap=True)
