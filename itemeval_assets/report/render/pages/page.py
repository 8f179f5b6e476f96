"""One file of HTML with everything in it, for a light and a dark screen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..markdown import rendered
from .images import shown_image
from .sections import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def page(
    title: str,
    sections: Sequence[Section],
    *,
    study: str,
    words: Iterable[str] = (),
    totals: Mapping[str, str] | None = None,
) -> str:
    """A page with a section after the other. `totals`: {what: figure}, to be seen first."""
    return rendered(
        "page.html",
        title=title,
        study=study,
        words=list(words),
        totals=totals or {},
        sections=sections,
        picture=_picture,
        shown_image=shown_image,
    )


def _picture(name: str, draw: "Callable[[], Figure]") -> dict[str, str]:
    """A picture as a data URI, and what it tells whoever cannot see it."""
    from itemeval_assets.report.plots.figures import markdown_image

    drawn = draw()
    source = markdown_image(drawn, "").removeprefix("![](").removesuffix(")")
    return {"source": source, "told": str(drawn.get_label() or name)}
