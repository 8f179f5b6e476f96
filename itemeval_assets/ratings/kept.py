"""What the study keeps of sheets: which answers are on each, under which codes."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from itemeval_assets.core.text.typed import read_record
from itemeval_assets.storage.study.layout import RATINGS, sheet_key, sheets_in
from itemeval_assets.storage.study.store import ResultsStore

from .records import Sheet


def keep_sheet(store: ResultsStore, sheet: Sheet) -> None:
    """Keep the codes of a sheet, before anybody sees it."""
    found: dict[str, Any] = {**asdict(sheet), "lines": [[*line] for line in sheet.lines]}
    store.update_json(sheet_key(sheet.id), lambda known: known or found)


def forget_sheet(store: ResultsStore, sheet: Sheet) -> None:
    """Forget a sheet that could not be written: its answers are free again."""
    store.backend.delete(sheet_key(sheet.id))


def kept_sheets(store: ResultsStore) -> Iterator[Sheet]:
    """The sheets of a study. Raises StoreError for one that is damaged."""
    for key in sheets_in(store.backend.list(RATINGS)):
        try:
            yield read_record(Sheet, store.read_json(key) or {})
        except (TypeError, ValueError) as error:
            raise store.damaged(key, "is not as a sheet is kept") from error
