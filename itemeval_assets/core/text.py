"""Text that can be stored: whatever a model sends, a table can hold."""

__all__ = ["well_formed"]


def well_formed(text: str) -> str:
    """The text with surrogate pairs joined; lone surrogates and NULs become U+FFFD.

    UTF-8 has no lone surrogates, and readers of CSV cut a text at a NUL.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\x00", "\ufffd")
