"""One file of HTML with everything in it, for a light and a dark screen."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .markdown import rendered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["page"]


def page(title: str, blocks: Sequence[Any], pictures: "Mapping[str, Callable[[], Figure]]") -> str:
    """Blocks are sentences, or mappings with a `title` and `rows`."""
    sources = {name: _data_uri(name, draw) for name, draw in pictures.items()}
    return rendered("figures.html", title=title, blocks=blocks, pictures=sources)


def _data_uri(name: str, draw: "Callable[[], Figure]") -> str:
    from itemeval_assets.report.plots.figures import markdown_image

    return markdown_image(draw(), html.escape(name)).rpartition("](")[2].removesuffix(")")
