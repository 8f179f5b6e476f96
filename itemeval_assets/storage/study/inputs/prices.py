"""Reads a study's price file."""

import os
from datetime import UTC, datetime
from pathlib import Path

from itemeval_assets.core.config.snapshot import PriceText
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.money.prices import PriceFile, parse_price_file
from itemeval_assets.core.money.pricing import PriceBook

from .unreadable import unreadable


def load_prices(study: Study) -> PriceBook:
    """The study's prices, as they were when it was loaded.

    Raises ConfigError for an unreadable `budget.pricing_path`.
    """
    return price_book(study.config, study.snapshot.prices)


def price_book(config: StudyConfig, found: PriceText | None) -> PriceBook:
    """The prices in a file that was read. Raises ConfigError where it cannot be."""
    given = config.budget.pricing_path
    if given is None or found is None:
        return PriceBook(environment=os.environ)
    if found.text is None:
        raise ConfigError(f"budget.pricing_path: {found.problem}")
    prices = parse_price_file(found.text, found.path)
    _refuse_old_prices(config, prices, found.path)
    return PriceBook(prices.models, f"budget.pricing_path {given}", os.environ)


def prices_if_needed(study: Study) -> PriceBook:
    """The study's prices; where they cannot be read, only who asks for one is told (ConfigError).

    What was called before has its price in its log.
    """
    try:
        return load_prices(study)
    except ConfigError as problem:
        return PriceBook.unreadable(problem)


def price_text(config: StudyConfig, base: Path) -> PriceText | None:
    """The price file, or why it cannot be read: only who needs a price is told."""
    given = config.budget.pricing_path
    if given is None:
        return None
    path = (base / Path(given).expanduser()).resolve()
    if not path.is_file():
        problem = f"there is no file {path}; the path is relative to the config"
        return PriceText(str(path), problem=problem)
    try:
        return PriceText(str(path), path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return PriceText(str(path), problem=unreadable(path, error))


def _refuse_old_prices(config: StudyConfig, prices: PriceFile, path: str) -> None:
    longest = config.budget.pricing_max_age_days
    if longest is None:
        return
    age = prices.age_days(datetime.now(UTC))
    if age is None or age > longest:
        found = "has no updated_at" if age is None else f"is {age:.0f} days old"
        raise ConfigError(
            f"budget.pricing_path: {path} {found}; budget.pricing_max_age_days is {longest:g}. "
            "Look up the prices and set updated_at in the file, or raise the limit"
        )
