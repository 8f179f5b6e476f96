"""The price book: what a call costs in USD, and what it would cost without any discount.

Prices come from the genai-prices package, offline; a study's `budget.pricing_path` file
goes first. A model that neither knows has no price, and its usd is null. A model that runs on
this machine costs nothing. Mock models cost what a mid-range model costs, so that the dollar path
runs without a dollar.
"""

from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.words import cut

from .prices import Price, cost_usd
from .providers import AT_HOME, BATCH_DISCOUNT, is_local, is_mock, provider_of

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

# inspect_ai's provider names, where genai-prices uses another.
_PROVIDERS = {
    "azureai": "azure",
    "bedrock": "aws",
    "grok": "x-ai",
    "hf-inference-providers": "huggingface_together",
    "vertex": "google",
}
MOCK_PRICE = Price(
    input_usd_per_mtok=0.5,
    output_usd_per_mtok=2.0,
    cache_read_usd_per_mtok=0.05,
    cache_write_usd_per_mtok=0.5,
)
# Where a price is from: of a model that runs here.
THIS_MACHINE = "this machine"
_LONGEST_WHY = 200
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

    def priced_as(self, others: Mapping[str, str]) -> "PriceBook":
        """A book in which a model costs what another one costs: {model: the other one}."""
        if not others:
            return self
        book = PriceBook(environment=self._environment)
        book._problem, book._known, book._source = self._problem, {**self._known}, {**self._source}
        for model, other in others.items():
            price, source = self.price_of(other), self.source_of(other)
            discount = price and {"batch_discount": self._batch_discount(other, price)}
            book._known[model] = price and price.model_copy(update=discount)
            book._source[model] = source
        return book

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


def _edition() -> str:
    return f"genai-prices {version('genai-prices')}"


def words_on_ending(model: str) -> str | None:
    """That its provider ends a model, or has ended it, as the published prices say; else null."""
    found = None if is_mock(model) else _looked_up(model)
    if found is None or not found.model.deprecated:
        return None
    why = found.model.price_comments
    said = f": {cut(why, _LONGEST_WHY)}" if why else ""
    return f"{model}: its provider ends it, or has ended it, as {_edition()} says{said}"


def _published(model: str) -> Price | None:
    priced = _looked_up(model)
    found = priced and priced.model_price
    if found is None or found.input_mtok is None or found.output_mtok is None:
        return None
    return Price(
        input_usd_per_mtok=_usd_per_mtok(found.input_mtok) or 0.0,
        output_usd_per_mtok=_usd_per_mtok(found.output_mtok) or 0.0,
        cache_read_usd_per_mtok=_usd_per_mtok(found.cache_read_mtok),
        cache_write_usd_per_mtok=_usd_per_mtok(found.cache_write_mtok),
    )


def _looked_up(model: str) -> "PriceCalculation | None":
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition("/")
    if provider == "openai-api" or provider in AT_HOME:
        return None
    try:
        return calc_price(
            Usage(input_tokens=1), name, provider_id=_PROVIDERS.get(provider, provider)
        )
    except LookupError:
        return None


def _usd_per_mtok(rate: Any) -> float | None:
    """The base rate: tiers start at prompts of 200,000 tokens and more."""
    if rate is None:
        return None
    return float(rate if isinstance(rate, Decimal) else rate.base)
