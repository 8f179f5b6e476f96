"""The gate's rule: the hard cap holds, and what costs more than agreed needs consent."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itemeval_assets.core.config.sections import BudgetConfig
from itemeval_assets.core.errors import (
    BudgetExceeded,
    ConfigError,
    ConsentMissing,
    ItemevalAssetsError,
)
from itemeval_assets.core.money.budget import (
    WHATEVER_IT_COSTS,
    Standing,
    require_budget,
    require_sane_consent,
    shares_of_consent,
)
from itemeval_assets.core.money.projection.estimate import NOTHING, Projection

USD = st.floats(0, 10_000)
CAP = st.none() | st.floats(1e-6, 10_000)
CONSENT = st.none() | USD | st.just(WHATEVER_IT_COSTS)
BUDGET = st.builds(BudgetConfig, confirm_above_usd=USD, max_usd=CAP)
NEW = Standing(0.0)


def calls(usd: float, *, unpriced: tuple[str, ...] = ()) -> Projection:
    return Projection(calls=4, cached=1, usd=usd, unpriced=unpriced)


def refusal(
    projection: Projection,
    budget: BudgetConfig,
    standing: Standing = NEW,
    consent_usd: float | None = None,
) -> ItemevalAssetsError:
    with pytest.raises(ItemevalAssetsError) as caught:
        require_budget(projection, budget, standing, consent_usd)
    assert "None of these calls was made." in str(caught.value)
    return caught.value


def test_what_is_spent_and_reserved_counts_against_the_cap() -> None:
    budget, standing = BudgetConfig(max_usd=10), Standing(5.0, 2.0)
    require_budget(calls(3.0), budget, standing, None)
    error = refusal(calls(3.25), budget, standing, WHATEVER_IT_COSTS)
    assert (type(error), error.exit_code) == (BudgetExceeded, 4)
    expected = {"projected_usd": 3.25, "calls": 3, "spent_usd": 5.0, "reserved_usd": 2.0}
    assert error.facts == {**expected, "max_usd": 10.0}
    words = ("budget.max_usd $10.00", "up to $3.25 for 3 calls", "$5.00 spent", "--policy")
    assert all(word in str(error) for word in words)


def test_above_the_threshold_consent_is_needed() -> None:
    budget, standing = BudgetConfig(confirm_above_usd=2), Standing(100.0, 50.0)
    require_budget(calls(2.0), budget, standing, None)
    error = refusal(calls(2.341), budget, standing)
    assert (type(error), error.exit_code) == (ConsentMissing, 3)
    assert (error.facts["projected_usd"], error.facts["allowed_usd"]) == (2.341, 2.0)
    for way in (
        "--yes or --max-usd 2.35",
        "max_usd=2.35 in Python",
        "`consent_usd: 2.35` in the run config",
        "`itemeval_assets/consent_usd: 2.35`",
    ):
        assert way in str(error)
    require_budget(calls(2.341), budget, standing, 2.35)
    require_budget(calls(2.341), budget, standing, WHATEVER_IT_COSTS)


def test_a_consent_replaces_the_threshold_also_where_it_is_smaller() -> None:
    error = refusal(calls(1.0), BudgetConfig(confirm_above_usd=5), consent_usd=0.5)
    assert (type(error), error.facts["allowed_usd"]) == (ConsentMissing, 0.5)


@pytest.mark.parametrize("consent_usd", [None, 1000.0, WHATEVER_IT_COSTS])
def test_without_a_price_a_cap_cannot_be_kept(consent_usd: float | None) -> None:
    error = refusal(
        calls(0.0, unpriced=("a/b", "c/d")), BudgetConfig(max_usd=10), consent_usd=consent_usd
    )
    assert (type(error), error.exit_code, error.facts["calls"]) == (ConfigError, 2, 3)
    assert "no price is known for a/b, c/d" in str(error) and "Remove budget.max_usd" in str(error)
    assert "budget.pricing_path" in str(error)


def test_without_a_price_only_consent_to_any_cost_will_do() -> None:
    unknown, budget = calls(0.0, unpriced=("a/b",)), BudgetConfig()
    for consent_usd in (None, 1000.0):
        error = refusal(unknown, budget, consent_usd=consent_usd)
        assert (type(error), error.facts["projected_usd"]) == (ConsentMissing, 0.0)
        ways = ("--yes", "max_usd=float('inf')", "consent_usd: inf", "budget.pricing_path")
        assert all(way in str(error) for way in ways)
    require_budget(unknown, budget, NEW, WHATEVER_IT_COSTS)


@pytest.mark.parametrize("projection", [NOTHING, Projection(calls=3, cached=3)])
def test_where_nothing_is_called_nothing_is_refused(projection: Projection) -> None:
    empty = BudgetConfig(confirm_above_usd=0, max_usd=1)
    require_budget(projection, empty, Standing(7.0, 7.0), None)
    require_budget(projection._replace(unpriced=("a/b",)), empty, Standing(7.0), 0.0)
    one_more = projection._replace(calls=projection.calls + 1)
    assert isinstance(refusal(one_more, empty, Standing(7.0, 7.0)), BudgetExceeded)


@given(BUDGET, USD, USD, USD, CONSENT, st.booleans())
@example(BudgetConfig(max_usd=1), 1.0, 0.0, 0.0, None, False)
def test_calls_that_are_allowed_stay_below_the_cap_and_within_consent(
    budget: BudgetConfig,
    usd: float,
    spent: float,
    reserved: float,
    consent_usd: float | None,
    is_priced: bool,
) -> None:
    projection = calls(usd, unpriced=() if is_priced else ("a/b",))
    try:
        require_budget(projection, budget, Standing(spent, reserved), consent_usd)
    except ItemevalAssetsError:
        return
    if budget.max_usd is not None:
        assert is_priced and spent + reserved + usd <= budget.max_usd
    assert usd <= (budget.confirm_above_usd if consent_usd is None else consent_usd)


@given(st.floats(0.001, 10_000))
def test_the_consent_that_is_asked_for_is_enough(usd: float) -> None:
    budget = BudgetConfig(confirm_above_usd=0)
    named = re.search(r"--max-usd (\S+);", str(refusal(calls(usd), budget)))
    assert named is not None and usd <= float(named[1]) < usd + 0.02
    require_budget(calls(usd), budget, NEW, float(named[1]))


@pytest.mark.parametrize(
    ("consent_usd", "max_usd", "message"),
    [
        (None, 10, ""),
        (0.0, 10, ""),
        (10.0, 10, ""),
        (math.inf, 10, ""),
        (1e9, None, ""),
        (-0.01, 10, "consent to spend -0.01: give an amount of USD, 0 or more"),
        (-math.inf, 10, "consent to spend -inf: give an amount of USD, 0 or more"),
        (math.nan, 10, "consent to spend nan: give an amount of USD, 0 or more"),
        (
            10.01,
            10,
            "consent to spend $10.01 is more than budget.max_usd $10.00.",
        ),
    ],
)
def test_only_consent_that_makes_no_sense_is_refused(
    consent_usd: float | None, max_usd: float | None, message: str
) -> None:
    told = ""
    try:
        require_sane_consent(consent_usd, BudgetConfig(max_usd=max_usd))
    except ConfigError as error:
        told = str(error)
    assert told.partition("\n")[0] == message


@given(USD, st.lists(USD, min_size=1, max_size=5))
def test_consent_that_is_shared_out_is_never_more(
    consent_usd: float, foreseen: list[float]
) -> None:
    found = shares_of_consent(consent_usd, foreseen)
    assert all(share >= 0 for share in found)
    assert sum(found) <= consent_usd * (1 + 1e-9) + 1e-9


@given(st.lists(USD, min_size=1, max_size=5))
def test_consent_to_what_is_foreseen_is_enough_for_each(foreseen: list[float]) -> None:
    found = shares_of_consent(sum(foreseen), foreseen)
    assert all(share >= usd for share, usd in zip(found, foreseen, strict=True))
    assert shares_of_consent(math.inf, foreseen) == [math.inf] * len(foreseen)
