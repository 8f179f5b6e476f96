"""Errors a user can act on: each message says what is wrong, where, and what to do.

`exit_code` is the process exit code the command line gives for the error.
"""

from collections.abc import Mapping

from .text.secrets import redacted


class ItemevalAssetsError(Exception):
    """Base of every error this package raises on purpose.

    `facts` are the figures behind the message, by name. What looks like a secret in a message
    is left out: messages quote what servers and libraries say.
    """

    exit_code = 2

    def __init__(self, message: str = "", facts: Mapping[str, float] | None = None) -> None:
        super().__init__(redacted(message))
        self.facts = dict(facts or {})


class ConfigError(ItemevalAssetsError):
    """The study YAML, or a setting, is wrong."""


class TemplateError(ItemevalAssetsError):
    """A prompt or rubric file is missing, unreadable, or lacks a placeholder."""


class DatasetError(ItemevalAssetsError):
    """A dataset is unreadable, lacks a mapped column, repeats an id, or changed since pinned."""


class ModelError(ItemevalAssetsError):
    """A model cannot be reached at all: unknown provider, missing package, missing key."""


class StoreError(ItemevalAssetsError):
    """A stored table is unreadable, of another study or config, or refuses a row."""


class EnvironmentMissing(ItemevalAssetsError):
    """An optional package or program is not installed."""


class NotOffered(ItemevalAssetsError):
    """What Linux and macOS can do, and Windows cannot."""

    @classmethod
    def on_windows(cls, what: str, instead: str) -> "NotOffered":
        """`instead`: what to do."""
        return cls(f"{what}: offered on Linux and macOS, not on Windows; {instead}")


class RunFailed(ItemevalAssetsError):
    """A Dagster run ended in failure."""

    exit_code = 1


class EvidenceLost(ItemevalAssetsError):
    """Paid calls in the ledger have neither a row nor a log, and nobody accepted the loss."""

    exit_code = 1


class Stopped(RunFailed):
    """Somebody stopped a run, as with Ctrl-C."""

    def __init__(
        self,
        message: str = "stopped; finished calls are kept, the next run continues from there",
        facts: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(message, facts)


class HistoryError(ItemevalAssetsError):
    """Dagster's home, where the history of runs is, cannot be read or written."""

    exit_code = 1


class ConsentMissing(ItemevalAssetsError):
    """The projected cost is above `budget.confirm_above_usd` and nobody agreed to it."""

    exit_code = 3


class BudgetExceeded(ItemevalAssetsError):
    """The projected cost is above `budget.max_usd`."""

    exit_code = 4


def error_from(
    kind: str, message: str, facts: Mapping[str, float] | None = None
) -> ItemevalAssetsError:
    """The error that a Dagster run, or another process, tells of by the name of its class.

    Classes of other layers come as the base of all.
    """
    return _KINDS.get(kind, ItemevalAssetsError)(message, facts)


_KINDS: dict[str, type[ItemevalAssetsError]] = {
    name: kind
    for name, kind in list(globals().items())
    if isinstance(kind, type) and issubclass(kind, ItemevalAssetsError)
}
