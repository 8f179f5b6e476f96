"""What people see of the models of a study, and of what was drawn for it."""

from typing import TYPE_CHECKING

from itemeval_assets.report.terminal import data, out, paragraph

if TYPE_CHECKING:
    from itemeval_assets.stages.projection.estimate import StudyEstimate
    from itemeval_assets.stages.views.redrawing import Redrawn
    from itemeval_assets.stages.views.status import StudyStatus


def redrawn(found: "Redrawn") -> None:
    """The models of a study that were drawn again, and what that changed."""
    paragraph(f"The models are a {found.words}:")
    for model in found.models:
        word = "  new" if model in found.came else ""
        out.print(f"  {data(model)}{word}", soft_wrap=True)
    for model in found.gone:
        out.print(f"  gone: {data(model)}; its rows stay", soft_wrap=True)
    if not found.came and not found.gone:
        out.print("They are the same as before.")
    if found.roster:
        out.print(f"The roster: {data(found.roster)}", soft_wrap=True)
    out.print(
        f"Locked in {data(found.lock)}." if found.lock else "Nothing was locked.", soft_wrap=True
    )


def samples(found: "StudyStatus | StudyEstimate") -> None:
    """How models and items were drawn."""
    items = found.sample and found.sample.words
    for what, words in (("models", found.model_sample), ("items", items)):
        if words:
            paragraph(f"The {what} are a {words}.")
