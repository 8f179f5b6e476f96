"""Token prices: of one model, in a price file, and what tokens cost by them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.strict_json import load_json, unique_keys

_MTOK = 1_000_000
_FORM = '{"models": {"<provider>/<model>": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 4}}}'


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
        raise ConfigError(f"budget.pricing_path: {where}: expected an object; write {_FORM}")
    try:
        return PriceFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"budget.pricing_path: {where}: {field}: {first['msg']}; write {_FORM}"
        ) from error
