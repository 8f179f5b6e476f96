"""What all pictures share: size, colours, and the form in which a web page shows them."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["figure", "markdown_image"]

# One grey that stands out from white and from black, on a transparent ground.
INK = "#808890"
STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.size": 9,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "savefig.facecolor": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}
DOTS_PER_INCH = 110


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches, in the style of all pictures. Needs no screen."""
    with mpl.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def markdown_image(drawn: Figure, alt: str) -> str:
    """The figure as Markdown that holds the PNG itself."""
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        drawn.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return f"![{alt}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
