"""The rows of a table of answers, each with its cell and its generate condition."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import GenerateCondition
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.engine.data.as_saved import as_saved
from itemeval_assets.engine.data.local_files import SUFFIXES, read_file

# As `solutions` names them. What tells the condition may be left out where there is one alone.
ITEM, EPOCH, SOLUTION = "item_id", "epoch", "solution"
_OF_CONDITION = ("model", "prompt_name", "model_config_name")
COLUMNS = (ITEM, SOLUTION, EPOCH, *_OF_CONDITION)


class AnswerRow(NamedTuple):
    """One row. `place`: where it stands in the file. `solution` may be blank."""

    place: str
    condition: str
    cell: Cell
    solution: str


def is_table(path: str) -> bool:
    """Whether a path is one of a table that can be read."""
    return Path(path).suffix.lower() in SUFFIXES and "://" not in path


def answer_rows(path: Path, generate: Sequence[GenerateCondition]) -> list[AnswerRow]:
    """The rows of a table. Raises DatasetError, which names file and row, for what is none."""
    records = read_file(path, as_saved(path))
    _require_columns(path, [column for _, row in records[:1] for column in row])
    rows = [_row(path, place, row, generate) for place, row in records]
    seen: dict[tuple[str, Cell], str] = {}
    for row in rows:
        if (first := seen.setdefault((row.condition, row.cell), row.place)) != row.place:
            raise DatasetError(
                f"{path}, {row.place}: item {row.cell.item_id!r}, epoch {row.cell.epoch} has an "
                f"answer of the same condition in {first}; give further answers an `epoch` of 2, 3 "
                "and so on. Nothing was taken"
            )
    return rows


def _require_columns(path: Path, found: Sequence[str]) -> None:
    for needed in (ITEM, SOLUTION):
        if needed not in found:
            raise DatasetError(
                f"{path}: there is no column {needed!r}; a table of answers has {ITEM} and "
                f"{SOLUTION}, and may have {', '.join(COLUMNS[2:])}; found {', '.join(found)}. "
                "Rename the columns. Nothing was taken"
            )


def _row(
    path: Path, place: str, row: Mapping[str, Any], generate: Sequence[GenerateCondition]
) -> AnswerRow:
    where = f"{path}, {place}"
    given = {name: str(row[name]) for name in _OF_CONDITION if row.get(name) not in (None, "")}
    return AnswerRow(
        place,
        _condition(where, given, generate).id,
        Cell(str(row.get(ITEM)), _epoch(where, row.get(EPOCH))),
        "" if row.get(SOLUTION) is None else str(row[SOLUTION]),
    )


def _condition(
    where: str, given: Mapping[str, str], generate: Sequence[GenerateCondition]
) -> GenerateCondition:
    left = list(generate)
    for name, value in given.items():
        known = dict.fromkeys(_told(one)[name] for one in left)
        left = [one for one in left if _told(one)[name] == value]
        if not left:
            hint = did_you_mean(value, list(known))
            raise DatasetError(
                f"{where}: no generate condition has {name} {value!r}; "
                f"{hint}{'' if hint.endswith('?') else '.'} Nothing was taken"
            )
    if len(left) > 1:
        names = [name for name in _OF_CONDITION if len({_told(one)[name] for one in left}) > 1]
        raise DatasetError(
            f"{where}: {len(left)} generate conditions may have given this answer; add the "
            f"column{'s' if len(names) > 1 else ''} {' and '.join(names)}. Nothing was taken"
        )
    return left[0]


def _told(condition: GenerateCondition) -> dict[str, str]:
    return {
        "model": condition.model,
        "prompt_name": condition.prompt.name,
        "model_config_name": condition.model_config_name,
    }


def _epoch(where: str, value: Any) -> int:
    if value in (None, ""):
        return 1
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if number < 1 or number != int(number):
        raise DatasetError(f"{where}: epoch is {value!r}; give 1, 2 and so on. Nothing was taken")
    return int(number)


def by_condition(rows: Iterable[AnswerRow]) -> dict[str, list[AnswerRow]]:
    """The rows of each condition, in the order of their cells."""
    found: dict[str, list[AnswerRow]] = {}
    for row in sorted(rows, key=lambda row: row.cell):
        found.setdefault(row.condition, []).append(row)
    return found
