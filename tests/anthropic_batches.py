"""Anthropic's message batches, for the model server; standard library only.

They share the hooks of OpenAI's batches: `seconds`, `on_step`, `unseen`, `ends_as` and
`unanswered`.
"""

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.model_batches import AnswerAll, Batches

__all__ = ["AnthropicBatches"]

_PATH = "/v1/messages/batches"


@dataclass(frozen=True)
class _Batch:
    id: str
    results: list[dict[str, Any]]
    ready_at: float  # by the monotonic clock
    created_at: datetime


class AnthropicBatches:
    """The batch endpoints: `get` and `post` give the JSON for a path, or None if it is no path."""

    def __init__(self, answer_all: AnswerAll, hooks: Batches) -> None:
        self._answer_all, self._hooks = answer_all, hooks
        self._batches: dict[str, _Batch] = {}
        self._numbers = itertools.count(1)

    @property
    def sizes(self) -> list[int]:
        """How many lines each batch has, in the order in which they were made."""
        return [len(batch.results) for batch in self._batches.values()]

    def get(self, path: str, host: str) -> bytes | None:
        path = path.partition("?")[0]
        if path == _PATH:
            found = [self._described(batch, host) for batch in reversed(self._batches.values())]
            return json.dumps({"data": found, "has_more": False}).encode()
        match path.removeprefix(f"{_PATH}/").split("/"):
            case [id] if id in self._batches and id not in self._hooks.unseen:
                self._hooks.on_step("retrieve")
                return json.dumps(self._described(self._batches[id], host)).encode()
            case [id, "results"] if id in self._batches:
                self._hooks.on_step("content")
                return b"".join(
                    json.dumps(line).encode() + b"\n" for line in self._batches[id].results
                )
        return None

    def post(self, path: str, body: bytes, host: str) -> bytes | None:
        """Make a batch."""
        if path.partition("?")[0] != _PATH:
            return None
        self._hooks.on_step("create")
        made = self._described(self._make(json.loads(body)["requests"]), host)
        self._hooks.on_step("created")
        return json.dumps(made).encode()

    def _make(self, lines: list[dict[str, Any]]) -> _Batch:
        count = len(lines) - (0 if self._hooks.ends_as == "completed" else self._hooks.unanswered)
        answers = self._answer_all([line["params"] for line in lines[:count]])
        results = [_result(answer[0], json.loads(answer[1])) for answer in answers]
        results += [{"type": self._hooks.ends_as}] * (len(lines) - count)
        batch = _Batch(
            f"msgbatch_{next(self._numbers)}",
            [
                {"custom_id": line["custom_id"], "result": result}
                for line, result in zip(lines, results, strict=True)
            ],
            time.monotonic() + self._hooks.seconds,
            datetime.now(UTC),
        )
        self._batches[batch.id] = batch
        return batch

    def _described(self, batch: _Batch, host: str) -> dict[str, Any]:
        is_ready = time.monotonic() >= batch.ready_at and not self._hooks.is_held
        counts = dict.fromkeys(("canceled", "errored", "expired", "processing", "succeeded"), 0)
        for line in batch.results:
            counts[line["result"]["type"] if is_ready else "processing"] += 1
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if is_ready else "in_progress",
            "request_counts": counts,
            "created_at": batch.created_at.isoformat(),
            "expires_at": (batch.created_at + timedelta(days=1)).isoformat(),
            "results_url": f"http://{host}{_PATH}/{batch.id}/results" if is_ready else None,
        }


def _result(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """A line's result, made of the answer that OpenAI's clients would have."""
    if status != 200:
        error = {"type": "invalid_request_error", "message": json.dumps(body)}
        return {"type": "errored", "error": {"type": "error", "error": error}}
    usage = body["usage"]
    message = {
        "id": f"msg_{body['id']}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": body["choices"][0]["message"]["content"]}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
        },
    }
    return {"type": "succeeded", "message": message}
