"""What all pictures share: size, colours, and the form in which a web page shows them."""

import base64
import io
import textwrap
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image  # what matplotlib writes PNGs with

# One grey for light and dark pages: its contrast is 4.51:1 on white, 4.66:1 on black, and 4.48:1 on
# the dark ground of Dagster's page (#030615). No grey has 4.5:1 on white and on that.
INK = "#72777f"
# Colours that also the colour-blind tell apart (after Okabe and Ito), in the order of their use.
COLOURS = ("#0f82c0", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
_STYLE: dict[Any, Any] = {
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
# How many fit: of a title, and of that of a panel.
_LETTERS_PER_INCH, _SMALL_LETTERS_PER_INCH = 13, 15
# What the label of a further repeat of a judge adds to that of the first.
_REPEAT = " · repeat "
_DOTS_PER_INCH = 110
# Inches, of which a dialog of Dagster's page shows all.
WIDEST = 9.4
_PALETTE, _NEARLY_OPAQUE = 64, 240
# Figures of a picture that are read aloud.
_MOST_TOLD = 12


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches, in the style of all pictures. Needs no screen."""
    with mpl.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def heading(drawn: Figure, text: str) -> None:
    """A title of the whole figure, in its upper left, on as many lines as it takes."""
    width = int(drawn.get_figwidth() * _LETTERS_PER_INCH)
    lines = [textwrap.fill(line, width) for line in text.splitlines()]
    drawn.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=10)


def describe(drawn: Figure, title: str, figures: Iterable[str]) -> None:
    """What a figure tells whoever cannot see it: its title, and the first of its figures."""
    every = list(figures)
    more = [f"and {len(every) - _MOST_TOLD} more"] if len(every) > _MOST_TOLD else []
    told = "; ".join([*every[:_MOST_TOLD], *more])
    drawn.set_label(" ".join(f"{title}. {told}.".split()))


def panel_title(axes: Axes, name: str, inches: float) -> None:
    """What a panel of such a width shows, on as many lines as it takes."""
    lines = textwrap.fill(" ".join(name.split()), int(inches * _SMALL_LETTERS_PER_INCH))
    axes.set_title(lines, loc="left", size=8)


def without_repeats(names: Iterable[str]) -> list[str]:
    """The graders, each judge once: by its first repeat, where that is among them."""
    known = list(dict.fromkeys(names))
    return [name for name in known if not _is_repeat(name, known)]


def _is_repeat(name: str, known: Collection[str]) -> bool:
    first, repeat, _ = name.rpartition(_REPEAT)
    return bool(repeat) and first in known


def short(text: str, longest: int) -> str:
    """The text on one line; of a longer one both ends, which is where ids and names differ."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    head = (longest - 1) // 2
    return f"{line[:head]}…{line[head + 1 - longest :]}"


def markdown_image(drawn: Figure, alt: str) -> str:
    """The figure as Markdown that holds the PNG itself."""
    drawn.set_dpi(_DOTS_PER_INCH)
    canvas = FigureCanvasAgg(drawn)
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # Of a script that the font lacks, a box stands for each letter.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    png = base64.b64encode(_small(pixels)).decode()
    return f"![{alt}](data:image/png;base64,{png})"


def _small(pixels: Image.Image) -> bytes:
    """The PNG with a palette, which takes a third of the bytes. Metadata lies in a database."""
    buffer = io.BytesIO()
    palette = pixels.quantize(_PALETTE, method=Image.Quantize.FASTOCTREE)
    # A colour of the palette is a mean, also with what is nearly opaque: it would be paler.
    colours = np.array(palette.getpalette("RGBA")).reshape(-1, 4)
    colours[colours[:, 3] >= _NEARLY_OPAQUE, 3] = 255
    palette.putpalette(colours.ravel().tolist(), "RGBA")
    palette.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
