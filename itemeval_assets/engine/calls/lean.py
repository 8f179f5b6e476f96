"""Keeps inspect_ai from what no eval of ours needs. Each part takes a third of a second or more."""

import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import ModuleType
from typing import Any

import yaml
from inspect_ai.agent._acp.transport import _acp_live_active
from inspect_ai.model import _assistant_internal

# What inspect sets up for each sample, where the client is installed, and the module that needs it.
CLIENTS = {
    "_HAS_OPENAI": "inspect_ai.model._openai_responses",
    "_HAS_ANTHROPIC": "inspect_ai.model._providers.anthropic",
}
# By which an editor takes part in an eval.
SERVER = "inspect_ai.agent._acp.server"


@contextmanager
def quick_yaml() -> Iterator[None]:
    """YAML that libraries read in the block is read in C: inspect's list of all models is long."""
    usual = yaml.SafeLoader
    yaml.SafeLoader = getattr(yaml, "CSafeLoader", usual)
    try:
        yield
    finally:
        yaml.SafeLoader = usual


@contextmanager
def no_other_client() -> Iterator[None]:
    """Evals of the block do not load the clients of providers that no model of theirs is of."""
    usual = {name: getattr(_assistant_internal, name) for name in CLIENTS}
    for name, module in CLIENTS.items():
        setattr(_assistant_internal, name, module in sys.modules)
    try:
        yield
    finally:
        for name, value in usual.items():
            setattr(_assistant_internal, name, value)


@contextmanager
def without_editors() -> Iterator[None]:
    """Samples of the block open no session that an editor could join, and no server is loaded.

    Outside of it, an eval of the user's own does. It saves the events of each sample a second way.
    """
    token = _acp_live_active.set(True)  # to inspect, the samples lie within such a session
    absent = _AbsentServer(SERVER)
    sys.modules.setdefault(SERVER, absent)
    try:
        yield
    finally:
        _acp_live_active.reset(token)
        if sys.modules.get(SERVER) is absent:
            del sys.modules[SERVER]


class _AbsentServer(ModuleType):
    """Stands for the module until anything but its starter is asked for."""

    @staticmethod
    @asynccontextmanager
    async def acp_server(**_: Any) -> AsyncIterator[None]:
        yield None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(SERVER) is self:
            del sys.modules[SERVER]
        return getattr(importlib.import_module(SERVER), name)
