"""A model server for whole studies: models `openai-api/test/<name>` are answered by it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model._model import _models as known_models

from tests.first_runs import FirstRuns
from tests.model_server import ModelServer

Serve = Callable[..., ModelServer]
# Given a name and how the study is declared: the config of the study after its first run.
HasRun = Callable[[str, Callable[[Path], Path]], Path]


@pytest.fixture
def serve(sealed_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server with the arguments of ModelServer; it runs until the test ends."""
    with ExitStack() as stack:
        yield _starter(stack, monkeypatch)


@pytest.fixture(scope="module")
def serve_module() -> Iterator[Serve]:
    """The same for a study that the tests of a module share."""
    with pytest.MonkeyPatch.context() as environment, ExitStack() as stack:
        yield _starter(stack, environment)


@pytest.fixture(scope="module")
def first_runs(tmp_path_factory: pytest.TempPathFactory) -> FirstRuns:
    return FirstRuns(tmp_path_factory.mktemp("first_runs"))


@pytest.fixture
def has_run(
    sealed_environment: None, first_runs: FirstRuns, monkeypatch: pytest.MonkeyPatch
) -> HasRun:
    """Studies that several tests of a module begin with: each is run once, then put back."""
    return partial(first_runs.give, environment=monkeypatch)


def _starter(stack: ExitStack, environment: pytest.MonkeyPatch) -> Serve:
    def start(*args: Any, **kwargs: Any) -> ModelServer:
        server = stack.enter_context(ModelServer(*args, **kwargs))
        # inspect_ai keeps a model by its name, and its address would be that of an earlier server.
        known_models.clear()
        environment.setenv("TEST_BASE_URL", server.base_url)
        environment.setenv("TEST_API_KEY", "sk-of-the-test")
        return server

    return start
