"""Texts that a spreadsheet shows, and does not run."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# What Excel, LibreOffice and Google Sheets take for the start of a formula, also in full width,
# and the white space that they pass over before it. An apostrophe is what marks a text.
FORMULA = "^ *['=+\\-@\t\r\n＝＋－＠]"


def for_spreadsheet(rows: "pa.Table") -> "pa.Table":
    """The rows with an apostrophe before each text that a spreadsheet would run, or cut.

    A text that begins with an apostrophe gets another one, so that each text can be had back by
    removing the first apostrophe. Numbers stay as they are: a negative one is no formula.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            texts = rows.column(place)
            marked = pc.binary_join_element_wise("'", texts, "")  # type: ignore[attr-defined]
            is_formula = pc.match_substring_regex(texts, FORMULA)  # type: ignore[attr-defined]
            shown = pc.if_else(is_formula, marked, texts)  # type: ignore[attr-defined]
            rows = rows.set_column(place, field, shown)
    return rows
