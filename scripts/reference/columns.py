"""docs/columns.md: all tables with their columns, from the schemas that write them."""

from pathlib import Path

from itemeval_assets.core.tables.cells import CELLS
from itemeval_assets.core.tables.column_notes import COLUMN_NOTES
from itemeval_assets.core.tables.schemas import TABLES, Column, Table

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "columns.md"
HEAD = """\
# All tables and columns

`python -m scripts.reference` makes this page from the schemas that write the tables.
[Results](results.md) says where the tables are and what their rows mean. A column with \u25cf is a
part of the key, which no two rows share. A column that is required is never null. Types are those
of Arrow.
"""


def page() -> str:
    """The page as it has to be."""
    return HEAD + "".join(map(_of_table, (*TABLES.values(), CELLS)))


def _of_table(table: Table) -> str:
    rows = "".join(_row(table, column) for column in table.columns)
    head = "| column | meaning | type | required |\n|---|---|---|---|\n"
    grain = table.grain[0].upper() + table.grain[1:]
    return f"\n## {table.name}\n\n{grain}.\n\n{head}{rows}"


def _row(table: Table, column: Column) -> str:
    mark = " \u25cf" if column.name in table.key else ""
    note = column.note or COLUMN_NOTES.get(column.name, "")
    note = note.replace("|", "\\|").replace("<", "\\<")
    required = "yes" if column.required or column.name in table.key else ""
    return f"| `{column.name}`{mark} | {note} | {column.type} | {required} |\n"
