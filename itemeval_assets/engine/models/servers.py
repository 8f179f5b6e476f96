"""The servers of local models: whether each is there, and has the model that is to be called.

They are asked before the first call: `GET <base URL>/models`, which Ollama, vLLM, SGLang and
llama.cpp answer with the models they have. What a server does not tell keeps nobody from a call.
"""

import json
import os
from collections.abc import Callable
from functools import partial
from http.client import HTTPException
from socket import gaierror
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from itemeval_assets.core.money.providers import (
    is_this_machine,
    provider_of,
    server_of,
    variable_of,
)

_TIMEOUT_S = 5.0
_MOST_SHOWN = 5
_LOADING, _NOT_FOUND = 503, 404
_UNTOLD = (OSError, HTTPException, ValueError)
# Where inspect_ai looks for a server that no variable names. It starts vLLM and SGLang itself.
_USUAL_ADDRESS = {
    "llama-cpp-python": "http://localhost:8000/v1",
    "ollama": "http://localhost:11434/v1",
    "sglang": None,
    "vllm": None,
}
_START = {
    "llama-cpp-python": "python -m llama_cpp.server --model FILE.gguf --model_alias {name}",
    "ollama": "ollama serve",
    "sglang": "python -m sglang.launch_server --model-path {name}",
    "vllm": "vllm serve {name}",
}
# Those that refuse a model they do not list. Others may answer any name with what they have.
_GET = {"ollama": "ollama pull {name}", "sglang": _START["sglang"], "vllm": _START["vllm"]}


class Listing(NamedTuple):
    """What a server has. `names`: its models, null where it does not tell them.

    `problem`: for a model that is to be called, why it cannot be, and what to do.
    """

    names: tuple[str, ...] | None = None
    problem: Callable[[str], str] | None = None


class Servers:
    """The servers of the local models of one run, each asked once."""

    def __init__(self) -> None:
        self._known: dict[str, Listing] = {}

    def why_not(self, model: str) -> str | None:
        """Why no call of a model can succeed, and what to do; null where nothing is known of it."""
        address = _address(model)
        if address is None:
            return None
        if problem := self._listing(address, model).problem:
            return problem(model)
        lacking, get = self._lacking(model, address), _GET.get(provider_of(model))
        return f"{lacking}. Get it: {get.format(name=_name(model))}" if lacking and get else None

    def doubt(self, model: str) -> str | None:
        """What to know of a model that its server may not have; null where there is nothing."""
        address = _address(model)
        lacking = self._lacking(model, address) if address else None
        return lacking and (
            f"{model}: {lacking}. A server that answers any name answers with a model of its own: "
            "name that one, or give yours this name, as `--alias` does for llama.cpp"
        )

    def _lacking(self, model: str, address: str) -> str | None:
        """That the server lists no such model, and what it lists; null where it does."""
        names = self._listing(address, model).names
        if names is None or any(map(_is_of(model), names)):
            return None
        more = ", ..." if len(names) > _MOST_SHOWN else ""
        there_are = f"{', '.join(names[:_MOST_SHOWN])}{more}" or "none"
        return f"the server at {address} has no model {_name(model)!r}; it has: {there_are}"

    def _listing(self, address: str, model: str) -> Listing:
        if address not in self._known:
            self._known[address] = _ask(address, model)
        return self._known[address]


def _address(model: str) -> str | None:
    """Where the server of a model is, if it is one of the user's own; null where it is not."""
    provider, server = provider_of(model), server_of(model, os.environ)
    if provider in _USUAL_ADDRESS:
        return server or _USUAL_ADDRESS[provider]
    is_compatible = provider.startswith("openai-api/")
    return server if is_compatible and server and is_this_machine(server) else None


def _name(model: str) -> str:
    """The name by which its server knows a model."""
    return model.removeprefix(f"{provider_of(model)}/")


def _is_of(model: str) -> Callable[[str], bool]:
    """Whether a name in a listing is that of a model."""
    wanted, provider = {_name(model)}, provider_of(model)
    if provider == "ollama":
        wanted |= {f"{name}:latest" for name in wanted}
    if provider == "vllm":
        # An adapter is loaded when it is first called.
        wanted |= {name.partition(":")[0] for name in wanted}
        wanted |= {name.partition(":")[2] for name in wanted}
    # A gateway may list all models of a provider as one.
    return lambda listed: (
        listed in wanted or (listed.endswith("*") and _name(model).startswith(listed[:-1]))
    )


def _how_to_start(model: str) -> str:
    how = _START.get(provider_of(model))
    start = f"Start it: {how.format(name=_name(model))}" if how else "Start it"
    return f"{start}. If it is elsewhere, put its address into {variable_of(model, 'BASE_URL')}"


def _ask(address: str, model: str) -> Listing:
    """What the server of a model lists."""
    try:
        return Listing(_listed(address, model))
    except HTTPError as error:
        error.close()
        if error.code == _LOADING:
            return Listing(
                problem=lambda _: f"the server at {address} is not ready: wait until it has loaded"
            )
        return Listing(problem=_lacks_version(address, model) if error.code == _NOT_FOUND else None)
    except URLError as error:
        is_away = isinstance(error.reason, (ConnectionRefusedError, gaierror))
        return Listing(problem=partial(_away, address) if is_away else None)
    except _UNTOLD:
        return Listing()


def _away(address: str, model: str) -> str:
    return f"no server answers at {address}. {_how_to_start(model)}"


def _lacks_version(address: str, model: str) -> Callable[[str], str] | None:
    """That an address is without its `/v1`, where one with it is that of a server."""
    whole = f"{address.rstrip('/')}/v1"
    try:
        is_there = _listed(whole, model) is not None
    except _UNTOLD:
        return None
    return partial(_without_end, address, whole) if is_there else None


def _without_end(address: str, whole: str, model: str) -> str:
    name = variable_of(model, "BASE_URL")
    return f"the address {address} is without its end: set {name}={whole}"


def _listed(address: str, model: str) -> tuple[str, ...] | None:
    """The names that a server lists. Raises one of `_UNTOLD` where it tells none."""
    key = os.environ.get(variable_of(model, "API_KEY"))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    # A proxy that the environment may name does not lead to this machine.
    around = [ProxyHandler({})] if is_this_machine(address) else []
    request = Request(f"{address.rstrip('/')}/models", headers=headers)
    with build_opener(*around).open(request, timeout=_TIMEOUT_S) as reply:
        return _names(reply.read())


def _names(body: bytes) -> tuple[str, ...] | None:
    """The names in a listing, as OpenAI's API has it; null where it is another thing."""
    try:
        return tuple(str(one["id"]) for one in json.loads(body)["data"])
    except (ValueError, KeyError, TypeError):
        return None
