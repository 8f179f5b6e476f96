"""A sheet as one page of HTML, on which a person rates without a network."""

import json
from typing import TYPE_CHECKING, Any

from ..markdown import rendered

if TYPE_CHECKING:
    from itemeval_assets.ratings.content import SheetContent

# Up to so many whole scores there is a button for each.
_MOST_BUTTONS = 11
_HEADINGS = {
    "input": "Question",
    "solution": "Answer to rate",
    "target": "Reference answer",
    "grading_scheme": "Grading scheme",
}
# An empty one is told, too.
_ALWAYS = {"input", "solution"}


def rating_page(content: "SheetContent") -> str:
    """The page. What is shown of a study is data: no text of it is run, whatever it holds."""
    sheet = content.sheet
    low, high = sheet.scale
    texts = [{"name": _HEADINGS.get(name, name), "key": name} for name in _shown(content)]
    data = {
        "sheet": sheet.id,
        "rater": sheet.rater,
        "low": low,
        "high": high,
        "buttons": _buttons(low, high),
        "texts": texts,
        "rubric": content.rubric,
        "rows": content.rows,
    }
    title = f"Answers for {sheet.rater} to rate"
    scale = f"{low:g} to {high:g}"
    return rendered("rating.html", title=title, scale=scale, data=_as_script(data))


def _shown(content: "SheetContent") -> list[str]:
    """The columns of texts without those that no answer has."""
    has_text = {name for row in content.rows for name, text in row.items() if text}
    return [name for name in content.names if name in has_text | _ALWAYS]


def _buttons(low: float, high: float) -> list[int]:
    if low.is_integer() and high.is_integer() and high - low < _MOST_BUTTONS:
        return list(range(int(low), int(high) + 1))
    return []


def _as_script(data: dict[str, Any]) -> str:
    """JSON in which nothing ends the element that it stands in."""
    text = json.dumps(data, ensure_ascii=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
