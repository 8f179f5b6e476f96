"""Errors of looking for what is not published: each names the place and lists what there is."""

from collections.abc import Iterable

from itemeval_assets.core.errors import ItemevalAssetsError

__all__ = [
    "ExperimentNotFoundError",
    "ExperimentRunNotFoundError",
    "ExperimentVersionNotFoundError",
    "NotFoundError",
    "ResultNotFoundError",
]

SHOWN = 10


class NotFoundError(ItemevalAssetsError):
    """Something is not published at a place of a bucket or folder."""

    def __init__(self, what: str, place: str, kind: str, there_are: Iterable[str]) -> None:
        known = list(there_are)
        listed = ", ".join(known[:SHOWN]) + (", ..." if len(known) > SHOWN else "")
        super().__init__(f"there is no {what} in {place}; {kind} there: {listed or 'none'}")


class ExperimentNotFoundError(NotFoundError):
    """No run of the experiment is published."""


class ExperimentVersionNotFoundError(NotFoundError):
    """The experiment has no published run of the version."""


class ExperimentRunNotFoundError(NotFoundError):
    """The version has no published run of that time, or none with results yet."""


class ResultNotFoundError(NotFoundError):
    """The run has no result of that name."""
