"""How the number of items came about where it was not fixed before: what a reader must know."""

from collections.abc import Sequence

from itemeval_assets.core.config.sections import PrecisionConfig
from itemeval_assets.core.design.tranches import FIRST


def words_on_stopping(asked: PrecisionConfig, level: float, seen: Sequence[str]) -> str:
    """The rule of `precision`, and then what the last look has `seen`."""
    by = f" by {', '.join(asked.metrics)}" if asked.metrics else ""
    until = f"each {100 * level:g} % interval{by} had a half-width of {asked.target:g} or less"
    if asked.key == "detect":
        until = f"a difference of {asked.target:g}{by} was detected with a power of 80 %"
    rule = (
        f"chosen by looking (`precision`): the first {FIRST} of the sample, then at most twice as"
        f" many at a time, until {until}. The widths of intervals end it, and nothing else."
    )
    return " ".join([rule, *seen])
