"""A model server for whole studies: models `openai-api/test/<name>` are answered by it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from inspect_ai.model._model import _models as known_models

from tests.model_server import ModelServer

Serve = Callable[..., ModelServer]


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


def _starter(stack: ExitStack, environment: pytest.MonkeyPatch) -> Serve:
    def start(*args: Any, **kwargs: Any) -> ModelServer:
        server = stack.enter_context(ModelServer(*args, **kwargs))
        # inspect_ai keeps a model by its name, and its address would be that of an earlier server.
        known_models.clear()
        environment.setenv("TEST_BASE_URL", server.base_url)
        environment.setenv("TEST_API_KEY", "sk-of-the-test")
        return server

    return start
