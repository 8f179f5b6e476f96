"""A histogram in characters, as Markdown: it takes no time to draw, and no room in a database."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itemeval_assets.core.records.summaries import Graded

_LONGEST_BAR = 28


def histogram(graded: "Graded") -> str:
    """A line for each bin of the scores: its centre on the grader's scale, a bar, and how many."""
    low, high = graded.scale
    counts, last = graded.histogram, len(graded.histogram) - 1
    lines = [
        f"{low + (high - low) * place / last:<8.4g}{_bar(count, max(counts))} {count}"
        for place, count in enumerate(counts)
    ]
    return "\n".join(["```", *lines, "```"])


def _bar(count: int, most: int) -> str:
    """A bin with a single score is seen, too."""
    return "█" * -(-count * _LONGEST_BAR // most)
