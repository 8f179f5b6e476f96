"""At which price logs are booked; which rows come in; which condition a judge is."""

from typing import Any

import pytest

from itemeval_assets.core.imports.judges import formats_of
from itemeval_assets.core.imports.prices import booked_price
from itemeval_assets.core.imports.rows import balanced, chosen
from itemeval_assets.core.money.prices import Price
from itemeval_assets.core.money.pricing import PriceBook

PRICES = PriceBook({"p/m": Price(input_usd_per_mtok=1.0, output_usd_per_mtok=2.0)})
TOKENS = {"input_tokens": 300, "output_tokens": 100, "cache_read_tokens": None}


def booked(usd: float | None) -> dict[str, Any]:
    is_priced = usd is not None
    rest = {"cache_write_tokens": None, "usd": usd, "priced": is_priced, "batch": False}
    return {**TOKENS, **rest}


@pytest.mark.parametrize("usd", [0.0005, 0.25, 0.0])
def test_calls_cost_what_the_ledger_says(usd: float) -> None:
    price = booked_price(PRICES, "p/m", booked(usd), source="there")
    assert PriceBook.as_booked("p/m", price).usd("p/m", booked(usd)) == pytest.approx(usd)
    assert price is not None and (price["source"] == "there") == (usd != 0.0005)


def test_a_model_without_a_price_has_none() -> None:
    assert booked_price(PRICES, "p/m", booked(None), source="there") is None


def test_without_a_row_of_the_ledger_the_price_is_that_of_the_study() -> None:
    assert booked_price(PRICES, "p/m", None, source="there") == PRICES.evidence("p/m")


def row(uuid: str | None, *, log: str | None = "log", error: str | None = None) -> dict[str, Any]:
    return {
        "item_id": "q1",
        "epoch": 1,
        "run_id": "theirs",
        "error": error,
        "log_file": log,
        "sample_uuid": uuid,
        "usd": 1.0,
    }


def test_a_row_has_the_values_of_the_source_and_the_copy_of_its_log() -> None:
    told = {**row("a", log="copy"), "usd": 2.0}
    found = chosen([row(None)], [("log", told)], [], {"log"})
    assert found.rows == [{**told, "usd": 1.0}] and not found.replaced


def test_a_call_beside_the_row_is_replaced() -> None:
    told = [("log", row("a", log="copy")), ("older", row("b", log="older copy"))]
    found = chosen([row(None)], told, [], {"log", "older"})
    assert [one["sample_uuid"] for one in found.rows] == ["a"]
    assert [one["sample_uuid"] for one in found.replaced] == ["b"]


def test_an_answer_that_no_row_tells_of_takes_the_place_of_an_error() -> None:
    told = [("log", row("a", log="copy", error="no")), ("left", row("b", log="its copy"))]
    found = chosen([row(None, error="no")], told, [], {"log", "left"})
    assert [one["sample_uuid"] for one in found.rows] == ["b"]
    assert [one["sample_uuid"] for one in found.replaced] == ["a"]


def test_what_is_here_stays_and_the_call_is_paid_all_the_same() -> None:
    here = {**row("ours"), "run_id": "ours"}
    found = chosen([row(None)], [("log", row("a", log="copy"))], [here], {"log"})
    assert not found.rows and [one["sample_uuid"] for one in found.replaced] == ["a"]


def test_an_import_that_was_cut_off_takes_its_own_rows_again() -> None:
    found = chosen([row(None)], [("log", row("a", log="copy"))], [row("a")], {"log"})
    assert [one["sample_uuid"] for one in found.rows] == ["a"] and not found.replaced


def test_a_verdict_of_today_stays_in_the_place_of_an_imported_one() -> None:
    here = {**row(None, log=None), "run_id": "ours"}
    found = chosen([row(None, log=None)], [], [here], set())
    assert not found.rows and not found.replaced and not found.without_log


def test_what_a_log_costs_beyond_its_rows_its_other_calls_have_cost() -> None:
    others = [{**row("b", log="copy"), "usd": usd} for usd in (1.0, 3.0, None)]
    booked = {"copy": 3.0, "elsewhere": 5.0}
    found = balanced(others, [{**row("a", log="copy"), "usd": 2.0}], booked)
    assert [one["usd"] for one in found] == [0.25, 0.75, None]
    assert balanced(others, [], {"copy": None}) == others == balanced(others, [], {})


def test_formats_are_those_of_the_manifests() -> None:
    manifest = {"grid_grade": [{"payload": {"format": 2}}, {"payload": {"scorer": "numeric"}}]}
    assert (formats_of([manifest]), formats_of([{}])) == ([2], [1])
