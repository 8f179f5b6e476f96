"""What the calls of a task cost, each model at the price that its log keeps."""

from collections.abc import Mapping
from typing import Any

from inspect_ai.log import EvalLog
from inspect_ai.model import ModelUsage

from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.engine.logs.usage import is_plausible, token_counts
from itemeval_assets.engine.rows import PRICE

from .usage import Tokens, is_of_task, usage_of

# In the metadata of a log: the prices of the models that its samples called besides.
PRICES = "prices_of_others"


def add_prices(log: EvalLog, model: str, prices: PriceBook) -> bool:
    """Note the prices of the models that samples called besides; whether there was one to note."""
    if not is_of_task(log) or log.eval.metadata is None:
        return False
    known = log.eval.metadata.setdefault(PRICES, {})
    new = [name for name in usage_of(log) if name != model and name not in known]
    known.update({name: prices.evidence(name) for name in new})
    return bool(new)


class Prices:
    """The prices that the calls of a log were made at; those of today where it does not tell."""

    def __init__(self, booked: Mapping[str, Any], today: PriceBook) -> None:
        self._books = {model: PriceBook.as_booked(model, one) for model, one in booked.items()}
        self._today = today

    def _book(self, model: str) -> PriceBook:
        return self._books.get(model, self._today)

    def usd(self, used: Mapping[str, ModelUsage], batch: bool) -> float | None:
        """What some usage cost, as far as prices are known; null where none is."""
        told = [(name, token_counts(usage)) for name, usage in used.items() if is_plausible(usage)]
        return known_sum([self.of_tokens(name, tokens, batch) for name, tokens in told])

    def of_tokens(self, model: str, tokens: Tokens, batch: bool) -> float | None:
        """What tokens of a model cost; null without a price."""
        return self._book(model).usd(model, tokens, batch)

    def savings(self, model: str, tokens: Tokens, batch: bool) -> tuple[float, float] | None:
        """What they cost less than list price, by the prompt cache and by the batch."""
        return self._book(model).savings(model, tokens, batch)


def prices_of(log: EvalLog, model: str, prices: PriceBook) -> Prices:
    """The prices of a log of the task that `model` answered; `prices` are those of today."""
    facts = log.eval.metadata or {}
    own = {model: facts[PRICE]} if PRICE in facts else {}
    return Prices({**facts.get(PRICES, {}), **own}, prices)


def known_sum(usds: list[float | None]) -> float | None:
    """What is known of some costs in sum; null where nothing is."""
    known = [usd for usd in usds if usd is not None]
    return sum(known) if known else None
