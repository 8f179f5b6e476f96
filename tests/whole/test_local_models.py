"""Models on servers of the user's own: Ollama, vLLM, llama.cpp, and any OpenAI-compatible one."""

import json
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.model_server import ModelServer
from tests.studies import write_study

from .looking import results_dir, rows

MODELS = [
    "ollama/llama3.2",
    "vllm/Qwen/Qwen3-0.6B",
    "llama-cpp-python/gemma",
    "openai-api/llama-cpp/phi",
]
LISTED = ["llama3.2:latest", "Qwen/Qwen3-0.6B", "gemma", "phi"]
VARIABLES = ["OLLAMA_BASE_URL", "VLLM_BASE_URL", "LLAMA_CPP_PYTHON_BASE_URL", "LLAMA_CPP_BASE_URL"]


@pytest.fixture
def at(sealed_environment: None, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LLAMA_CPP_API_KEY", "none")
    return monkeypatch


def declare(folder: Path, models: list[str] = MODELS) -> Path:
    budget = {"confirm_above_usd": 0.0, "max_usd": 0.01}
    return write_study(folder, models=models, graders=[], items=2, extra={"budget": budget})


def test_a_study_on_local_servers_costs_nothing(tmp_path: Path, at: pytest.MonkeyPatch) -> None:
    with ModelServer(lists=LISTED) as server:
        for variable in VARIABLES:
            at.setenv(variable, server.base_url)
        config = declare(tmp_path)
        assert "on this machine, free: " in "\n".join(api.estimate(config).warnings)
        assert [one.verdict for one in api.preflight(config)] == ["ok"] * 4
        summary = api.run(config)
        assert (summary.calls, summary.usd, summary.exit_code) == (8, 0.0, 0)
    assert {(row["model"], row["usd"]) for row in rows(config, "solutions")} == {
        (model, 0.0) for model in MODELS
    }


def test_an_address_without_its_scheme_is_told(
    tmp_path: Path, at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at.setenv("LLAMA_CPP_BASE_URL", "localhost:9")
    config = declare(tmp_path, ["openai-api/llama-cpp/phi"])
    assert run_cli(["run", str(config)]) == 2
    told = "LLAMA_CPP_BASE_URL: 'localhost:9' is no address of a server: write http://localhost:9"
    assert told in capsys.readouterr().err


def test_without_its_server_or_its_model_nothing_is_called_and_nothing_written(
    tmp_path: Path, at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer(lists=["llama3.2:latest"]) as server:
        at.setenv("OLLAMA_BASE_URL", server.base_url)
        config = declare(tmp_path, ["ollama/llama3.2", "ollama/qwen3"])
        assert run_cli(["run", str(config)]) == 2
        assert "has no model 'qwen3'" in capsys.readouterr().err
        found = api.preflight(config)
        assert [one.verdict for one in found] == ["ok", "dead"]
        assert "Get it: ollama pull qwen3" in found[1].reason
        assert server.count() == 1
    assert run_cli(["run", str(config)]) == 2
    said = capsys.readouterr().err
    assert f"no server answers at {server.base_url}. Start it: ollama serve." in said
    assert not rows(config, "solutions")


def test_a_server_that_may_answer_with_another_model_is_a_doubt(
    tmp_path: Path, at: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer(lists=["/models/phi.gguf"]) as server:
        at.setenv("LLAMA_CPP_BASE_URL", server.base_url)
        config = declare(tmp_path, MODELS[3:])
        told = "has no model 'phi'; it has: /models/phi.gguf"
        assert told in "\n".join(api.estimate(config).warnings)
        assert told in api.preflight(config)[0].reason
        assert run_cli(["run", str(config), "--json"]) == 0
        said = capsys.readouterr()
    assert told in json.dumps(json.loads(said.out)["notes"])
    assert results_dir(config).exists()
