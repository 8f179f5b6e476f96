"""Token usage as inspect reports it, under the column names of the tables."""

from collections.abc import Iterable

from inspect_ai.model import ModelUsage

from itemeval_assets.core.tables.schemas import TOKEN_COLUMNS

# More tokens than a log can hold, or fewer than none. What a provider counts is data too.
_IMPLAUSIBLE = 2**50


def is_plausible(usage: ModelUsage) -> bool:
    """Whether a usage can be: no count out of bounds, and a total no less than its parts."""
    counts = _counts(usage).values()
    is_whole = usage.total_tokens >= usage.input_tokens + usage.output_tokens
    return is_whole and all(0 <= (count or 0) < _IMPLAUSIBLE for count in counts)


def token_counts(usage: ModelUsage) -> dict[str, int | None]:
    """The token columns of a call; all null where a count is not plausible.

    `input_tokens` leaves out tokens read from a prompt cache.
    """
    return _counts(usage) if is_plausible(usage) else no_tokens()


def _counts(usage: ModelUsage) -> dict[str, int | None]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "cache_read_tokens": usage.input_tokens_cache_read,
        "cache_write_tokens": usage.input_tokens_cache_write,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def no_tokens() -> dict[str, int | None]:
    """The token columns of a row that no model was asked for."""
    return dict.fromkeys(TOKEN_COLUMNS)


def total_usage(usages: Iterable[ModelUsage]) -> dict[str, int | None]:
    """Column sums; null where no usage reports the column, as when the cache answered."""
    counts = [token_counts(usage) for usage in usages]
    totals = no_tokens()
    for name in totals:
        values = [count[name] for count in counts]
        present = [value for value in values if value is not None]
        totals[name] = sum(present) if present else None
    return totals
