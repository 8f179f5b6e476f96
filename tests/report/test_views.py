"""Views: each figure is declared once, and every reader sees the same one in its own form."""

from dataclasses import replace
from typing import get_args

import pytest

from itemeval_assets.core.money.spend import Spend
from itemeval_assets.report.render.markdown import rendered
from itemeval_assets.report.render.records import columns_of, records
from itemeval_assets.report.render.terminal_table import FORMATS
from itemeval_assets.report.views import (
    CELLS,
    COMPLETION,
    ESTIMATE,
    HEALTH,
    REASONS,
    SCORED,
    View,
    agreement_view,
    components_view,
    conditions_view,
    designs_view,
    differences_view,
    items_view,
    judge_view,
    judges_view,
    means_view,
    spend_view,
)
from itemeval_assets.report.views.view import Column, Figure, Money, Quantity, Text, part_of
from itemeval_assets.stages.figures.judges.cards import JudgeCard

CARD = JudgeCard(
    judge="j · strict",
    model="lab/j",
    level=0.95,
    cluster=None,
    scale=None,
    replies=0,
    unparsed=0,
    usd=None,
    usd_per_reply=None,
    figures=[],
)
VIEWS = {
    "spend": spend_view([]).columns,
    "estimate": ESTIMATE,
    "health": HEALTH,
    "scored": SCORED,
    "completion": COMPLETION,
    "reasons": REASONS,
    "cells": CELLS,
    "means": means_view([], "topic").columns,
    "differences": differences_view([]).columns,
    "components": components_view([], "").columns,
    "designs": designs_view([], "").columns,
    "agreement": agreement_view([]).columns,
    "judge": judge_view(CARD).columns,
    "items": items_view([], "").columns,
    "conditions": conditions_view([]).columns,
}
DEAR = Spend("openai", "openai/a", 1234, 2, 12.3456789012, saved_by_batch_usd=1.5, total_tokens=9)
CHEAP = Spend("x", "x/b", 1000, 0, 0.0, unpriced_calls=1000)


@pytest.mark.parametrize("name", VIEWS)
def test_no_two_figures_have_one_heading(name: str) -> None:
    view = View("", VIEWS[name], [])
    for reader in ("terminal", "card"):
        headings = [getattr(column, reader) for column in VIEWS[name]]
        shown = [heading for heading in headings if heading is not None]
        assert len(shown) == len(set(shown))
    for reader in ("people", "programs"):
        headings = [column.page for column in columns_of(view, reader)]
        assert len(headings) == len(set(headings))


def test_a_terminal_knows_every_kind_of_figure() -> None:
    assert FORMATS.keys() == {
        *get_args(Text),
        *get_args(Quantity),
        *get_args(Figure),
        *get_args(Money),
    }


def test_a_page_shows_each_model_and_no_sum() -> None:
    view = spend_view([DEAR, CHEAP])
    first, second = records(view)
    assert first == {
        "model": "openai/a",
        "calls": 1234,
        "cached": 2,
        "usd": 12.345678901,
        "list usd": 13.845678901,
        "response cache": 0.0,
        "prompt cache": 0.0,
        "batch": -1.5,
        "unpriced": 0,
    }
    assert (second["model"], second["usd"], second["unpriced"]) == ("x/b", 0.0, 1000)


def test_a_value_is_a_field_of_a_record_or_of_a_mapping_or_what_a_function_makes() -> None:
    assert part_of(DEAR, "calls") == part_of({"calls": 1234}, "calls") == 1234
    assert part_of(DEAR, lambda spend: spend.calls + 1) == 1235
    nested = View("", [Column("spend.model", "text", page="model")], [_Study(DEAR)])
    assert records(nested) == [{"model": "openai/a"}]


class _Study:
    def __init__(self, spend: Spend) -> None:
        self.spend = spend


def test_a_template_refuses_what_nobody_told_it() -> None:
    with pytest.raises(Exception, match="'head' is undefined"):
        rendered("study_card.md")


def test_a_judge_without_a_reply_has_no_unknown_price() -> None:
    reasons = {row["why not"] for row in records(judges_view([CARD])) if "USD" in row["figure"]}
    assert reasons == {"It has given no reply."}
    dear = judges_view([replace(CARD, replies=3)])
    reasons = {row["why not"] for row in records(dear) if "USD" in row["figure"]}
    assert reasons == {"A price is not known."}
