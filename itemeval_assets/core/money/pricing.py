"""Token prices: what a call costs in USD, and what it would cost without any discount.

Prices come from the genai-prices package, offline; a study's `budget.pricing_path` file
goes first. A model that neither knows has no price, and its usd is null. A model that runs on
this machine costs nothing. Mock models cost what a mid-range model costs, so that the dollar path
runs without a dollar.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.strict_json import load_json, unique_keys

_MTOK = 1_000_000
# Of more mock models, messages give the number.
_MOST_MOCKS = 5

# inspect_ai's provider names, where genai-prices uses another.
_PROVIDERS = {
    "azureai": "azure",
    "bedrock": "aws",
    "grok": "x-ai",
    "hf-inference-providers": "huggingface_together",
    "vertex": "google",
}
# Providers of inspect that run a model on this machine, unless a variable names a server.
_AT_HOME = {"hf", "llama-cpp-python", "nnterp", "ollama", "sglang", "transformer_lens", "vllm"}
_AT_HOME |= {"openai-api/smollm2"}  # the packaged one, where no other address is named
# What a batch call costs less, by the price pages of the providers that inspect_ai has a batch
# mode for.
BATCH_DISCOUNT = {"anthropic": 0.5, "google": 0.5, "grok": 0.5, "openai": 0.5, "together": 0.5}


class Price(BaseModel):
    """USD per million tokens. Cache rates default to the plain input rate.

    `batch_discount`: the share by which a batch call is cheaper; null: as the provider says.
    """

    # Strict: true is no price of 1 USD.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    input_usd_per_mtok: float = Field(ge=0, allow_inf_nan=False)
    output_usd_per_mtok: float = Field(ge=0, allow_inf_nan=False)
    cache_read_usd_per_mtok: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    cache_write_usd_per_mtok: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    batch_discount: float | None = Field(default=None, ge=0, lt=1)

    @property
    def discounts_shared_prefix(self) -> bool:
        """Whether reading a prompt's head from the provider's cache costs less."""
        read = self.cache_read_usd_per_mtok
        return read is not None and read < self.input_usd_per_mtok

    def less(self, share: float) -> "Price":
        """All rates reduced by a share, cache rates spelled out."""
        plain, kept = self.input_usd_per_mtok, 1 - share
        read, write = self.cache_read_usd_per_mtok, self.cache_write_usd_per_mtok
        return Price(
            input_usd_per_mtok=plain * kept,
            output_usd_per_mtok=self.output_usd_per_mtok * kept,
            cache_read_usd_per_mtok=(plain if read is None else read) * kept,
            cache_write_usd_per_mtok=(plain if write is None else write) * kept,
        )


class PriceFile(BaseModel):
    """A `pricing_path` file. `updated_at`: when its prices were looked up, ISO-8601."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: dict[str, Price]
    updated_at: datetime | None = None
    source: str | None = None

    def age_days(self, now: datetime) -> float | None:
        """How old the prices are; None where the file does not say."""
        if self.updated_at is None:
            return None
        looked_up = self.updated_at
        looked_up = looked_up if looked_up.tzinfo else looked_up.replace(tzinfo=UTC)
        return (now - looked_up).total_seconds() / 86_400


MOCK_PRICE = Price(
    input_usd_per_mtok=0.5,
    output_usd_per_mtok=2.0,
    cache_read_usd_per_mtok=0.05,
    cache_write_usd_per_mtok=0.5,
)


# Where a price is from: of a model that runs here.
THIS_MACHINE = "this machine"
FREE = Price(input_usd_per_mtok=0.0, output_usd_per_mtok=0.0)


class Savings(NamedTuple):
    """USD that some calls cost less than list price, by what made them cheaper."""

    by_prompt_cache_usd: float
    by_batch_usd: float


class PriceBook:
    """Prices of models under their inspect ids; `own` holds those of the study's price file.

    `environment` tells which servers are on other machines.
    """

    def __init__(
        self,
        own: Mapping[str, Price | None] | None = None,
        own_source: str | None = "price file",
        environment: Mapping[str, str] | None = None,
    ):
        self._problem: ConfigError | None = None
        self._environment = environment or {}
        self._known: dict[str, Price | None] = dict(own or {})
        self._source: dict[str, str | None] = dict.fromkeys(self._known, own_source)

    def price_of(self, model: str) -> Price | None:
        """The list price of a model, or None when nobody knows it."""
        if model not in self._known:
            if self._problem is not None:
                raise self._problem
            self._known[model], self._source[model] = self._found(model)
        return self._known[model]

    @classmethod
    def unreadable(cls, problem: ConfigError) -> "PriceBook":
        """A book that cannot be read: `problem` is raised where a price is asked for."""
        book = cls()
        book._problem = problem
        return book

    @classmethod
    def as_booked(cls, model: str, evidence: Mapping[str, Any] | None) -> "PriceBook":
        """The price that calls were made at, from what `evidence` gave; null: there was none."""
        if evidence is None:
            return cls({model: None}, None)
        rates = {name: value for name, value in evidence.items() if name != "source"}
        return cls({model: Price.model_validate(rates)}, evidence["source"])

    def evidence(self, model: str) -> dict[str, Any] | None:
        """The price of a model as a log keeps it: list price, batch discount, and its source."""
        price = self.price_of(model)
        if price is None:
            return None
        discount = self._batch_discount(model, price)
        return {**price.model_dump(), "batch_discount": discount, "source": self.source_of(model)}

    def _found(self, model: str) -> tuple[Price | None, str | None]:
        """The price of a model that the study's own file does not name, and where it is from."""
        if is_mock(model):
            return MOCK_PRICE, "mock"
        if found := _published(model):
            return found, _edition()
        return (FREE, THIS_MACHINE) if is_local(model, self._environment) else (None, None)

    def source_of(self, model: str) -> str | None:
        """Where the price of a model comes from; None when nobody knows it."""
        self.price_of(model)
        return self._source[model]

    def rates(self, model: str, batch: bool = False) -> Price | None:
        """What a model costs when called one by one, or in a batch."""
        price = self.price_of(model)
        return price.less(self._batch_discount(model, price)) if price and batch else price

    def usd(
        self, model: str, tokens: Mapping[str, int | None], batch: bool = False
    ) -> float | None:
        """What these tokens cost; None when the model has no price."""
        rates = self.rates(model, batch)
        return None if rates is None else cost_usd(rates, tokens)

    def savings(
        self, model: str, tokens: Mapping[str, int | None], batch: bool = False
    ) -> Savings | None:
        """What these tokens cost less than list price; None when the model has no price.

        A prompt cache can cost more than it saves: writing to it has a price of its own.
        """
        price = self.price_of(model)
        if price is None:
            return None
        paid = cost_usd(price, tokens)
        plain = price.model_copy(
            update={"cache_read_usd_per_mtok": None, "cache_write_usd_per_mtok": None}
        )
        by_batch = paid * self._batch_discount(model, price) if batch else 0.0
        return Savings(cost_usd(plain, tokens) - paid, by_batch)

    def as_record(self, model: str, batch: bool) -> dict[str, Any] | None:
        """The price used for a model and where it is from, for the manifest; None if unknown."""
        rates = self.rates(model, batch)
        if rates is None:
            return None
        return {**rates.model_dump(), "source": self.source_of(model), "batch": batch}

    @staticmethod
    def _batch_discount(model: str, price: Price) -> float:
        if price.batch_discount is not None:
            return price.batch_discount
        return BATCH_DISCOUNT.get(provider_of(model), 0.0)


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
        return provider in _AT_HOME
    host = urlsplit(server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def has_batch_mode(model: str) -> bool:
    """Whether inspect_ai can call a model of this provider in batches."""
    return provider_of(model) in BATCH_DISCOUNT


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
    return sum((tokens.get(name) or 0) * rate for name, rate in rates.items()) / _MTOK


def parse_price_file(text: str, where: str) -> PriceFile:
    """A `pricing_path` file: JSON `{"models": {"<id>": {"input_usd_per_mtok": ..}}}`.

    Raises ConfigError that names the file and the field.
    """
    try:
        data = load_json(text, unique_keys)
    except ValueError as error:
        raise ConfigError(f"budget.pricing_path: {where} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(
            f'budget.pricing_path: {where}: expected an object that starts with {{"models": {{'
        )
    try:
        return PriceFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"budget.pricing_path: {where}: {field}: {first['msg']}") from error


def _edition() -> str:
    return f"genai-prices {version('genai-prices')}"


def _published(model: str) -> Price | None:
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition("/")
    if provider == "openai-api" or provider in _AT_HOME:
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
