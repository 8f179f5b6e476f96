"""What a run may cost, before its first call, and whether it may go ahead.

The projection is a ceiling: every pending call is taken to use its whole output limit.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from .config import BudgetConfig
from .errors import BudgetExceeded, ConsentMissing

__all__ = ["OUTPUT_TOKENS_UNCAPPED", "Projection", "estimate_tokens", "project", "require_budget"]

# What is assumed of a model whose output nobody limits.
OUTPUT_TOKENS_UNCAPPED = 4096
CHARACTERS_PER_TOKEN = 4

UsdOf = Callable[[str, Mapping[str, int | None]], float | None]


class Projection(NamedTuple):
    """The ceiling for some pending calls. `unpriced` names the models without a known price."""

    calls: int
    input_tokens: int
    output_tokens: int
    usd: float
    unpriced: tuple[str, ...]

    def __add__(self, other: "Projection") -> "Projection":  # type: ignore[override]
        return Projection(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.usd + other.usd,
            tuple(sorted({*self.unpriced, *other.unpriced})),
        )


NOTHING = Projection(0, 0, 0, 0.0, ())


def estimate_tokens(text: str) -> int:
    """A rough count: four characters a token, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def project(
    model: str, prompts: Iterable[str], max_tokens: int | None, usd_of: UsdOf
) -> Projection:
    """The ceiling for one call per prompt. `usd_of(model, tokens)` gives USD, or None."""
    texts = list(prompts)
    input_tokens = sum(estimate_tokens(text) for text in texts)
    output_tokens = len(texts) * (max_tokens or OUTPUT_TOKENS_UNCAPPED)
    usd = usd_of(model, {"input_tokens": input_tokens, "output_tokens": output_tokens})
    unpriced = (model,) if usd is None and texts else ()
    return Projection(len(texts), input_tokens, output_tokens, usd or 0.0, unpriced)


def require_budget(
    projection: Projection,
    budget: BudgetConfig,
    *,
    spent_usd: float,
    consent_usd: float | None,
) -> None:
    """Refuse a run that may cost more than allowed. No call has been made at this point.

    `consent_usd`: what the user agreed to spend on this run; infinity for "whatever it
    costs up to the cap", None for no word. Raises BudgetExceeded over `budget.max_usd`,
    which nothing overrides, and ConsentMissing above `budget.confirm_above_usd`.
    """
    if projection.calls == 0:
        return
    facts = f"up to ${projection.usd:.4f} for {projection.calls} calls, ${spent_usd:.4f} spent"
    if budget.max_usd is not None and spent_usd + projection.usd > budget.max_usd:
        raise BudgetExceeded(
            f"over the hard cap: {facts}, budget.max_usd is ${budget.max_usd:.4f}.\n"
            "No call was made. Raise budget.max_usd, or run less: --condition, --policy dev"
        )
    allowed = budget.confirm_above_usd if consent_usd is None else consent_usd
    if projection.usd > allowed:
        raise ConsentMissing(
            f"needs your consent: {facts}, allowed without asking: ${allowed:.4f}.\n"
            "No call was made. Say --yes, pass max_usd= in Python, or set `consent_usd` in the "
            "run config"
        )
