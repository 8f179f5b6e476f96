"""Views of items and of the answers to them, and of conditions."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .figures import GRADED
from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.item_answers import ItemAnswers

__all__ = ["abilities_view", "answers_view", "conditions_view", "items_view", "responses_view"]


def items_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The statistics of items, the flagged ones first."""
    return View(title, _ITEMS, sorted(rows, key=lambda row: row["flag"] is None))


def answers_view(item: "ItemAnswers") -> View:
    """All answers to an item, and what was made of them."""
    return View(f"answers to {item.item_id}", _ANSWERS, item.answers)


def responses_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The items of a response model, the hardest first; those without an estimate last."""
    return View(title, _RESPONSES, sorted(rows, key=_hardest_first))


def abilities_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The conditions of a response model, the ablest first."""
    return View(title, _ABILITIES, sorted(rows, key=lambda row: -row["ability"]))


def conditions_view(rows: Sequence[Mapping[str, Any]]) -> View:
    """Every condition of a design."""
    return View("conditions", _CONDITIONS, rows)


def _hardest_first(row: Mapping[str, Any]) -> float:
    return math.inf if row["difficulty"] is None else -row["difficulty"]


def _scale(row: Mapping[str, Any]) -> str:
    """Only graders have one."""
    if row["stage"] == "generate":
        return ""
    return "not declared" if row["scale"] is None else "{:g} to {:g}".format(*row["scale"])


_ITEMS = (
    Column("item_id", "text", "item", "item", "item"),
    Column("n_events", "count", None, "events"),
    Column("difficulty", "mean", "mean\nscore", "mean score", "mean score"),
    Column("item_total", "mean", "item-\ntotal", "item-total", "item-total"),
    Column("ties", "part", "ties", "ties"),
    Column("flips", "part", "flips", "flips"),
    Column("quarrels", "part", "quarrels", "quarrels"),
    Column("flag", "text", None, "flag"),
    Column("reason", "text", "why it is odd", "why it is odd", "why it is odd"),
    Column("question", "line", None, "question"),
    Column(lambda row: " ".join(row["logs"]), "text", None, "logs"),
)
_ANSWERS = (
    *GRADED,
    Column("replication", "number", "replication", "replication"),
    Column("state", "state", "state", "state"),
    Column("score", "mean", "score", "score"),
    Column("solution", "line", "answer", "answer"),
    Column("judge_completion", "line", None, "judge's reply"),
    Column("gen_log", "text", None, "log of the answer"),
    Column("grade_log", "text", None, "log of the grading"),
)
_RESPONSES = (
    Column("item", "text", "item", "item"),
    Column("difficulty", "mean", "difficulty", "difficulty"),
    Column("difficulty_se", "mean", "error", "standard error of difficulty"),
    Column("discrimination", "mean", "discri-\nmination", "discrimination"),
    Column("discrimination_se", "mean", "error", "standard error of discrimination"),
    Column("easiness", "mean", None, "easiness"),
    Column("easiness_se", "mean", None, "standard error of easiness"),
    Column("question", "line", None, "question"),
)
_ABILITIES = (
    Column("person", "text", "condition", "condition"),
    Column("ability", "mean", "ability", "ability"),
    Column("ability_se", "mean", "error", "standard error"),
)
_CONDITIONS = (
    Column("stage", "text", "stage", "stage"),
    Column("label", "text", "label", "label"),
    Column("condition_id", "text", "condition_id", "condition_id"),
    Column("slug", "text", None, "slug"),
    Column("model", "text", "model", "model"),
    *(
        Column(lambda row, name=name: row.get(name), "text", None, name)
        for name in (
            *("prompt_name", "prompt_hash", "model_config_name"),
            *("grade_kind", "grader_name", "rubric_name", "rubric_hash", "scorer_name"),
        )
    ),
    Column(lambda row: row.get("temperature"), "number", None, "temperature"),
    Column(lambda row: row.get("repeat"), "number", None, "repeat"),
    Column(_scale, "text", "scale", "scale"),
)
