"""How batches stand goes to whoever listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inspect_ai.model._providers.util.batch_log import (
    BatchStatus,
    set_batch_log_callback,
    set_batch_status_callback,
)

from .openai_lines import keep_lines_apart


@contextmanager
def batches_told_to(listener: Callable[[str], None], providers: set[str]) -> Iterator[None]:
    """Tell `listener` how batches stand while the block runs; inspect would print it."""

    def tell(status: BatchStatus) -> None:
        answered = status.completed_requests + status.failed_requests
        listener(
            f"{status.batch_count} batches in flight, {answered} of "
            f"{answered + status.pending_requests} calls answered"
        )

    if "openai" in providers:
        keep_lines_apart()
    set_batch_status_callback(tell)
    set_batch_log_callback(listener)
    try:
        yield
    finally:
        set_batch_status_callback(None)
        set_batch_log_callback(None)
