"""Errors of a sample that every other sample of its task would have as well."""

import re

# What to do about a tool that inspect_ai cannot offer to a model.
DESCRIBE_IT = (
    "write a docstring in the function that the tool returns: what it does, and below `Args:` a "
    "line for each parameter"
)
_UNDESCRIBED = re.compile(r"Description not provided for (?:tool|parameter .* of) function '(.+)'")


def undescribed_tool(error: str) -> str | None:
    """The name of the tool that an error of inspect_ai says to have no docstring."""
    found = _UNDESCRIBED.search(error)
    return found and found[1]
