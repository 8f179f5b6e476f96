"""The servers of local models, as Ollama, vLLM and llama.cpp list what they have."""

import socket
from collections.abc import Sequence

import pytest

from itemeval_assets.engine.models.servers import Servers
from tests.model_server import ModelServer

LISTED = [
    # the provider, what the server lists, models that it has, a model that it lacks
    ("ollama", ["llama3.2:latest", "qwen2.5:0.5b"], ["llama3.2", "qwen2.5:0.5b"], "qwen2.5"),
    ("vllm", ["org/base", "pirate"], ["org/base", "org/base:org/new", "org/base:pirate"], "org/b"),
    ("sglang", ["org/base"], ["org/base"], "base"),
    ("llama-cpp-python", ["small"], ["small"], "large"),
    ("openai-api/llama-cpp", ["small.gguf"], ["small.gguf"], "small"),
    ("openai-api/gateway", ["openai/*", "x"], ["openai/gpt-9", "x"], "xai/grok"),
]
REFUSING = ("ollama", "vllm", "sglang")


def variable(provider: str) -> str:
    return provider.rpartition("/")[2].upper().replace("-", "_") + "_BASE_URL"


@pytest.fixture
def nowhere() -> str:
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.parametrize(("provider", "listed", "has", "lacks"), LISTED)
def test_a_model_that_the_server_lists_can_be_called_and_another_is_told(
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    listed: Sequence[str],
    has: Sequence[str],
    lacks: str,
) -> None:
    with ModelServer(lists=listed) as server:
        monkeypatch.setenv(variable(provider), server.base_url)
        servers = Servers()
        for name in has:
            known = f"{provider}/{name}"
            assert (servers.why_not(known), servers.doubt(known)) == (None, None)
        unknown = f"{provider}/{lacks}"
        why, doubt = servers.why_not(unknown), servers.doubt(unknown)
    told = f"the server at {server.base_url} has no model {lacks!r}; it has: {', '.join(listed)}"
    assert doubt and told in doubt
    if provider in REFUSING:
        assert why and why.startswith(f"{told}. Get it: ") and why.endswith(f" {lacks}")
    else:
        assert why is None and "answers any name" in doubt


@pytest.mark.parametrize(
    ("provider", "start"),
    [
        ("ollama", "Start it: ollama serve. "),
        ("vllm", "Start it: vllm serve m. "),
        ("llama-cpp-python", "Start it: python -m llama_cpp.server --model FILE.gguf "),
        ("openai-api/lab", "Start it. "),
    ],
)
def test_where_no_server_answers_it_is_said_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, nowhere: str, provider: str, start: str
) -> None:
    monkeypatch.setenv(variable(provider), nowhere)
    why = Servers().why_not(f"{provider}/m")
    assert why and why.startswith(f"no server answers at {nowhere}. {start}")
    assert why.endswith(f"If it is elsewhere, put its address into {variable(provider)}")


def test_each_model_at_one_dead_address_has_its_own_advice(
    monkeypatch: pytest.MonkeyPatch, nowhere: str
) -> None:
    servers = Servers()
    for provider, start in (("vllm", "vllm serve m"), ("ollama", "ollama serve")):
        monkeypatch.setenv(variable(provider), nowhere)
        why = servers.why_not(f"{provider}/m")
        assert why and f"Start it: {start}. " in why and why.endswith(variable(provider))


def test_an_address_without_its_version_is_told_with_the_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ModelServer(lists=["m"]) as server:
        short = server.base_url.removesuffix("/v1")
        monkeypatch.setenv("OLLAMA_BASE_URL", short)
        why = Servers().why_not("ollama/m")
    assert why == f"the address {short} is without its end: set OLLAMA_BASE_URL={short}/v1"


def test_what_a_server_does_not_tell_keeps_nobody_from_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ModelServer() as server:
        for name in ("OLLAMA", "LAB"):
            monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
        for model in ("ollama/m", "openai-api/lab/m"):
            assert (Servers().why_not(model), Servers().doubt(model)) == (None, None)
        monkeypatch.setenv("OLLAMA_BASE_URL", "no address")
        assert Servers().why_not("ollama/m") is None


@pytest.mark.parametrize("model", ["vllm/m", "hf/org/m", "openai-api/lab/m", "openai/gpt-4o"])
def test_who_is_started_by_inspect_or_is_somebody_elses_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("LAB_BASE_URL", "https://models.invalid/v1")
    assert Servers().why_not(model) is None


def test_each_server_is_asked_once(monkeypatch: pytest.MonkeyPatch, nowhere: str) -> None:
    with ModelServer(lists=["a", "b"]) as server:
        monkeypatch.setenv("OLLAMA_BASE_URL", server.base_url)
        servers = Servers()
        assert servers.why_not("ollama/a:latest")
    # It is gone, and what it has is known.
    assert servers.why_not("ollama/a") is None and servers.why_not("ollama/b") is None
