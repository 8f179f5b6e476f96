"""Batch mode: its state goes to whoever listens, and a refused line harms no other line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from inspect_ai.model._providers.util.batch_log import (
    BatchStatus,
    set_batch_log_callback,
    set_batch_status_callback,
)


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
        _keep_lines_apart()
    set_batch_status_callback(tell)
    set_batch_log_callback(listener)
    try:
        yield
    finally:
        set_batch_status_callback(None)
        set_batch_log_callback(None)


def _keep_lines_apart() -> None:
    """Make an error of the provider in a batch's line an error of that line alone.

    inspect_ai 0.3.285 takes the error's body for a completion, fails on it, and gives up all
    lines of the batch: answers that are paid for would be lost, and paid for again.
    """
    import httpx2
    from inspect_ai.model._providers._openai_batch import OpenAIBatcher

    if getattr(OpenAIBatcher._parse_jsonl_line, "keeps_lines_apart", False):
        return
    whole = OpenAIBatcher._parse_jsonl_line

    def parse(self: Any, line: dict[str, Any]) -> tuple[str, Any]:
        response = line.get("response") or {}
        status = response.get("status_code", 200)
        if line.get("error") is not None or status == 200:
            return whole(self, line)  # pyright: ignore[reportReturnType]
        reply = httpx2.Response(
            status, json=response.get("body"), request=httpx2.Request("POST", "https://batch")
        )
        return line["custom_id"], self._openai_client._make_status_error_from_response(reply)

    parse.keeps_lines_apart = True  # type: ignore[attr-defined]
    OpenAIBatcher._parse_jsonl_line = parse  # type: ignore[method-assign,assignment]
