"""Providers of models: who answers, whether anybody is paid, and what batches cost less."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

# Of more mock models, messages give the number.
_MOST_MOCKS = 5

# Providers of inspect that run a model on this machine, unless a variable names a server.
AT_HOME = {"hf", "llama-cpp-python", "nnterp", "ollama", "sglang", "transformer_lens", "vllm"}
AT_HOME |= {"openai-api/smollm2"}  # the packaged one, where no other address is named
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


def is_local(model: str, environment: Mapping[str, str]) -> bool:
    """Whether a model runs on this machine, or answers at a loopback address: nobody is paid."""
    provider = provider_of(model)
    service = provider.rpartition("/")[2].upper().replace("-", "_")
    server = environment.get(f"{service}_BASE_URL")
    if not server:
        return provider in AT_HOME
    host = urlsplit(server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def has_batch_mode(model: str) -> bool:
    """Whether inspect_ai can call a model of this provider in batches."""
    return provider_of(model) in BATCH_DISCOUNT
