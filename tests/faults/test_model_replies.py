"""What a model server may send instead of an answer: rows, and never the end of a run."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.model_server import Answer, Request, json_answer
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, rows

from .conftest import Report
from .study_runs import TIMES, Loss, assert_books_agree, declare, run_stages

HUGE = 20_000_000


def completion(content: Any, usage: Any = None, **other: Any) -> Answer:
    """A completion whose parts may be of any kind."""
    choices = [{"index": 0, "message": {"role": "assistant", "content": content}}]
    reply = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
    usage = usage or {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    return json_answer(200, {**reply, "choices": choices, "usage": usage, **other})


def tokens(prompt: Any, output: Any, total: Any = 0) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": total}


REPLIES: list[Answer] = [
    Answer(200, b""),
    Answer(200, b"\xff\xfe\x00\x80" * 100),
    Answer(200, b"<html><body>" + b"502 " * 100, "text/html"),
    Answer(200, b"null"),
    Answer(200, b"[]"),
    Answer(200, b'"text"'),
    Answer(200, b"{" * 100_000),
    Answer(200, b"[" * 5_000 + b"]" * 5_000),
    Answer(200, b'{"choices": "none"}'),
    Answer(200, b'{"choices": [null]}'),
    Answer(200, b'{"choices": [{"message": 7}]}'),
    Answer(200, b"x" * HUGE),
    completion("y" * (HUGE if TIMES > 2 else HUGE // 10)),
    completion(7),
    completion({"a": 1}),
    completion(["text", {"type": "image"}]),
    completion("4", tokens(-5, -7, -12)),
    completion("4", tokens(2**63, 2**70, 2**71)),
    completion("4", tokens(10**30, 1)),
    completion("4", tokens("7", "8", "15")),
    completion("4", tokens(1.5, 2.5, 4.0)),
    completion("4", tokens(None, None, None)),
    completion("4", tokens([1], {"a": 1}, True)),
    completion("4", choices=[{"message": {"content": "4"}, "finish_reason": "unheard_of"}]),
    completion("lone \ud800 surrogate \x00 NUL"),
    Answer(200, json.dumps({"error": {"message": "no", "code": 1}}).encode()),
    Answer(204, b""),
    Answer(404, b"\xff not json"),
    Answer(401, b""),
    Answer(418, b"teapot" * 100_000),
]
REFUSED = sum(answer.status >= 400 for answer in REPLIES)


def replies_of(victim: str) -> Callable[[Request], Answer | None]:
    def reply(request: Request) -> Answer | None:
        for number, answer in enumerate(REPLIES, 1):
            if request.model == victim and f"What is {number} + {number}?" in request.prompt:
                return answer
        return None

    return reply


@pytest.mark.filterwarnings("error:Pydantic serializer warnings")
@pytest.mark.parametrize("victim", ["m", pytest.param("judge", marks=pytest.mark.long)])
def test_no_reply_ends_a_run_or_harms_another_row(
    tmp_path: Path, serve: Serve, victim: str, report_fault: Report
) -> None:
    """Promised: a row with an error, or without a text, for each; all other rows sound; tables
    that can be read; a ledger that reconciles; and nothing is called twice in a run."""
    server, items = serve(reply=replies_of(victim)), len(REPLIES) + 3
    config = declare(tmp_path, items=items, scorer=None)
    run_stages(config)
    table = "solutions" if victim == "m" else "gradings"
    found = {row["item_id"]: row for row in rows(config, table)}
    assert len(found) == items and server.count(victim) == items
    for number in range(len(REPLIES) + 1, items + 1):
        row = found[f"q{number}"]
        assert row["error"] is None and row["usd"] > 0
        assert victim == "m" or row["parse_ok"]
    for row in found.values():
        assert row["usd"] is None or 0 <= row["usd"] < 1000, row
        assert all(row[name] is None or row[name] >= 0 for name in row if name.endswith("_tokens"))
    # Every reply but those of refused requests may be billed.
    told = sum(log["unmetered_calls"] for log in rows(config, "log_index"))
    assert told == sum(row["input_tokens"] is None for row in found.values()) - REFUSED
    assert_books_agree(config)
    report_fault(
        f"garbage, HTML, huge, empty or absurd replies of model {victim!r}",
        "rows with an error or without a text; all others sound; reconciled",
        injected=len(REPLIES),
        loss=Loss(rows=items - len(found)),
    )


def test_servers_that_hang_and_connections_that_break(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, report_fault: Report
) -> None:
    """Promised: an errored row when `attempt_timeout` is over, or the connection is reset; the
    next run calls just those."""
    from tests import model_server

    broken = {"What is 2 + 2?": b"", "What is 3 + 3?": b"HTTP/1.1 200 OK\r\nContent-Le"}
    whole = model_server._Handler._chat

    def chat(handler: Any, payload: Any) -> Answer | None:
        answer = whole(handler, payload)
        for text, start in broken.items():
            if text in str(payload) and payload["model"] == "m":
                handler.wfile.write(start)
                handler.wfile.flush()
                handler.connection.shutdown(socket.SHUT_RDWR)
                return None
        return answer

    def reply(request: Request) -> Answer | None:
        hangs = "What is 1 + 1?" in request.prompt and request.model == "m"
        return Answer(200, b"", delay_s=600) if hangs else None

    server = serve(reply=reply)
    config = declare(tmp_path, items=5, scorer=None, solvers={"attempt_timeout": 5})
    with monkeypatch.context() as patch:
        patch.setattr(model_server._Handler, "_chat", chat)
        run_stages(config)
    solutions = {row["item_id"]: row for row in rows(config, "solutions")}
    assert {id for id, row in solutions.items() if row["error"]} == {"q1", "q2", "q3"}
    assert_reconciled(config)
    server.reply = None
    server.reset_counts()
    run_stages(config)
    assert server.count("m") == 3 and server.count("judge") == 3
    found = [*rows(config, "solutions"), *rows(config, "gradings")]
    assert_reconciled(config)
    report_fault(
        "model server hangs, resets connections",
        "errored rows after the time-out; the next run calls just those",
        injected=3,
        loss=Loss(rows=10 - sum(row["error"] is None for row in found)),
    )
