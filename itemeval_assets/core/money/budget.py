"""Whether calls may be made: the hard cap, consent, and prices that nobody knows.

The rule of the gate, apart from where its figures come from: what calls may cost at most
+ what the study has spent + what runs in progress have reserved, against the budget.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from itemeval_assets.core.config.sections import BudgetConfig
from itemeval_assets.core.errors import BudgetExceeded, ConfigError, ConsentMissing
from itemeval_assets.core.text.words import dollars

from .projection.estimate import Projection

# Consent to any cost below the hard cap: `--yes`.
WHATEVER_IT_COSTS = math.inf


class Standing(NamedTuple):
    """USD of a study: what its calls have cost, and what runs in progress may still cost.

    `waiting_usd`: what calls cost at most that are in batches, and that no run in progress has
    reserved.
    """

    spent_usd: float
    reserved_usd: float = 0.0
    waiting_usd: float = 0.0

    @property
    def committed_usd(self) -> float:
        return self.spent_usd + self.reserved_usd + self.waiting_usd

    def without_waiting(self, usd: float) -> "Standing":
        """The same where calls to come collect batches of this cost: it is counted for them."""
        return self._replace(waiting_usd=max(0, self.waiting_usd - usd))


def require_budget(
    projection: Projection,
    budget: BudgetConfig,
    standing: Standing,
    consent_usd: float | None,
    remarks: Sequence[str] = (),
) -> None:
    """Refuse calls that may cost more than allowed. None of them has been made at this point.

    `projection` is the ceiling of the calls to come; `consent_usd` is what the user agreed
    to spend on them, None for no word. `remarks`: what to know of them before consent. Raises
    BudgetExceeded over `budget.max_usd`, which nothing overrides, and ConsentMissing above
    `budget.confirm_above_usd` or where a model has no known price.
    """
    if projection.calls == projection.cached:
        return
    facts = {
        "projected_usd": projection.usd,
        "calls": projection.calls - projection.cached,
        "spent_usd": standing.spent_usd,
        "reserved_usd": standing.reserved_usd,
    }
    words = (
        f"up to {dollars(projection.usd)} for {facts['calls']} calls; "
        f"{dollars(standing.spent_usd)} spent by this study, {dollars(standing.reserved_usd)} "
        "reserved by runs in progress"
    )
    if standing.waiting_usd:
        facts["waiting_usd"] = standing.waiting_usd
        words += f", {dollars(standing.waiting_usd)} in batches that are not collected"
    remarks = "".join(f"{remark}.\n" for remark in remarks)
    _require_prices(projection, budget, consent_usd, facts, remarks)
    cap = budget.max_usd
    if cap is not None and standing.committed_usd + projection.usd > cap:
        raise BudgetExceeded(
            f"over budget.max_usd {dollars(cap)}: {words}.\n"
            "None of these calls was made. Raise budget.max_usd in the study, or run less: "
            "--condition, --policy dev",
            {**facts, "max_usd": cap},
        )
    allowed = budget.confirm_above_usd if consent_usd is None else consent_usd
    if projection.usd > allowed:
        raise ConsentMissing(
            f"needs your consent: {words}; allowed without asking: {dollars(allowed)}.\n"
            f"{remarks}None of these calls was made. {_how_to_consent(projection.usd, cap)}",
            {**facts, "allowed_usd": allowed},
        )


def require_sane_consent(consent_usd: float | None, budget: BudgetConfig) -> None:
    """Raise ConfigError for a consent that is no amount, or larger than `budget.max_usd`."""
    if consent_usd is None or consent_usd == WHATEVER_IT_COSTS:
        return
    if not consent_usd >= 0:  # NaN compares false
        raise ConfigError(f"consent to spend {consent_usd}: give an amount of USD, 0 or more")
    if budget.max_usd is not None and consent_usd > budget.max_usd:
        raise ConfigError(
            f"consent to spend {dollars(consent_usd)} is more than budget.max_usd "
            f"{dollars(budget.max_usd)}.\nNo call was made. Raise budget.max_usd in the study, or "
            "consent to less"
        )


def agreed_usd(consent_usd: float | None, budget: BudgetConfig) -> float:
    """What a command may spend: the consent; without a word, what needs none."""
    if consent_usd is not None:
        return consent_usd
    return min(budget.confirm_above_usd, math.inf if budget.max_usd is None else budget.max_usd)


def shares_of_consent(consent_usd: float, foreseen_usd: Sequence[float]) -> list[float]:
    """What each of several runs at a time may spend: together no more than `consent_usd`.

    Each gets what is foreseen for it and a part of the rest, or of what is lacking, as large as
    its part of all that is foreseen. Consent to any cost is consent for each.
    """
    if consent_usd == WHATEVER_IT_COSTS:
        return [consent_usd] * len(foreseen_usd)
    total = sum(foreseen_usd)
    if total == 0:
        return [consent_usd / len(foreseen_usd)] * len(foreseen_usd)
    rest = consent_usd - total
    return [max(0.0, usd + rest * (usd / total)) for usd in foreseen_usd]


def _require_prices(
    projection: Projection,
    budget: BudgetConfig,
    consent_usd: float | None,
    facts: dict[str, float],
    remarks: str,
) -> None:
    """What nobody can price, nobody can cap: it needs a price, or consent without an amount."""
    if not projection.unpriced:
        return
    models = ", ".join(projection.unpriced)
    remedy = (
        "give it a price in the file of budget.pricing_path: "
        '{"models": {"<model id>": {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 4.0}}}'
    )
    if budget.max_usd is not None:
        raise ConfigError(
            f"no price is known for {models}, so budget.max_usd cannot be enforced.\n"
            f"None of these calls was made. Remove budget.max_usd, or {remedy}",
            facts,
        )
    if consent_usd != WHATEVER_IT_COSTS:
        raise ConsentMissing(
            f"no price is known for {models}, so the cost of these calls is unknown.\n"
            f"{remarks}None of these calls was made. Consent with --yes and no amount "
            f"(max_usd=float('inf') in Python, consent_usd: inf in Dagster), or {remedy}",
            facts,
        )


def _how_to_consent(usd: float, cap: float | None) -> str:
    # A sum a hair above a whole cent is rounded to the next one.
    cents = math.ceil(usd * 100 + 1e-6) / 100
    enough = f"{cents:.2f}" if cap is None or cents <= cap else f"{cap:g}"
    return (
        f"Say --yes or --max-usd {enough}; pass max_usd={enough} in Python; in Dagster set "
        f"`consent_usd: {enough}` in the run config, or the run tag "
        f"`itemeval_assets/consent_usd: {enough}`"
    )
