"""How large texts and prompts are, in whole columns: a million prompts are not written for it.

Sizes are int64[texts, 2]: characters, and bytes in UTF-8. Both add up where texts are joined.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.pending import Grid
from itemeval_assets.core.prompts.long_solutions import cut_mark
from itemeval_assets.core.prompts.prompts import Item, Prompt

from .estimate import likely_tokens, size_bytes, tokens_at_most

# Of UTF-8.
_BYTES_PER_CHARACTER_AT_MOST = 4


class PromptSizes(NamedTuple):
    """The prompts of some items. `bare`: their sizes without a solution; `times`: int64[items],
    how often a solution stands in each.
    """

    bare: np.ndarray
    times: np.ndarray

    def with_solutions(self, items: np.ndarray, solutions: np.ndarray) -> np.ndarray:
        """The sizes of prompts of these items (places), each with a solution of that size."""
        return self.bare[items] + self.times[items, None] * solutions


class TextSizes(NamedTuple):
    """The texts of the cells of a grid: their sizes, 0 without a text; whether there is a row, and
    whether it has a text. bool[cells]
    """

    sizes: np.ndarray
    has_row: np.ndarray
    has_text: np.ndarray


def sizes_of(texts: Iterable[str]) -> np.ndarray:
    found = [(len(text), size_bytes(text)) for text in texts]
    return np.array(found, np.int64).reshape(-1, 2)


def prompt_sizes(
    items: Sequence[Item], prompt_for: Callable[[Item, str | None], Prompt]
) -> PromptSizes:
    """The sizes of what a template makes of each item."""
    bare, longer = (sizes_of(prompt_for(item, text).text for item in items) for text in ("", "x"))
    return PromptSizes(bare, (longer - bare)[:, 0])


def text_sizes(grid: Grid, solutions: pa.Table, most: int | None = None) -> TextSizes:
    """The stored solutions of one generate condition. Reads item_id, epoch and solution.

    `most`: the most characters that a judge is shown of one.
    """
    places, texts = grid.places(solutions), _shown(solutions["solution"], most)
    inside = places >= 0
    sizes = np.zeros((len(grid), 2), np.int64)
    for column, size_of in enumerate((pc.utf8_length, pc.binary_length)):  # type: ignore[attr-defined]
        sizes[places[inside], column] = size_of(texts).fill_null(0).to_numpy()[inside]
    has_row, has_text = np.zeros(len(grid), bool), np.zeros(len(grid), bool)
    has_row[places[inside]] = True
    has_text[places[inside]] = texts.is_valid().to_numpy()[inside]
    return TextSizes(sizes, has_row, has_text)


def shown_at_most(tokens: int, most: int | None) -> int:
    """The tokens at most of a solution to come, of which a judge is shown so many characters."""
    if most is None:
        return tokens
    return min(tokens, tokens_at_most(_BYTES_PER_CHARACTER_AT_MOST * most + len(cut_mark(most))))


def shown_likely(tokens: int, most: int | None) -> int:
    """The same of the tokens that it probably has."""
    return tokens if most is None else min(tokens, likely_tokens(most + len(cut_mark(most))))


def _shown(texts: pa.ChunkedArray, most: int | None) -> pa.ChunkedArray:
    """`long_solutions.shown` of each text."""
    if most is None:
        return texts
    is_long = pc.greater(pc.utf8_length(texts), most)  # type: ignore[attr-defined]
    heads = pc.utf8_slice_codeunits(texts, 0, most)  # type: ignore[attr-defined]
    cut = pc.binary_join_element_wise(heads, cut_mark(most), "")  # type: ignore[attr-defined]
    return pc.if_else(is_long, cut, texts)  # type: ignore[attr-defined]
