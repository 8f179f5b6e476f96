"""A new wave or rejudge goes into the study file once nothing keeps its run from its calls."""

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GENERATE
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.stages import items
from itemeval_assets.storage.objects.new_files import replace_file, require_replaceable
from itemeval_assets.storage.study.store import ResultsStore, open_store

from .foreseeing import foreseen, require_allowed


def write_time(before: Study, study: Study, selection: Selection, options: RunOptions) -> None:
    """Write the text of `study` in the place of that of `before`, which lacks a time.

    Rows of it that are stored already count, and are not called again. Raises ConfigError where the
    file cannot be replaced, or the time would be without a cell, and what the gate raises: then the
    file is as before, and no call was made.
    """
    require_replaceable(study.config_path, "a new time")
    store = open_store(study, look=True)
    store.require_layout()
    found = foreseen(study, store, selection, options)
    if not found.remaining.calls and not _has_rows(store, selection):
        raise ConfigError(f"{study.config_path}: {_why_nothing(selection, found.policy)}")
    require_allowed(study, options, found)
    texts = (one.snapshot.config.encode() for one in (before, study))
    replace_file(study.config_path, *texts)


def _has_rows(store: ResultsStore, selection: Selection) -> bool:
    """Whether rows of a time are stored: it was in the file before."""
    parts = selection.partitions
    return any(store.read(one.stage.table, [one], ["item_id"]).num_rows for one in parts)


def require_items(study: Study, anchors: int | None) -> None:
    """Raise ConfigError where a new time is to have more items than the data."""
    store = open_store(study, look=True)
    if anchors is None or anchors <= items.known(study, store).table.num_rows:
        return
    # Data may have grown since the items were stored.
    n = items.peek(study, store).table.num_rows
    if anchors > n:
        raise ConfigError(
            f"anchors: {anchors:,} items are to be drawn, and the data have {n:,}; give at most "
            f"{n:,}, or leave it out for all"
        )


def _why_nothing(selection: Selection, policy: str) -> str:
    if selection.of(GENERATE):
        return f"the policy {policy} covers none of the chosen items: --policy full-interactive"
    return (
        f"no answer that the policy {policy} covers is stored, so there is nothing to grade again; "
        "run the study first"
    )
