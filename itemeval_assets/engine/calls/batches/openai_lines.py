"""OpenAI's batches: what is wrong with one line, or with all, is the error of these calls alone."""

from typing import Any

_ENDED = ("completed", "cancelled", "expired")
_IS_MENDED = "is_mended"


def keep_lines_apart() -> None:
    """Make an error of a batch's line an error of that line, and end batches without answers.

    inspect_ai 0.3.285 takes the body of an error for a completion, and a word for the status of a
    reply: it fails on both, and gives up all lines of the batch, paid answers among them. For a
    batch that expired before any answer it would wait for ever.
    """
    from inspect_ai.model._providers._openai_batch import OpenAIBatcher

    if hasattr(OpenAIBatcher, _IS_MENDED):
        return
    whole, of_all = OpenAIBatcher._parse_jsonl_line, OpenAIBatcher._results_from_rejection

    def parse(self: Any, line: dict[str, Any]) -> tuple[str, Any]:
        error = _error_of_line(self, line)
        return (line["custom_id"], error) if error else whole(self, line)

    def results(self: Any, batch: Any, errors: Any) -> dict[str, Exception]:
        told = list(errors.data or []) if errors else []
        if not told or len(told) == len(batch.requests):
            return of_all(self, batch, errors)
        error = _LineFailed(f"the batch failed: [{told[0].code}] {told[0].message}")
        return dict.fromkeys(batch.requests, error)

    OpenAIBatcher._parse_jsonl_line = parse  # type: ignore[method-assign,assignment]
    OpenAIBatcher._results_from_rejection = results  # type: ignore[method-assign,assignment]
    OpenAIBatcher._adapt_batch_info = _with_an_end  # type: ignore[method-assign,assignment]
    setattr(OpenAIBatcher, _IS_MENDED, True)


class _LineFailed(Exception):
    """The provider made no call for a line. inspect keeps `message` as the error of the sample."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def _error_of_line(batcher: Any, line: dict[str, Any]) -> Exception | None:
    """What a line says instead of an answer."""
    import httpx2

    if error := line.get("error"):
        return _LineFailed(f"[{error.get('code')}] {error.get('message')}")
    response = line.get("response") or {}
    status = response.get("status_code", 200)
    if status == 200:
        return None
    reply = httpx2.Response(
        status, json=response.get("body"), request=httpx2.Request("POST", "https://batch")
    )
    return batcher._openai_client._make_status_error_from_response(reply)


def _with_an_end(_batcher: Any, found: Any) -> Any:
    """The batch; one that has ended without any file as refused, which inspect knows as an end."""
    from openai.types.batch import Errors
    from openai.types.batch_error import BatchError

    if found.status not in _ENDED or found.output_file_id or found.error_file_id:
        return found
    why = BatchError(code=found.status, message="it has ended without answers")
    return found.model_copy(update={"status": "failed", "errors": Errors(data=[why])})
