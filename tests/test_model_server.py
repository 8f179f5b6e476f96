"""The test server: same request, same fate; every fault as declared; counts that add up."""

import asyncio
import json
import re
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from inspect_ai.model import GenerateConfig, Model, ModelOutput, get_model
from inspect_ai.model._providers.util import batch as inspect_batch
from openai import BadRequestError, NotFoundError, OpenAI

from tests.model_server import (
    MALFORMED,
    Answer,
    Behaviour,
    ModelServer,
    Request,
    error_answer,
    read_counts,
    server_process,
)

JUDGE = 'Reply with {"score": <0..1>}. The solution was: 42.'
SCHEMA = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": {}}}


def post(
    base_url: str, prompt: Any, model: str = "m", **options: Any
) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of one chat request."""
    messages = [{"role": "user", "content": prompt}]
    content = {"model": model, "messages": messages} | options
    request = urllib.request.Request(
        f"{base_url}/chat/completions", data=json.dumps(content).encode()
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, reply.read().decode(), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def text_of(base_url: str, prompt: Any, model: str = "m", **options: Any) -> str:
    """The content of a successful reply."""
    status, body, _ = post(base_url, prompt, model, **options)
    assert status == 200, body
    return json.loads(body)["choices"][0]["message"]["content"]


def inspect_model(server: ModelServer, **config: Any) -> Model:
    """The server behind inspect_ai, without the OpenAI client's own retries."""
    return get_model(
        "openai-api/test/m",
        base_url=server.base_url,
        api_key="x",
        config=GenerateConfig(**config),
        memoize=False,
        max_retries=0,
    )


def test_solver_judge_and_schema_prompts_get_their_own_form() -> None:
    with ModelServer() as server:
        solution = text_of(server.base_url, "What is 6 x 7?")
        fenced = text_of(server.base_url, JUDGE)
        bare = text_of(server.base_url, JUDGE, response_format=SCHEMA)
    assert re.search(r"\nANSWER: \d+$", solution)
    block = re.search(r"```json\n(.*)\n```", fenced)
    assert block and json.loads(block[1]) == json.loads(bare)
    assert 0 <= json.loads(bare)["score"] <= 1


def test_replies_depend_on_model_and_prompt_alone() -> None:
    with ModelServer() as one, ModelServer() as two:
        first = text_of(one.base_url, "q", temperature=0.0)
        again = text_of(one.base_url, "q", temperature=1.0)
        elsewhere = text_of(two.base_url, [{"type": "text", "text": "q"}])
        replies = {text_of(one.base_url, "q", model=f"m{n}") for n in range(10)}
    assert first == again == elsewhere
    assert len(replies) > 1


def test_usage_adds_up() -> None:
    with ModelServer(Behaviour(cached_tokens=3, reasoning_tokens=50)) as server:
        usage = json.loads(post(server.base_url, "x" * 40)[1])["usage"]
        short = json.loads(post(server.base_url, "x")[1])["usage"]
    assert usage["prompt_tokens"] == 11
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": 3}
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 50}
    assert usage["completion_tokens"] > 50
    assert short["prompt_tokens_details"]["cached_tokens"] == short["prompt_tokens"]


def test_streams_hold_the_same_reply_and_usage() -> None:
    with ModelServer() as server:
        whole = json.loads(post(server.base_url, "q")[1])
        _, body, headers = post(server.base_url, "q", stream=True)
    *lines, end = [line.removeprefix("data: ") for line in body.split("\n\n") if line]
    events = [json.loads(line) for line in lines]
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    assert headers["Content-Type"] == "text/event-stream"
    assert end == "[DONE]"
    assert "".join(delta["content"] for delta in deltas) == text_in(whole)
    assert events[-1]["usage"] == whole["usage"]


def text_in(completion: dict[str, Any]) -> str:
    return completion["choices"][0]["message"]["content"]


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_permanent_faults_stay(status: int) -> None:
    with ModelServer(Behaviour(permanent=1, permanent_status=status)) as server:
        replies = [post(server.base_url, "q") for _ in range(3)]
    assert [reply[0] for reply in replies] == [status] * 3
    assert json.loads(replies[0][1])["error"].keys() >= {"message", "type", "code"}
    assert server.answered == 0


@pytest.mark.parametrize("status", [429, 500])
def test_transient_faults_end_after_their_attempts(status: int) -> None:
    behaviour = Behaviour(transient=1, transient_attempts=2, transient_statuses=(status,))
    with ModelServer(behaviour) as server:
        replies = [post(server.base_url, "q") for _ in range(4)]
        other = post(server.base_url, "another question")
    assert [reply[0] for reply in replies] == [status, status, 200, 200]
    assert replies[0][2].get("Retry-After") == ("0" if status == 429 else None)
    assert other[0] == status
    assert [request.attempt for request in server.requests] == [1, 2, 3, 4, 1]


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_bodies_are_no_json(kind: str) -> None:
    with ModelServer(Behaviour(malformed=1, malformed_kinds=(kind,))) as server:
        status, body, headers = post(server.base_url, "q")
    assert (status, headers["Content-Type"]) == (200, MALFORMED[kind][0])
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_blank_and_prose_contents() -> None:
    with ModelServer(Behaviour(blank=1)) as server:
        assert text_of(server.base_url, "q") == ""
    with ModelServer(Behaviour(prose=1)) as server:
        assert "{" not in text_of(server.base_url, JUDGE)
        assert "{" not in text_of(server.base_url, JUDGE, response_format=SCHEMA)
        assert "ANSWER:" in text_of(server.base_url, "q")


def test_delays_of_latency_and_hang() -> None:
    with ModelServer(Behaviour(latency_s=0.05, hang=1, hang_s=0.1)) as server:
        started = time.monotonic()
        assert "ANSWER:" in text_of(server.base_url, "q")
        assert 0.15 <= time.monotonic() - started < 2


def test_shares_are_met_and_fates_do_not_change() -> None:
    behaviour = Behaviour(permanent=0.1, transient=0.2, malformed=0.1, blank=0.1, hang=0.1)
    prompts = [f"question {n}" for n in range(4000)]
    fates = [behaviour.fault("m", prompt) for prompt in prompts]
    assert fates == [behaviour.fault("m", prompt) for prompt in prompts]
    assert fates != [behaviour.fault("other", prompt) for prompt in prompts]
    assert fates != [Behaviour(seed=1, blank=0.6).fault("m", p) for p in prompts]
    for fault in ("permanent", "transient", "malformed", "blank", "hang"):
        share = fates.count(fault) / len(fates)
        assert share == pytest.approx(getattr(behaviour, fault), abs=0.03)
    assert "prose" not in fates


def test_one_model_can_be_dead() -> None:
    dead = Behaviour(permanent=1, permanent_status=404)
    with ModelServer(models={"dead": dead}, lists=["dead"]) as server:
        assert post(server.base_url, "q", model="dead")[0] == 404
        assert post(server.base_url, "q", model="alive")[0] == 200
        with urllib.request.urlopen(f"{server.base_url}/models") as reply:
            names = [model["id"] for model in json.load(reply)["data"]]
    assert "dead" in names


def test_hook_takes_over() -> None:
    def reply(request: Request) -> str | Answer | None:
        if request.prompt == "teapot":
            return Answer(418, b"short and stout", "text/plain")
        if request.prompt == "broken":
            raise KeyError("no such answer")
        return f"you said {request.prompt}" if request.temperature else None

    with ModelServer(Behaviour(blank=1), reply=reply) as server:
        assert post(server.base_url, "teapot")[:2] == (418, "short and stout")
        assert text_of(server.base_url, "hi", temperature=1.0) == "you said hi"
        assert text_of(server.base_url, "hi") == ""
        status, body, _ = post(server.base_url, "broken")
    assert status == 400 and "no such answer" in body


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"messages": 3}'])
def test_requests_that_are_no_chat_are_refused(content: bytes) -> None:
    with ModelServer() as server:
        url = f"{server.base_url}/chat/completions"
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(urllib.request.Request(url, data=content))
        assert server.count() == 0


def test_counts_add_up_with_many_threads() -> None:
    behaviour = Behaviour(permanent=0.3)
    prompts = [f"question {n % 25}" for n in range(200)]
    with ModelServer(behaviour) as server, ThreadPoolExecutor(32) as pool:
        futures = [
            pool.submit(post, server.base_url, prompt, f"m{n % 2}", temperature=0.5)
            for n, prompt in enumerate(prompts)
        ]
        statuses = [future.result()[0] for future in futures]
        assert read_counts(server.base_url) == server.counts()
        assert server.answered == statuses.count(200)
        assert server.count() == 200 and server.count(model="m0") == 100
        assert server.distinct() == 50
        assert max(r.attempt for r in server.requests) == 4
        assert {r.temperature for r in server.requests} == {0.5}
        server.reset_counts()
        assert (server.count(), server.answered, server.distinct()) == (0, 0, 0)


def test_reset_keeps_attempts() -> None:
    with ModelServer(Behaviour(transient=1)) as server:
        assert post(server.base_url, "q")[0] in (429, 500)
        server.reset_counts()
        assert post(server.base_url, "q", response_format=SCHEMA)[0] == 200
        [request] = server.requests
    assert request.attempt == 2 and request.has_response_format


def test_answer_to_a_client_that_left_is_not_counted() -> None:
    with ModelServer(Behaviour(latency_s=0.3)) as server:
        request = urllib.request.Request(
            f"{server.base_url}/chat/completions",
            data=json.dumps({"model": "m", "messages": []}).encode(),
        )
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(request, timeout=0.1)
        time.sleep(0.4)
        assert (server.count(), server.answered) == (1, 0)


def test_stop_is_prompt_even_while_requests_hang() -> None:
    with ModelServer(Behaviour(hang=1, hang_s=60)) as server:
        base_url = server.base_url
        caller = threading.Thread(target=_post_and_lose, args=(base_url,))
        caller.start()
        while not server.count():
            time.sleep(0.01)
        started = time.monotonic()
    caller.join(timeout=2)
    assert not caller.is_alive() and time.monotonic() - started < 2
    with pytest.raises(OSError):
        post(base_url, "q")


def _post_and_lose(base_url: str) -> None:
    with pytest.raises(OSError):
        post(base_url, "q")


def test_process_shares_rules_and_counts() -> None:
    faults = json.dumps({"transient": 1, "transient_statuses": [500]})
    own = json.dumps({"dead": {"permanent": 1, "permanent_status": 401}})
    flags = ("--latency", "0.05", "--behaviour", faults, "--models", own)
    with server_process(*flags) as base_url, ModelServer() as here:
        started = time.monotonic()
        assert [post(base_url, "q")[0] for _ in range(2)] == [500, 200]
        assert time.monotonic() - started >= 0.1
        assert text_of(base_url, "q") == text_of(here.base_url, "q")
        assert post(base_url, "q", model="dead")[0] == 401
        counts = read_counts(base_url)
    assert counts["by_model"] == {"m": 3, "dead": 1}
    assert counts["by_status"] == {"500": 1, "200": 2, "401": 1}
    assert (counts["answered"], counts["distinct"]) == (2, 2)
    assert counts["most_at_once"] == 1
    with pytest.raises(OSError):
        post(base_url, "q")


def cached_tokens_of(base_url: str, prompt: str, model: str = "m") -> int:
    """The cached tokens that a reply reports."""
    usage = json.loads(post(base_url, prompt, model)[1])["usage"]
    return usage["prompt_tokens_details"]["cached_tokens"]


def test_a_shared_head_is_cached_once_one_with_it_was_answered() -> None:
    head = "h" * 40
    with ModelServer(Behaviour(cache_prefix_tokens=10, permanent=1)) as server:
        post(server.base_url, head + " refused")
        server.behaviour = Behaviour(cache_prefix_tokens=10)
        same_head = [cached_tokens_of(server.base_url, head + tail) for tail in ("1", "2")]
        server.reset_counts()
        after_reset = cached_tokens_of(server.base_url, head)
        other_model = cached_tokens_of(server.base_url, head, model="other")
        other_head = cached_tokens_of(server.base_url, "x" + head)
        short = [cached_tokens_of(server.base_url, "short") for _ in range(2)]
    assert (same_head, after_reset, other_model, other_head) == ([0, 10], 10, 0, 0)
    assert short == [0, 2]
    assert [request.cached_tokens for request in server.requests] == [10, 0, 0, 0, 2]


def test_a_head_on_its_way_is_not_cached_yet() -> None:
    behaviour = Behaviour(cache_prefix_tokens=10, latency_s=0.3)
    with ModelServer(behaviour) as server, ThreadPoolExecutor(3) as pool:
        prompts = ["h" * 40 + str(n) for n in range(3)]
        together = list(pool.map(partial(cached_tokens_of, server.base_url), prompts))
        assert together == [0, 0, 0]
        assert cached_tokens_of(server.base_url, "h" * 40) == 10


def test_most_at_once_counts_requests_in_flight() -> None:
    def reply(request: Request) -> None:
        if request.prompt == "broken":
            raise KeyError

    with ModelServer(Behaviour(latency_s=0.3), reply=reply) as server:
        with ThreadPoolExecutor(5) as pool:
            models = ["a", "a", "a", "b", "b"]
            list(pool.map(partial(post, server.base_url, "q"), models))
        assert (server.most_at_once("a"), server.most_at_once("b")) == (3, 2)
        assert server.most_at_once() == server.counts()["most_at_once"] == 5
        server.reset_counts()
        assert server.most_at_once() == 0
        for prompt in ("q", "broken", "q"):
            post(server.base_url, prompt, model="a")
        assert (server.most_at_once(), server.most_at_once("b")) == (1, 0)


def batch_lines(*prompts: str, url: str = "/v1/chat/completions") -> bytes:
    """The input file of a batch: a line for each prompt, which is its custom_id too."""
    lines = [
        {
            "custom_id": prompt,
            "method": "POST",
            "url": url,
            "body": {"model": "m", "messages": [{"role": "user", "content": prompt}]},
        }
        for prompt in prompts
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def results_in(client: OpenAI, file_id: str | None) -> dict[str, dict[str, Any]]:
    """The lines of a result file by custom_id."""
    lines = client.files.content(file_id or "").text.splitlines()
    return {line["custom_id"]: line for line in map(json.loads, lines)}


def make_batch(client: OpenAI, content: bytes) -> str:
    """Upload a file and make a batch of it; its id."""
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, completion_window="24h", endpoint="/v1/chat/completions"
    ).id


def test_lines_of_a_batch_are_answered_like_chat_requests() -> None:
    def reply(request: Request) -> Answer | None:
        return error_answer(400, "too long") if request.prompt == "bad" else None

    with ModelServer(Behaviour(cached_tokens=1), reply=reply) as server:
        client = OpenAI(base_url=server.base_url, api_key="x", max_retries=0)
        batch = client.batches.retrieve(make_batch(client, batch_lines("one", "bad", "é\n")))
        answered, failed = (
            results_in(client, id) for id in (batch.output_file_id, batch.error_file_id)
        )
        expected = json.loads(post(server.base_url, "one")[1])
    assert batch.status == "completed"
    assert batch.request_counts
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    assert answered.keys() == {"one", "é\n"}
    assert answered["one"]["response"]["body"] == expected
    assert failed["bad"]["response"]["status_code"] == 400
    assert failed["bad"]["response"]["body"]["error"]["message"] == "too long"
    assert failed["bad"]["error"] is None
    assert [(r.prompt, r.batch) for r in server.requests] == [
        ("one", True),
        ("bad", True),
        ("é\n", True),
        ("one", False),
    ]
    assert (server.count("m"), server.answered, server.most_at_once()) == (4, 3, 1)


def test_a_batch_takes_its_time() -> None:
    with ModelServer(Behaviour(permanent=1)) as server:
        server.batches.seconds = 0.3
        client = OpenAI(base_url=server.base_url, api_key="x", max_retries=0)
        id = make_batch(client, batch_lines("q"))
        early = client.batches.retrieve(id)
        time.sleep(0.35)
        done = client.batches.retrieve(id)
    assert (early.status, early.output_file_id, early.error_file_id) == ("in_progress", None, None)
    assert (done.status, done.output_file_id) == ("completed", None)
    assert done.error_file_id is not None


def test_what_is_no_batch_is_refused() -> None:
    with ModelServer() as server:
        client = OpenAI(base_url=server.base_url, api_key="x", max_retries=0)
        with pytest.raises(BadRequestError):
            make_batch(client, batch_lines("q", url="/v1/responses"))
        with pytest.raises(BadRequestError):
            make_batch(client, b"no json")
        with pytest.raises(NotFoundError):
            client.batches.retrieve("batch_9")
        with pytest.raises(NotFoundError):
            client.files.content("file-9")
        assert server.count() == 0


def test_inspect_calls_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask_all(model: Model, prompts: list[str]) -> list[ModelOutput]:
        return await asyncio.gather(*map(model.generate, prompts))

    monkeypatch.setattr(inspect_batch, "DEFAULT_BATCH_TICK", 0.05)
    monkeypatch.setattr(inspect_batch, "DEFAULT_SEND_DELAY", 0.05)
    prompts = [f"What is 6 x {n}?" for n in range(3)]
    with ModelServer() as server:
        server.batches.seconds = 0.1
        model = get_model(
            "openai/gpt-4o-mini",
            base_url=server.base_url,
            api_key="x",
            config=GenerateConfig(batch=True),
            memoize=False,
        )
        outputs = asyncio.run(ask_all(model, prompts))
        assert [request.batch for request in server.requests] == [True] * 3
        assert sum(server.batches.sizes) == 3
        expected = [text_of(server.base_url, prompt, model="gpt-4o-mini") for prompt in prompts]
    assert [output.completion for output in outputs] == expected
    assert all(output.usage and output.usage.input_tokens == 4 for output in outputs)


def test_process_ends_by_itself() -> None:
    with server_process("--max-seconds", "0.2") as base_url:
        assert base_url.endswith("/v1")
        deadline = time.monotonic() + 5
        with pytest.raises(OSError):
            while time.monotonic() < deadline:
                read_counts(base_url)


def test_inspect_reads_text_and_usage() -> None:
    with ModelServer(Behaviour(cached_tokens=2, reasoning_tokens=7)) as server:
        model = inspect_model(server, temperature=0.5)
        output = asyncio.run(model.generate("What is 6 x 7?"))
        expected = text_of(server.base_url, "What is 6 x 7?")
    usage = output.usage
    assert output.completion == expected and output.stop_reason == "stop"
    # inspect takes the cached tokens out of the input tokens, and not out of the total
    assert usage and (usage.input_tokens, usage.input_tokens_cache_read) == (2, 2)
    assert usage.output_tokens == len(expected) // 4 + 7
    assert usage.reasoning_tokens == 7
    assert usage.total_tokens == 4 + usage.output_tokens
    assert server.requests[0].temperature == 0.5


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (Behaviour(permanent=1, permanent_status=400), "BadRequestError"),
        (Behaviour(permanent=1, permanent_status=404), "NotFoundError"),
        (Behaviour(permanent=1, permanent_status=429), "RateLimitError"),
        (Behaviour(malformed=1, malformed_kinds=("truncated",)), "JSONDecodeError"),
        (Behaviour(malformed=1, malformed_kinds=("html",)), "OpenAIResponseError"),
    ],
)
def test_inspect_gives_up_at_once_without_retries(behaviour: Behaviour, cause: str) -> None:
    with ModelServer(behaviour) as server:
        model = inspect_model(server, max_retries=0)
        with pytest.raises(Exception) as failure:
            asyncio.run(model.generate("q"))
    assert cause in names_of(failure.value)
    assert server.count() == 1


def test_inspect_abandons_a_hanging_attempt() -> None:
    def hang_at_question(request: Request) -> Answer | None:
        return Answer(200, b"", delay_s=30) if request.prompt == "question" else None

    async def ask(model: Model, hurried: Model) -> None:
        await model.generate("warm up: the first attempt includes imports")
        await hurried.generate("question")

    with ModelServer(reply=hang_at_question) as server:
        hurried = inspect_model(server, max_retries=0, attempt_timeout=1)
        with pytest.raises(Exception) as failure:
            asyncio.run(ask(inspect_model(server), hurried))
        assert "AttemptTimeoutError" in names_of(failure.value)
        assert (server.count(), server.answered) == (2, 1)


def names_of(error: BaseException) -> set[str]:
    """The class names of an exception and its cause."""
    return {type(error).__name__, type(error.__cause__).__name__}
