"""Token prices: what a call costs in USD.

Prices come from the genai-prices package, offline; a study's `budget.pricing_path` file
goes first. A model that neither knows has no price, and its usd is null. Mock models
cost what a mid-range model costs, so that the dollar path runs without a dollar.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ConfigError

__all__ = ["MOCK_PRICE", "Price", "PriceBook", "cost_usd", "parse_price_file"]

MTOK = 1_000_000

# inspect_ai's provider names, where genai-prices uses another.
_PROVIDERS = {
    "azureai": "azure",
    "bedrock": "aws",
    "grok": "x-ai",
    "hf-inference-providers": "huggingface_together",
    "vertex": "google",
}
# Servers that a model runs on at home or under a private name: nobody publishes a price.
_UNPRICED = {"hf", "llama-cpp-python", "ollama", "openai-api", "sglang", "transformer_lens", "vllm"}


class Price(BaseModel):
    """USD per million tokens. Cache rates default to the plain input rate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_usd_per_mtok: float = Field(ge=0)
    output_usd_per_mtok: float = Field(ge=0)
    cache_read_usd_per_mtok: float | None = Field(default=None, ge=0)
    cache_write_usd_per_mtok: float | None = Field(default=None, ge=0)


class _PriceFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    models: dict[str, Price]
    updated_at: str | None = None
    source: str | None = None


MOCK_PRICE = Price(
    input_usd_per_mtok=0.5,
    output_usd_per_mtok=2.0,
    cache_read_usd_per_mtok=0.05,
    cache_write_usd_per_mtok=0.5,
)


class PriceBook:
    """Prices of models under their inspect ids; `own` holds those of the study's price file."""

    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._known: dict[str, Price | None] = dict(own or {})

    def price_of(self, model: str) -> Price | None:
        """The price of a model, or None when nobody knows it."""
        if model not in self._known:
            self._known[model] = MOCK_PRICE if model.startswith("mockllm/") else _published(model)
        return self._known[model]

    def usd(self, model: str, tokens: Mapping[str, int | None]) -> float | None:
        """What these tokens cost; None when the model has no price."""
        price = self.price_of(model)
        return None if price is None else cost_usd(price, tokens)


def cost_usd(price: Price, tokens: Mapping[str, int | None]) -> float:
    """USD for token counts. Linear, so that the price of a sum is the sum of prices.

    Reads input_tokens (cached tokens excluded), output_tokens, cache_read_tokens,
    cache_write_tokens; null counts as zero.
    """
    plain = price.input_usd_per_mtok
    read, write = price.cache_read_usd_per_mtok, price.cache_write_usd_per_mtok
    rates = {
        "input_tokens": plain,
        "output_tokens": price.output_usd_per_mtok,
        "cache_read_tokens": plain if read is None else read,
        "cache_write_tokens": plain if write is None else write,
    }
    return sum((tokens.get(name) or 0) * rate for name, rate in rates.items()) / MTOK


def parse_price_file(text: str, where: str) -> dict[str, Price]:
    """The prices of a `pricing_path` file: JSON `{"models": {"<id>": {"input_usd_per_mtok": ..}}}`.

    Raises ConfigError that names the file and the field.
    """
    try:
        return _PriceFile.model_validate(json.loads(text)).models
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"budget.pricing_path: {where}: {field}: {first['msg']}") from error
    except ValueError as error:
        raise ConfigError(f"budget.pricing_path: {where} is not valid JSON: {error}") from error


def _published(model: str) -> Price | None:
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition("/")
    if provider in _UNPRICED:
        return None
    try:
        found = calc_price(
            Usage(input_tokens=1), name, provider_id=_PROVIDERS.get(provider, provider)
        ).model_price
    except LookupError:
        return None
    if found.input_mtok is None or found.output_mtok is None:
        return None
    return Price(
        input_usd_per_mtok=_usd_per_mtok(found.input_mtok) or 0.0,
        output_usd_per_mtok=_usd_per_mtok(found.output_mtok) or 0.0,
        cache_read_usd_per_mtok=_usd_per_mtok(found.cache_read_mtok),
        cache_write_usd_per_mtok=_usd_per_mtok(found.cache_write_mtok),
    )


def _usd_per_mtok(rate: Any) -> float | None:
    """The base rate: tiers start at prompts of 200,000 tokens and more."""
    if rate is None:
        return None
    return float(rate if isinstance(rate, Decimal) else rate.base)
