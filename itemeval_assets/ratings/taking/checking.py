"""Whether a filled-in sheet is what the study has written, row by row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.words import counted, cut

from ..content import SheetTexts
from ..records import Line, Sheet
from ..texts import is_same, score_of
from .reading import FilledRow

_SHOWN = 20


class Rating(NamedTuple):
    """One row that counts: what was rated, and how."""

    row: FilledRow
    line: Line
    score: float


class _Known(NamedTuple):
    sheet: Sheet
    line: Line


def sheet_of(path: Path, rows: Sequence[FilledRow], sheets: Sequence[Sheet]) -> list[Sheet]:
    """The sheets that the rows are of: all of one rater and one rubric.

    Rows with an unknown code are left to `ratings_of`, unless all are. Raises DatasetError, which
    names rows, for these and for rows of two raters.
    """
    known = _by_code(sheets)
    told = [f"{row.place}: {_unknown(row.code)}" for row in rows if row.code not in known]
    if len(told) == len(rows):
        _refuse(path, told)
    rows = [row for row in rows if row.code in known]
    found = {known[row.code].sheet.id: known[row.code].sheet for row in rows}
    for name in ("rater", "rubric", "grade_condition_id"):
        first: dict[str, str] = {}
        for row in rows:
            first.setdefault(getattr(known[row.code].sheet, name), row.place)
        if len(first) > 1:
            shown = ", ".join(f"{value} ({place})" for value, place in first.items())
            raise DatasetError(
                f"{path}: has rows of several sheets that differ in their {name}: {shown}; give "
                "each a file of its own. Nothing was taken"
            )
    return [*found.values()]


def ratings_of(
    path: Path,
    rows: Sequence[FilledRow],
    sheets: Sequence[Sheet],
    hashes: Mapping[tuple[str, Cell], str],
    texts: SheetTexts,
) -> list[Rating]:
    """The rows with a score. Raises DatasetError with every row that cannot be taken.

    `hashes`: the fingerprints of the answers as they are now.
    """
    known = _by_code(sheets)
    low, high = sheets[0].scale
    problems, seen = [], dict[str, Rating]()
    for row in rows:
        if row.code not in known:
            problems.append(f"{row.place}: {_unknown(row.code)}")
            continue
        line = known[row.code].line
        problem = _problem_of_texts(row, line, hashes, texts)
        score = None if row.score is None else score_of(row.score)
        if problem is None and row.score is not None:
            problem = _problem_of_score(row, score, low, high)
        before = seen.get(row.code)
        if problem is None and score is not None and before is not None:
            problem = _problem_of_twin(row, score, before)
        if problem is not None:
            problems.append(f"{row.place}: {problem}")
        elif score is not None and (before is None or not before.row.comment):
            seen[row.code] = Rating(row, line, score)
    _refuse(path, problems)
    return [*seen.values()]


def _problem_of_twin(row: FilledRow, score: float, before: Rating) -> str | None:
    """What two rows of one answer say differently. One of them may lack its comment."""
    others = {
        "score": before.score != score,
        "comment": bool(row.comment and before.row.comment) and row.comment != before.row.comment,
    }
    for what, is_other in others.items():
        if is_other:
            return f"the code {row.code} has another {what} in {before.row.place}; keep one of them"
    return None


def _problem_of_texts(
    row: FilledRow,
    line: Line,
    hashes: Mapping[tuple[str, Cell], str],
    texts: SheetTexts,
) -> str | None:
    if hashes.get((line.gen_condition_id, line.cell)) != line.solution_hash:
        # Nobody has rated it: what has become of the answer does not matter.
        return (
            None
            if row.score is None
            else (
                f"the answer of the code {row.code} has changed since the sheet was written, or is "
                "gone; remove the row, and write a new sheet"
            )
        )
    kept = {name.lower(): text for name, text in texts.of(line).items()}
    changed = [
        name for name, given in row.texts.items() if name in kept and not is_same(given, kept[name])
    ]
    if changed:
        return (
            f"the {changed[0]} is not the text that was written beside the code {row.code}: "
            f"{cut(row.texts[changed[0]])!r} in place of {cut(kept[changed[0]])!r}; restore it, or "
            "leave the column out"
        )
    return None


def _problem_of_score(row: FilledRow, score: float | None, low: float, high: float) -> str | None:
    if score is None:
        return f"the score {cut(str(row.score))!r} is no number; write one {_range(low, high)}"
    if not low <= score <= high:
        return f"the score {score:g} is outside of the scale; write one {_range(low, high)}"
    return None


def _range(low: float, high: float) -> str:
    return f"from {low:g} to {high:g}, or leave it empty"


def _unknown(code: str) -> str:
    if not code:
        return "there is no code; restore it, or remove the row"
    return (
        f"no sheet of this study has the code {cut(code)!r}; it is of another study, or was changed"
    )


def _by_code(sheets: Sequence[Sheet]) -> dict[str, _Known]:
    return {line.code: _Known(sheet, line) for sheet in sheets for line in sheet.lines}


def _refuse(path: Path, problems: Sequence[str]) -> None:
    """Raise DatasetError where there are problems, with the first of them."""
    if not problems:
        return
    more = len(problems) - _SHOWN
    lines = [*problems[:_SHOWN], *([f"and {counted(more, 'more row')}"] if more > 0 else [])]
    told = "\n  ".join(lines)
    what = counted(len(problems), "row")
    raise DatasetError(f"{path}: {what} cannot be taken. Nothing was taken\n  {told}")
