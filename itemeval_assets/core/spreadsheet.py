"""Texts that a spreadsheet shows, and does not run."""

__all__ = ["for_spreadsheet"]

# What Excel, LibreOffice and Google Sheets take for the start of a formula, also in full width,
# and the white space that they pass over before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def for_spreadsheet(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it, or cut its start.

    A text that begins with an apostrophe gets another one, so that each text can be had back by
    removing the first apostrophe. For texts alone: a negative number is no formula.
    """
    return f"'{text}" if text.lstrip(" ").startswith((*FORMULA, "'")) else text
