"""Models at OpenRouter that the batch API of their own provider can be asked instead.

OpenRouter has no batch API. The names are those of 2026-11: inspect_ai's providers, and the models
on the pages of OpenRouter and of the providers.
"""

from collections.abc import Iterable, Mapping

from .pricing import PriceBook
from .providers import has_batch_mode

# Makers at OpenRouter, and what inspect_ai calls them. Together hosts models, and makes none.
_PROVIDERS = {"anthropic": "anthropic", "google": "google", "openai": "openai", "x-ai": "grok"}


def native_id(model: str) -> str | None:
    """The same model at its own provider, which has a batch API; null where there is none.

    A variant, such as `:free`, is one of OpenRouter alone.
    """
    router, _, rest = model.partition("/")
    maker, _, name = rest.partition("/")
    provider = _PROVIDERS.get(maker)
    if router != "openrouter" or provider is None or not name or ":" in name:
        return None
    # Anthropic writes claude-haiku-4-5 where OpenRouter writes claude-haiku-4.5.
    native = f"{provider}/{name.replace('.', '-') if provider == 'anthropic' else name}"
    return native if has_batch_mode(native) else None


def native_routes(models: Iterable[str], prices: PriceBook) -> dict[str, str]:
    """Which models are asked at their own provider: those it has, under a name with a price."""
    found = {model: native_id(model) for model in models}
    return {
        model: native
        for model, native in found.items()
        if native and prices.price_of(native) is not None
    }


def words_on_routes(models: Iterable[str], routes: Mapping[str, str]) -> list[str]:
    """Which models at OpenRouter are asked in batches of their own provider, and which are not."""
    asked = [model for model in dict.fromkeys(models) if model.startswith("openrouter/")]
    groups = {
        "in batches of their own provider": [
            f"{model} as {routes[model]}" for model in asked if model in routes
        ],
        "one by one, since no batch API with a price is known": [
            model for model in asked if model not in routes
        ],
    }
    return [f"{how}: {', '.join(names)}" for how, names in groups.items() if names]
