"""The items of a study: its data as they were pinned, loaded, sampled, and changed since."""

from .changed_data import changed_datasets, notes_on_data, refuse_changed_data
from .loading import Items, are_stored, known, load, peek
from .pins import are_pinned

__all__ = [
    "Items",
    "are_pinned",
    "are_stored",
    "changed_datasets",
    "known",
    "load",
    "notes_on_data",
    "peek",
    "refuse_changed_data",
]
