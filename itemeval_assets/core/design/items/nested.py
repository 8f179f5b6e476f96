"""Lists and objects of the data in the place of a text: an item has them as JSON."""

import json
from collections.abc import Mapping

from itemeval_assets.core.text.words import counted, cut

from ..conditions.ids import canonical_json

_SHOWN = 3


def is_nested(text: str) -> bool:
    """Whether a text is what an item has of a list or an object of the data: JSON of one form.

    Without a text in it, it may be meant as it stands, as the interval `[0,1]` is.
    """
    if not text.startswith(("[", "{")) or '"' not in text:
        return False
    try:
        return canonical_json(json.loads(text)) == text
    except (ValueError, RecursionError):
        return False


def words_on_inputs(inputs: Mapping[str, str]) -> list[str]:
    """What to know of inputs that are nested, by item id; nothing where none is."""
    nested = {id: text for id, text in inputs.items() if is_nested(text)}
    if not nested:
        return []
    first = [f"{id}: {cut(text)!r}" for id, text in list(nested.items())[:_SHOWN]]
    shown = ", ".join([*first, *(["..."] if len(nested) > _SHOWN else [])])
    return [
        f"the input of {len(nested):,} of {counted(len(inputs), 'item')} is a list or an object, "
        f"and is sent as its JSON text: {shown}. If that is not meant, map a column with "
        "the text in `benchmark.mapping.input`"
    ]
