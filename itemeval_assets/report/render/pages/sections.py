"""The parts of a page, before a template shows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Section:
    """Sentences and tables, pictures, a text as it is, and parts that open on a click.

    Tables are mappings with a `title`, `columns` and `rows`.
    """

    title: str = ""
    blocks: Sequence[Any] = ()
    pictures: "Mapping[str, Callable[[], Figure]]" = field(default_factory=dict)
    text: str = ""
    folded: "Sequence[Section]" = ()
