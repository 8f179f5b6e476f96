"""One file of HTML with everything in it, for a light and a dark screen."""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .images import shown_image
from .markdown import rendered
from .sections import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["page"]


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
        source=_data_uri,
        shown_image=shown_image,
    )


def _data_uri(name: str, draw: "Callable[[], Figure]") -> str:
    from itemeval_assets.report.plots.figures import markdown_image

    return markdown_image(draw(), html.escape(name)).rpartition("](")[2].removesuffix(")")
