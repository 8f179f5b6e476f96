"""The card of a release: what came of each condition, and what it cost, in words."""

from typing import Any

import pytest
import yaml

from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.money.spend import Spend
from itemeval_assets.core.records.summaries import Graded, PairScores
from itemeval_assets.report.card import CardFacts, study_card
from tests.rows import outcome
from tests.studies import study_yaml


def card(**known: Any) -> list[str]:
    facts: dict[str, Any] = {
        "version": "v1.0.0",
        "experiment_id": "toy/v1.0.0/2026-01-02_03-04-05",
        "released_at": "2026-01-02T03:04:05+00:00",
        "config": parse_config(yaml.safe_dump(study_yaml()), "study.yaml"),
        "config_sha256": "c0ffee",
        "cells": 4,
        "missing": 0,
        "items": {"items.jsonl": 4},
        "scores": [],
        "spend": [],
        "manifests": [],
        "frames": {"scalars": 4},
        "package_version": "1.2.3",
    }
    return study_card(CardFacts(**{**facts, **known})).splitlines()


def of(condition: str, graded: Graded) -> PairScores:
    return PairScores.of(condition, "numeric", graded)


@pytest.mark.parametrize(
    ("graded", "figures"),
    [
        (
            outcome([0.25, 0.75], {"no_json_object": 3}, errored=1),
            ("6", "0.5", "2", "3 unparsed, 1 errored"),
        ),
        (outcome([1 / 3] * 1200), ("1,200", "0.3333", "1,200", "none")),
        (outcome([], missing=1), ("1", "none", "0", "1 missing")),
        (outcome([]), ("0", "none", "0", "none")),
    ],
)
def test_a_condition_has_a_row_of_figures(graded: Graded, figures: tuple[str, ...]) -> None:
    [row] = [line for line in card(scores=[of("a · short", graded)]) if "a · short" in line]
    assert row.strip("| ").split(" | ") == ["a · short", "numeric", *figures]


def test_results_are_a_table_whatever_the_names() -> None:
    lines = card(scores=[of("a|b · short", outcome([1.0]))])
    header = lines.index("| condition | graded by | cells | mean score | scored | left out |")
    assert lines[header + 1 : header + 4] == [
        "|---|---|---|---|---|---|",
        "| a\\|b · short | numeric | 1 | 1 | 1 | none |",
        "",
    ]


def test_names_are_no_templates() -> None:
    """What a study calls its parts is shown as it is, and never run."""
    name = "{{ 7 * 7 }} {% for x in y %} {# z #}"
    lines = card(scores=[of(name, outcome([1.0]))], experiment_id=name, items={name: 4})
    assert sum(name in line for line in lines) >= 3
    assert not any("49" in line for line in lines)


def test_missing_cells_are_said_at_the_top() -> None:
    warning = (
        "**1,200 cells have no valid grading event**: the frame `errors` lists them, with the "
        "reason."
    )
    assert warning in card(missing=1200)[:8]
    assert not any("have no valid grading event" in line for line in card())


def test_costs_of_several_models_have_a_total() -> None:
    one = Spend("p", "p/one", calls=1000, cached=10, usd=1.5)
    other = Spend("p", "p/other", calls=5, usd=0.25, unpriced_calls=2)
    rows = ["| p/one | 1,000 | 10 | 1.5000 | 0 |", "| p/other | 5 | 0 | 0.2500 | 2 |"]
    lines = card(spend=[one, other])
    found = lines.index(rows[0])
    assert lines[found : found + 3] == [*rows, "| total | 1,005 | 10 | 1.7500 | 2 |"]
    assert not any(line.startswith("| total") for line in card(spend=[one]))


def test_what_left_the_design_is_said_with_its_cost() -> None:
    said = "0.2500 USD of it for conditions that the design no longer has: the"
    assert said in card(others_usd=0.25)
    assert not any("no longer has" in line for line in card())
