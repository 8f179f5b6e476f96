"""The card of a release: what came of each condition, and what it cost, in words."""

from typing import Any

import pytest
import yaml

from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.config.sections import PrecisionConfig
from itemeval_assets.core.money.spend import Spend
from itemeval_assets.core.records.stopping import words_on_stopping
from itemeval_assets.report.card import CardFacts, study_card
from itemeval_assets.stages.figures.comparisons.records import StudyComparisons
from itemeval_assets.stages.figures.designs import Design
from itemeval_assets.stages.figures.items.item_statistics import GraderItems, StudyItems
from itemeval_assets.stages.figures.judges.agreement import StudyAgreement
from itemeval_assets.stages.figures.reliability import GraderReliability, StudyReliability
from itemeval_assets.stages.figures.scores.records import Score, StudyScores
from tests.studies import study_yaml


def card(**known: Any) -> list[str]:
    facts: dict[str, Any] = {
        "version": "v1.0.0",
        "experiment_id": "toy/v1.0.0/2026-01-02_03-04-05",
        "released_at": "2026-01-02T03:04:05+00:00",
        "config": parse_config(yaml.safe_dump(study_yaml()), "study.yaml"),
        "config_sha256": "c0ffee",
        "models": ["mockllm/a"],
        "model_sample": None,
        "cells": 4,
        "missing": 0,
        "items": {"items.jsonl": 4},
        "scores": together(),
        "comparisons": StudyComparisons(
            study="toy",
            policy="dev",
            facet="condition",
            level=0.95,
            cluster=None,
            margin=None,
            by_grader=[],
        ),
        "reliability": StudyReliability(
            study="toy", policy="dev", level=0.95, cluster=None, by_grader=[]
        ),
        "agreement": StudyAgreement(
            study="toy",
            policy="dev",
            level=0.95,
            cluster=None,
            judges=[],
            figures=[],
            words=["No judge."],
        ),
        "item_statistics": StudyItems(study="toy", policy="dev", by_grader=[]),
        "spend": [],
        "manifests": [],
        "frames": {"scalars": 4, "gradings_long": 4},
        "package_version": "1.2.3",
    }
    return study_card(CardFacts(**{**facts, **known})).splitlines()


def together(*rows: Score, words: tuple[str, ...] = ()) -> StudyScores:
    return StudyScores(
        study="toy",
        policy="dev",
        level=0.95,
        cluster=None,
        by=None,
        rows=list(rows),
        words=list(words),
    )


def of(condition: str, **known: Any) -> Score:
    facts: dict[str, Any] = {
        "graded_by": "numeric",
        "group": None,
        "gen_condition_id": "g",
        "grade_condition_id": "n",
        "scale": (0.0, 1.0),
        "cells": 6,
        "left_out": {},
        "mean": 0.5,
        "standard_error": 0.125,
        "low": 0.25,
        "high": 0.75,
        "level": 0.95,
        "n_events": 6,
        "n_items": 3,
        "n_clusters": 3,
        "method": "t, clustered by item",
    }
    return Score(condition=condition, **{**facts, **known})


@pytest.mark.parametrize(
    ("known", "figures"),
    [
        (
            {"left_out": {"unparsed": 3, "errored": 1}},
            ("0.50", "0.25 to 0.75", "3", "0 to 1", "6", "3 unparsed, 1 errored"),
        ),
        (
            {"mean": 1 / 3, "cells": 1200},
            ("0.33", "0.25 to 0.75", "3", "0 to 1", "1,200", "none"),
        ),
        (
            {"mean": None, "low": None, "high": None, "n_items": 0, "scale": None},
            ("-", "-", "0", "not declared", "6", "none"),
        ),
    ],
)
def test_a_condition_has_a_row_of_figures(known: dict[str, Any], figures: tuple[str, ...]) -> None:
    found = card(scores=together(of("a · short", **known)))
    [row] = [line for line in found if "a · short" in line]
    assert row.strip("| ").split(" | ") == ["a · short", *figures]
    assert "**scores by numeric**" in found


def test_bounds_and_clusters_are_shown_where_they_matter() -> None:
    found = card(scores=together(of("a", bounds=(0.2, 0.9), n_items=9)))
    header = (
        "| condition | mean score | interval | items | clusters | scale | cells |"
        " left out | bounds |"
    )
    assert header in found
    assert "| a | 0.50 | 0.25 to 0.75 | 9 | 3 | 0 to 1 | 6 | none | 0.20 to 0.90 |" in found


def test_what_is_to_be_said_stands_below_the_means() -> None:
    assert "Only 3 items." in card(scores=together(of("a"), words=("Only 3 items.",)))


def test_results_are_a_table_whatever_the_names() -> None:
    lines = card(scores=together(of("a|b · short")))
    header = lines.index("| condition | mean score | interval | items | scale | cells | left out |")
    assert lines[header + 1 : header + 4] == [
        "|---|---|---|---|---|---|---|",
        "| a\\|b · short | 0.50 | 0.25 to 0.75 | 3 | 0 to 1 | 6 | none |",
        "",
    ]


def test_only_odd_items_are_named() -> None:
    row = {
        **{"item_id": "q1", "n_events": 6, "difficulty": 1.0, "item_total": None, "ties": 1.0},
        **{"flips": None, "quarrels": None, "question": "?", "logs": []},
    }
    odd = {**row, "item_id": "q2", "flag": "always_right", "reason": "All are right."}
    graded = GraderItems(
        graded_by="numeric", scale=(0, 1), items=[{**row, "flag": None, "reason": None}, odd]
    )
    lines = card(item_statistics=StudyItems(study="toy", policy="dev", by_grader=[graded]))
    assert "| item | mean score | item-total | why it is odd |" in lines
    assert "| q2 | 1.00 | - | All are right. |" in lines
    assert not any("q1" in line for line in lines)
    sound = GraderItems(graded_by="numeric", scale=(0, 1), items=graded.items[:1])
    lines = card(item_statistics=StudyItems(study="toy", policy="dev", by_grader=[sound]))
    assert "By numeric: 0 of 1 items are flagged. The scale is 0 to 1." in lines


def test_of_many_odd_items_the_first_ones_are_named() -> None:
    row = {
        **{"n_events": 6, "difficulty": 1.0, "item_total": None, "ties": 1.0, "flips": None},
        **{"quarrels": None, "question": "?", "logs": [], "flag": "x", "reason": "Odd."},
    }
    items = [{**row, "item_id": f"q{n}"} for n in range(30)]
    graded = GraderItems(graded_by="numeric", scale=None, items=items)
    lines = card(item_statistics=StudyItems(study="toy", policy="dev", by_grader=[graded]))
    assert sum(line.startswith("| q") for line in lines) == 10
    told = (
        "By numeric: 30 of 30 items are flagged; the first 10 are shown. The scale is not declared."
    )
    assert told in lines


def test_several_tables_of_a_section_have_titles() -> None:
    source = {"source": "model", "df": 1, "variance": 0.5, "share": 1.0, "low": 0.1, "high": 2.0}
    design = Design(
        facet="item_id",
        n=10,
        observed=True,
        relative_error=0.1,
        absolute_error=0.2,
        generalizability=None,
        dependability=0.5,
    )
    found = GraderReliability(
        graded_by="numeric",
        object="model",
        scale=(0, 1),
        method="ems",
        reason="no cell is missing",
        components=[{**source, "fixed": False, "negative": False}],
        designs=[design],
    )
    lines = card(
        reliability=StudyReliability(
            study="toy", policy="dev", level=0.95, cluster=None, by_grader=[found]
        )
    )
    title = lines.index("**variance components by numeric**")
    assert lines[title + 2].startswith("| source | df | variance |")
    assert "**other designs, by numeric**" in lines
    assert "| items | 10 (now) | 0.100 | 0.200 | - | 0.50 |" in lines
    assert not any(line == "**scores**" for line in card(scores=together(of("a"))))


def test_a_figure_that_could_not_be_estimated_says_why() -> None:
    assert "could not be estimated: X" in card(reliability="could not be estimated: X")


def test_names_are_no_templates() -> None:
    """What a study calls its parts is shown as it is, and never run."""
    name = "{{ 7 * 7 }} {% for x in y %} {# z #}"
    lines = card(scores=together(of(name)), experiment_id=name, items={name: 4})
    assert sum(name in line for line in lines) >= 3
    assert not any("49" in line for line in lines)


def test_missing_cells_are_said_at_the_top() -> None:
    warning = (
        "**1,200 cells have no valid grading event**: the frame `errors` lists them, with the "
        "reason."
    )
    found = card(missing=1200)
    top = found.index("# toy v1.0.0")
    assert warning in found[top : top + 8]
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


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ({"half_width": 0.02}, "until each 95 % interval had a half-width of 0.02 or less."),
        (
            {"detect": 0.03, "metrics": ["judge"]},
            "until a difference of 0.03 by judge was detected with a power of 80 %.",
        ),
    ],
)
def test_how_the_number_of_items_was_chosen_is_told(target: dict[str, Any], rule: str) -> None:
    words = words_on_stopping(PrecisionConfig(**target), 0.95, ["Precision reached."])
    [line] = [line for line in card(stopping=words) if line.startswith("- Number of items: ")]
    assert "chosen by looking (`precision`): the first 30 of the sample" in line
    assert f"{rule} The widths of intervals end it" in line and line.endswith("Precision reached.")
    assert not [line for line in card() if "Number of items" in line]
