"""A study whose answers can be rated, and a rater who fills sheets in."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.ratings.kept import kept_sheets
from itemeval_assets.ratings.records import Line, Sheet
from itemeval_assets.storage.study.store import open_store
from tests.scored import scored_study

__all__ = [
    "JUDGE",
    "RATER",
    "as_csv",
    "filled",
    "line_of",
    "rated_study",
    "sheet_rows",
    "sheets_of",
]

RATER = {"kind": "human", "scale": [0, 1]}
Row = dict[str, str]


JUDGE = {"model": "mockllm/judge", "scale": [0, 1]}


def rated_study(
    folder: Path,
    *,
    items: int = 12,
    graders: Mapping[str, Any] = {"judge": JUDGE},
    **more: Any,
) -> Study:
    """A judge that is right of even items, and kind to the others. Nobody has rated."""

    def score(model: str, grader: str, n: int, epoch: int) -> float:
        return 1.0 if n % 2 == 0 else float(n % 4 == 1)

    return scored_study(folder, score, items=items, graders=graders, **more)


def sheet_rows(path: Path) -> list[Row]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheets_of(study: Study) -> list[Sheet]:
    return sorted(kept_sheets(open_store(study)), key=lambda sheet: sheet.created_at)


def line_of(study: Study, code: str) -> Line:
    [line] = [line for sheet in sheets_of(study) for line in sheet.lines if line.code == code]
    return line


def truth(line: Line) -> float:
    """What a careful person says: answers to even items are right."""
    return float(int(line.item_id.removeprefix("q")) % 2 == 0)


def filled(
    study: Study, path: Path, rate: Callable[[Line], object] = truth, **more: str
) -> list[Row]:
    """The rows of a sheet with scores."""
    lines = {line.code: line for sheet in sheets_of(study) for line in sheet.lines}
    return [{**row, **more, "score": str(rate(lines[row["code"]]))} for row in sheet_rows(path)]


def as_csv(path: Path, rows: list[Mapping[str, Any]] | list[Row], **how: Any) -> Path:
    """Write rows as a spreadsheet does. `how`: delimiter, encoding, line ends."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text,
        [*rows[0]],
        delimiter=how.get("delimiter", ","),
        lineterminator=how.get("line_end", "\r\n"),
    )
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(how.get("encoding", "utf-8-sig")))
    return path
