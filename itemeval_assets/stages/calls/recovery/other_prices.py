"""Which models a task calls is known after the calls: then their prices are kept with its log."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.engine.logs.reading import read_log
from itemeval_assets.storage.study.store import ResultsStore

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


def read_with_prices(store: ResultsStore, key: str, model: str, prices: PriceBook) -> "EvalLog":
    """An archived log with its samples. The prices of today are written into it where it has none.

    `model` is that of its condition, whose price is there from the start. Raises StoreError for a
    log that cannot be read.
    """
    from itemeval_assets.engine.logs.broken import write_log
    from itemeval_assets.engine.tasks.logs.prices import add_prices

    log = read_log(store.backend.local_copy(key), store.backend.uri(key))
    if add_prices(log, model, prices):
        with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
            whole = Path(folder) / "whole.eval"
            write_log(log, whole)
            store.backend.upload(whole, key, give_away=True)
    return log
