"""Views on the page of an asset: what fits there, and what is said once."""

import pytest

from itemeval_assets.core.text.labels import label_parts
from itemeval_assets.report.render.asset_page import on_asset_page
from itemeval_assets.report.views.view import Column, View

COLUMNS = (
    Column("condition", "text", page="condition"),
    Column("mean", "mean", page="mean score"),
    Column("error", "mean", page="standard error", wide=True),
    Column("items", "count", page="items", once=True),
    Column("holes", "count", page="holes", sometimes="holes"),
    Column("note", "text", page="note"),
    Column("logs", "logs", page="logs"),
)


def row(condition: str, mean: float, items: int = 8, holes: int = 0) -> dict[str, object]:
    rest = {"error": 0.1, "note": "", "logs": ["a.eval"]}
    return {"condition": condition, "mean": mean, "items": items, "holes": holes, **rest}


def test_parts_of_a_condition_are_columns_and_what_is_the_same_is_said_once() -> None:
    rows = [row("nova · short", 0.125), row("orion · long · hot", 0.5)]
    assert on_asset_page(View("scores", COLUMNS, rows)) == (
        [
            {"model": "nova", "prompt": "short", "config": "", "mean score": "0.12"},
            {"model": "orion", "prompt": "long", "config": "hot", "mean score": "0.50"},
        ],
        "items 8",
    )


def test_what_differs_and_what_there_is_to_see_stays_in_the_table() -> None:
    rows = [row("nova · short", 0.125), row("nova · long", 0.5, items=6, holes=2)]
    found = on_asset_page(View("scores", COLUMNS, rows))
    assert list(found.rows[0]) == ["model", "prompt", "mean score", "items", "holes"]
    assert found.in_all_rows == ""
    # One row is no table of equal rows.
    assert "items" in on_asset_page(View("scores", COLUMNS, rows[:1])).rows[0]


def test_no_rows_are_an_empty_table() -> None:
    assert on_asset_page(View("scores", COLUMNS, [])) == ([], "")


@pytest.mark.parametrize(
    ("label", "parts"),
    [
        ("nova", ("nova", "", "", "")),
        ("nova · short", ("nova", "short", "", "")),
        ("nova · short · hot (7f8a)", ("nova", "short", "hot (7f8a)", "")),
        ("nova · short | judge · strict", ("nova", "short", "", "judge · strict")),
    ],
)
def test_the_parts_of_a_label(label: str, parts: tuple[str, ...]) -> None:
    assert label_parts(label) == parts
