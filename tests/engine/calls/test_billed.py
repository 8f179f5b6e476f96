"""What answers of batches have used, of which no sample tells: as inspect_ai counts it."""

from typing import Any

import pytest
from anthropic.types import Message
from inspect_ai.model import ModelUsage
from inspect_ai.model._openai import model_output_from_openai
from inspect_ai.model._openai_responses import model_usage_from_response_usage
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.records.batches import KeptBatch, Line
from itemeval_assets.engine.calls.batches.billed import log_of_billed, usage_of
from itemeval_assets.engine.rows import log_facts, unlogged_call

CHAT = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": []}
DETAILS = {"cached_tokens": 30, "cache_write_tokens": 5}


@pytest.mark.parametrize("details", [None, DETAILS, {"cached_tokens": 0}])
def test_openai(details: dict[str, int] | None) -> None:
    used: dict[str, Any] = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    if details:
        used["prompt_tokens_details"] = details
        used["completion_tokens_details"] = {"reasoning_tokens": 7}
    answer = ChatCompletion.model_validate({**CHAT, "usage": used})
    assert usage_of(answer) == model_output_from_openai(answer, []).usage


def test_responses_of_openai() -> None:
    used = {
        "input_tokens": 100,
        "input_tokens_details": DETAILS,
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 7},
        "total_tokens": 120,
    }
    answer = Response.construct(usage=used)
    assert usage_of(answer) == model_usage_from_response_usage(answer.usage)


def test_anthropic() -> None:
    counts = {"input_tokens": 10, "output_tokens": 20}
    cache = {"cache_read_input_tokens": 300, "cache_creation_input_tokens": 4000}
    told = {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": []}
    rest = {"stop_reason": "end_turn", "stop_sequence": None, "usage": {**counts, **cache}}
    assert usage_of(Message.model_validate({**told, **rest})) == ModelUsage(
        input_tokens=10,
        output_tokens=20,
        total_tokens=4330,
        input_tokens_cache_read=300,
        input_tokens_cache_write=4000,
    )


@pytest.mark.parametrize("answer", [None, object(), ChatCompletion.model_validate(CHAT)])
def test_what_tells_nothing(answer: object) -> None:
    assert usage_of(answer) is None


def test_the_log_of_the_same_lines_is_the_same() -> None:
    part = Partition(("g",))
    lines = {id: Line(part, Cell(id, 1), "d", 1.0, ("run",)) for id in "ab"}
    batch = KeptBatch("name", "openai/m", "run", "2026-01-01T00:00:00Z", lines, id="batch_1")
    used = {id: ModelUsage(input_tokens=1, output_tokens=2, total_tokens=3) for id in "ab"}
    log = log_of_billed(batch, used, {"model": "openai/m", "run_id": "run"})
    again = log_of_billed(batch, dict(reversed(used.items())), {"model": "openai/m"})
    assert log.eval.task_id == again.eval.task_id
    assert log.eval.task_id != log_of_billed(batch, {"a": used["a"]}, {"model": "m"}).eval.task_id
    prices = PriceBook({})
    facts, call = log_facts(log, "openai/m", prices), unlogged_call(log, "openai/m", prices)
    assert (facts["calls"], facts["total_samples"], facts["total_tokens"]) == (2, 0, 6)
    assert facts["batch"] and call and call["total_tokens"] == 6
