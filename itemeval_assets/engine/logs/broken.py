"""Logs that inspect could not write to their end: one Task of an eval broke, others went on."""

from pathlib import Path

from inspect_ai.log import EvalLog, write_eval_log

from .reading import read_log
from .spent import Spent, tell_noted


def complete_header(log: EvalLog, spent: Spent) -> None:
    """Write how a broken log ended, and what its calls used, into its header on the disk.

    Samples that never came into it were answered, and paid for. They are read from the header, as
    those are that inspect itself drops when an eval is cut off. Raises StoreError for a log that
    cannot be read.
    """
    kept = read_log(Path(log.location))
    kept.status, kept.error = log.status, log.error
    tell_noted(kept, spent.of(log.location), spent.calls_of(log.location))
    write_log(kept, Path(log.location))


def write_log(log: EvalLog, path: Path) -> None:
    """Write a log with its samples to a file of this machine."""
    write_eval_log(log, str(path))


def why_broken(log: EvalLog) -> str | None:
    """Why inspect could not write a log to its end; None where it did."""
    if log.status == "success":
        return None
    return log.error.message if log.error else f"its status is {log.status}"
