"""Providers of models: who answers, whether anybody is paid, and what batches cost less."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from itemeval_assets.core.errors import ConfigError

# Of more mock models, messages give the number.
_MOST_MOCKS = 5

# Providers of inspect that run a model on this machine, unless a variable names a server.
AT_HOME = {"hf", "llama-cpp-python", "nnterp", "ollama", "sglang", "transformer_lens", "vllm"}
AT_HOME |= {"openai-api/smollm2"}  # the packaged one, where no other address is named
# Of these, the ones that ask no server.
_IN_PROCESS = {"hf", "nnterp", "transformer_lens"}
# The variable of inspect for the server of any model.
_ANY_SERVER = "INSPECT_EVAL_MODEL_BASE_URL"
# What a batch call costs less, by the price pages of the providers that inspect_ai has a batch
# mode for.
BATCH_DISCOUNT = {"anthropic": 0.5, "google": 0.5, "grok": 0.5, "openai": 0.5, "together": 0.5}


def provider_of(model: str) -> str:
    """The provider of an inspect model id; of an OpenAI-compatible one, with its service."""
    provider, _, rest = model.partition("/")
    return f"{provider}/{rest.split('/')[0]}" if provider == "openai-api" else provider


def is_mock(model: str) -> bool:
    """Whether a model is none: `mockllm/<name>` answers what its name says, and nobody is paid."""
    return provider_of(model) == "mockllm"


def words_of_mocks(models: Iterable[str]) -> list[str]:
    """That nobody pays the dollars of the mock models among these; empty where there is none."""
    mocks = sorted({model for model in models if is_mock(model)})
    if not mocks:
        return []
    more = f" and {len(mocks) - _MOST_MOCKS:,} more" if len(mocks) > _MOST_MOCKS else ""
    names = f"{', '.join(mocks[:_MOST_MOCKS])}{more}"
    return [f"{names}: mock prices; nobody pays these dollars"]


def server_of(model: str, environment: Mapping[str, str]) -> str | None:
    """The address of the server that the environment names for a model; null: it names none."""
    provider = provider_of(model)
    named = environment.get(variable_of(model, "BASE_URL"))
    return named or (None if provider in _IN_PROCESS else environment.get(_ANY_SERVER)) or None


def variable_of(model: str, what: str) -> str:
    """The environment variable of a model's provider: `what` is BASE_URL or API_KEY."""
    service = provider_of(model).rpartition("/")[2].upper().replace("-", "_")
    return f"{service}_{what}"


def is_local(model: str, environment: Mapping[str, str]) -> bool:
    """Whether a model runs on this machine, or answers at an address of it: nobody is paid."""
    server = server_of(model, environment)
    return is_this_machine(server) if server else provider_of(model) in AT_HOME


def is_this_machine(address: str) -> bool:
    """Whether a URL leads to this machine: a loopback address, or the one of all."""
    try:
        host = urlsplit(address).hostname or ""
        ip = None if host == "localhost" else ip_address(host)
    except ValueError:
        return False
    return ip is None or ip.is_loopback or ip.is_unspecified


def require_addresses(models: Iterable[str], environment: Mapping[str, str]) -> None:
    """Raise ConfigError where the environment names a server without `http://` or `https://`."""
    for model in models:
        server = server_of(model, environment)
        if server and "://" not in server:
            own = variable_of(model, "BASE_URL")
            name = own if environment.get(own) else _ANY_SERVER
            raise ConfigError(
                f"{name}: {server!r} is no address of a server: write http://{server}, if that is "
                f"where {model} answers"
            )


def has_batch_mode(model: str) -> bool:
    """Whether inspect_ai can call a model of this provider in batches."""
    return provider_of(model) in BATCH_DISCOUNT
