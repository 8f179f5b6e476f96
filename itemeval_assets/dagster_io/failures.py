"""Errors of steps and ticks as Dagster records them: short enough to be read, without secrets.

Dagster keeps an error with its causes and the lines of source that raised them, word for word, and
with them what servers say back.
"""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from itemeval_assets.core.errors import ItemevalAssetsError, error_from
from itemeval_assets.core.text.secrets import beginning, without_secrets
from itemeval_assets.measurement.records import MeasurementError

from .results import tell_error

# Of a text in an event: megabytes make the history slow to read.
MOST_CHARACTERS = 8_000


@contextmanager
def users_errors() -> Iterator[None]:
    """End the step with the message of an error, and nothing else of it.

    One that the user can act on is not retried, and is known by its class and exit code. Of any
    other, the traceback is told, too.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except (ItemevalAssetsError, MeasurementError) as error:
        raise for_user(error) from None
    except Exception as error:
        raise _unexpected(error) from None


def in_event(text: str) -> str:
    """A text that others wrote as an event has it: its beginning, without secrets."""
    return beginning(text, MOST_CHARACTERS, os.environ)


def failure_text(failure: dg.DagsterEvent) -> str:
    """What failed a step: the message meant for people, else that of the first cause."""
    data = failure.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return in_event(first_cause(failure)[1].strip())


def first_cause(failure: dg.DagsterEvent) -> tuple[str | None, str]:
    """The class and the message of what failed a step: of an error with causes, the first one."""
    error = failure.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return (error.cls_name, error.message) if error else (None, "no message")


def for_user(
    error: ItemevalAssetsError | MeasurementError, **metadata: dg.MetadataValue
) -> dg.Failure:
    """The failure of a step by an error that the user can act on; `metadata` is shown first.

    Who started the run in this process is told the error, as Dagster records it.
    """
    kind, message = type(error).__name__, in_event(str(error))
    known = error.facts if isinstance(error, ItemevalAssetsError) else {}
    facts = {name: round(value, 9) for name, value in known.items()}
    tell_error(error_from(kind, message, facts))
    return dg.Failure(
        description=message,
        metadata={**metadata, "error": kind, "exit_code": error.exit_code, **facts},
        allow_retries=False,
    )


def _unexpected(error: Exception) -> dg.Failure:
    return dg.Failure(
        description=in_event("".join(traceback.format_exception_only(error)).strip()),
        metadata={"traceback": dg.MetadataValue.md(f"````\n{_traceback(error)}\n````")},
    )


def _traceback(error: Exception) -> str:
    """The end of it: there are the lines that raised the error."""
    text = "".join(traceback.format_exception(error))
    return without_secrets(text[-4 * MOST_CHARACTERS :], os.environ)[-MOST_CHARACTERS:]
