"""OpenAI's files and batches, for the model server; standard library only.

A batch is answered when it is made, all its lines together; its answers can be fetched when
`seconds` are over. `on_step` is told of each request before it is answered: it may wait, or raise
`Unheard`, so that no answer comes.
"""

import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any

__all__ = ["Batches", "Unheard"]

CHAT = "/v1/chat/completions"


class Unheard(Exception):
    """The connection breaks before the answer."""


# (HTTP status, body) for each of some chat requests.
AnswerAll = Callable[[Sequence[Mapping[str, Any]]], Sequence[tuple[int, bytes]]]


@dataclass(frozen=True)
class _Batch:
    id: str
    input_file_id: str
    output_file_id: str | None
    error_file_id: str | None
    answered: int
    failed: int
    ready_at: float  # by the monotonic clock
    created_at: int
    ends_as: str


class Batches:
    """The batch endpoints: `get` and `post` give the JSON for a path, or None if it is no path."""

    def __init__(self, answer_all: AnswerAll) -> None:
        self.seconds = 0.0  # from the making of a batch to its answers
        self.is_held = False  # no batch gets ready
        self.ends_as = "completed"
        self.unanswered = 0  # so many last lines of a batch, unless it is completed
        self.has_files = True  # where no line of a batch was answered
        self.unseen: set[str] = set()  # ids that this key does not see
        self.on_step: Callable[[str], None] = lambda step: None
        self._answer_all = answer_all
        self._files: dict[str, bytes] = {}
        self._batches: dict[str, _Batch] = {}
        self._numbers = itertools.count(1)

    @property
    def sizes(self) -> list[int]:
        """How many lines each batch has, in the order in which they were made."""
        return [batch.answered + batch.failed for batch in self._batches.values()]

    def get(self, path: str) -> bytes | None:
        match path.partition("?")[0].removeprefix("/v1/").split("/"):
            case ["files", id, "content"]:
                self.on_step("content")
                return self._files.get(id)
            case ["batches"]:
                found = [self._described(batch) for batch in reversed(self._batches.values())]
                return _to_json({"object": "list", "data": found, "has_more": False})
            case ["batches", id] if id in self._batches and id not in self.unseen:
                self.on_step("retrieve")
                return _to_json(self._described(self._batches[id]))
        return None

    def post(self, path: str, content_type: str, body: bytes) -> bytes | None:
        """Take a file, or make a batch. Raises for a body that is neither."""
        match path:
            case "/v1/files":
                content = _uploaded(content_type, body)
                described = {"object": "file", "bytes": len(content), "purpose": "batch"}
                times = {"created_at": 0, "filename": "batch.jsonl", "status": "processed"}
                self.on_step("upload")
                stored = {"id": self._store(content), **described, **times}
                self.on_step("uploaded")
                return _to_json(stored)
            case "/v1/batches":
                self.on_step("create")
                made = self._described(self._make(json.loads(body)))
                self.on_step("created")
                return _to_json(made)
        return None

    def _make(self, asked: Mapping[str, Any]) -> _Batch:
        input_file_id = str(asked["input_file_id"])
        lines = [json.loads(line) for line in self._files[input_file_id].splitlines()]
        if {CHAT} != {asked["endpoint"], *(line["url"] for line in lines)}:
            raise ValueError(f"only batches of {CHAT} are answered")
        count = len(lines) - (0 if self.ends_as == "completed" else self.unanswered)
        lines, unanswered = lines[:count], lines[count:]
        answers = self._answer_all([line["body"] for line in lines])
        results: dict[bool, list[bytes]] = {True: [], False: []}
        for line, (status, answer) in zip(lines, answers, strict=True):
            results[status == 200].append(self._result(line["custom_id"], status, answer))
        for line in unanswered if self.has_files else ():
            results[False].append(self._unanswered(line["custom_id"]))
        batch = _Batch(
            id=f"batch_{next(self._numbers)}",
            input_file_id=input_file_id,
            output_file_id=self._store(b"\n".join(results[True])) if results[True] else None,
            error_file_id=self._store(b"\n".join(results[False])) if results[False] else None,
            answered=len(results[True]),
            failed=len(results[False]),
            ready_at=time.monotonic() + self.seconds,
            created_at=int(time.time()),
            ends_as=self.ends_as,
        )
        self._batches[batch.id] = batch
        return batch

    def _result(self, custom_id: str, status: int, answer: bytes) -> bytes:
        """A line of a result file. OpenAI keeps `error` for calls that were never made."""
        id = f"batch_req_{next(self._numbers)}"
        response = {"status_code": status, "request_id": id, "body": _json_or_text(answer)}
        return _to_json({"id": id, "custom_id": custom_id, "response": response, "error": None})

    def _unanswered(self, custom_id: str) -> bytes:
        error = {"code": f"batch_{self.ends_as}", "message": "This call was not made."}
        return _to_json({"id": "none", "custom_id": custom_id, "response": None, "error": error})

    def _described(self, batch: _Batch) -> dict[str, Any]:
        is_ready = time.monotonic() >= batch.ready_at and not self.is_held
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": CHAT,
            "completion_window": "24h",
            "created_at": batch.created_at,
            "input_file_id": batch.input_file_id,
            "status": batch.ends_as if is_ready else "in_progress",
            "output_file_id": batch.output_file_id if is_ready else None,
            "error_file_id": batch.error_file_id if is_ready else None,
            "request_counts": {
                "total": batch.answered + batch.failed,
                "completed": batch.answered if is_ready else 0,
                "failed": batch.failed if is_ready else 0,
            },
        }

    def _store(self, content: bytes) -> str:
        id = f"file-{next(self._numbers)}"
        self._files[id] = content
        return id


def _uploaded(content_type: str, body: bytes) -> bytes:
    """The content of the part named `file` of a multipart form."""
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    for part in form.walk():
        if part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content
    raise ValueError("the form has no part named file")


def _json_or_text(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _to_json(content: object) -> bytes:
    return json.dumps(content).encode()
