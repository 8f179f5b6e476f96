"""Views of items and of the answers to them, and of conditions."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .figures import GRADED
from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.items.item_answers import ItemAnswers
    from itemeval_assets.stages.figures.items.matrix import ResponseMatrix


def items_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The statistics of items, the flagged ones first."""
    return View(title, _ITEMS, sorted(rows, key=lambda row: row["flag"] is None))


def answers_view(item: "ItemAnswers") -> View:
    """All answers to an item, and what was made of them."""
    return View(f"answers to {item.item_id}", _ANSWERS, item.answers)


def responses_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The items of a response model, the hardest first; those without an estimate last."""
    return View(title, _RESPONSES, sorted(rows, key=_hardest_first))


def responded_view(found: "ResponseMatrix", title: str) -> View:
    """The persons of a response matrix; on a terminal how much they answered, else all of it."""
    names = ["condition"] if found.persons == "conditions" else ["condition", "replication"]
    persons = (
        Column(name, "text" if name == "condition" else "number", name, name) for name in names
    )
    answers = (Column(partial(_answer, item), "number", None, item) for item in found.items)
    return View(title, (*persons, *_RESPONDED, *answers), found.rows)


def _answer(item: str, row: Mapping[str, Any]) -> Any:
    return row["values"][item]


def abilities_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The conditions of a response model, the ablest first."""
    return View(title, _ABILITIES, sorted(rows, key=lambda row: -row["ability"]))


def conditions_view(rows: Sequence[Mapping[str, Any]], title: str = "conditions") -> View:
    """Conditions of a design; on a terminal only what differs among them."""
    differs = len({_settings(row) for row in rows}) > 1
    settings = Column(_settings, "text", "settings" if differs else None, "settings")
    parts = (_part(name, rows) for name in _PARTS)
    return View(title, (*_CONDITIONS, *parts, settings, _SCALE), rows)


def _part(name: str, rows: Sequence[Mapping[str, Any]]) -> Column:
    """A part of a condition. What all have alike tells none of them from another."""
    heading = _PARTS[name]
    values = dict.fromkeys(row.get(name) for row in rows)
    differs = len(values) > 1 and any(value is not None for value in values)
    kind = "number" if name in ("temperature", "repeat", "anchors") else "text"
    value = (
        (lambda row: _number(row.get(name))) if kind == "number" else (lambda row: row.get(name))
    )
    return Column(value, kind, heading if differs else None, name)


def _settings(row: Mapping[str, Any]) -> str:
    """What the calls of a model are made with, where it is set."""
    return ", ".join(f"{name} {value}" for name, value in (row.get("params") or {}).items())


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _hardest_first(row: Mapping[str, Any]) -> float:
    return math.inf if row["difficulty"] is None else -row["difficulty"]


def _known(log: str | None) -> list[str]:
    return [log] if log else []


def _scale(row: Mapping[str, Any]) -> str:
    """Only graders have one."""
    if row["stage"] != "grade":
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
    Column("flag", "text", None, "flag", reader="programs"),
    Column("reason", "text", "why it is odd", "why it is odd", "why it is odd"),
    Column("question", "line", None, "question"),
    Column("logs", "logs", None, "logs"),
    Column(lambda row: row.get("scale"), "scale", None, "scale", reader="programs"),
)
_ANSWERS = (
    *GRADED,
    Column("replication", "number", "replication", "replication"),
    Column("state", "state", "state", "state"),
    Column("score", "mean", "score", "score"),
    Column("settled_by", "text", "settled by", "settled by", sometimes="settled_by"),
    Column("solution", "line", "answer", "answer"),
    Column(
        "judge_completion",
        "line",
        "judge's reply",
        "judge's reply",
        sometimes="judge_completion",
        wide=True,
    ),
    Column(lambda row: _known(row.gen_log), "logs", None, "log of the answer"),
    Column(lambda row: _known(row.grade_log), "logs", None, "log of the grading"),
)
_RESPONSES = (
    Column("item", "text", "item", "item"),
    Column("difficulty", "mean", "difficulty", "difficulty"),
    Column("difficulty_se", "mean", "SE", "standard error of difficulty"),
    Column("discrimination", "mean", "discri-\nmination", "discrimination"),
    Column(
        lambda row: row["discrimination_se"] or "fixed",
        "mean",
        "SE",
        "standard error of discrimination",
        reader="people",
    ),
    Column(
        "discrimination_se", "mean", None, "standard error of discrimination", reader="programs"
    ),
    Column("easiness", "mean", None, "easiness"),
    Column("easiness_se", "mean", None, "standard error of easiness"),
    Column("question", "line", None, "question"),
)
_RESPONDED = (
    Column(lambda row: (row["scored"], row["cells"]), "share", "scored"),
    Column("left_out", "left_out", "left out"),
)
_ABILITIES = (
    Column("person", "text", "condition", "condition"),
    Column("ability", "mean", "ability", "ability"),
    Column("ability_se", "mean", "SE", "standard error of ability"),
)
_CONDITIONS = (
    Column("stage", "text", None, "stage", "stage"),
    Column("label", "text", "label", "label", "label"),
    Column("condition_id", "text", "condition_id", "condition_id"),
    Column("slug", "text", None, "slug"),
    Column("model", "text", None, "model", "model"),
)
# What else a condition is made of, and how a terminal heads it. Hashes are for programs.
_PARTS: dict[str, str | None] = {
    "prompt_name": "prompt",
    "prompt_hash": None,
    "model_config_name": "config",
    "grade_kind": "kind",
    "grader_name": None,
    "rubric_name": "rubric",
    "rubric_hash": None,
    "criterion": "criterion",
    "scorer_name": None,
    "temperature": "temp.",
    "repeat": "repeat",
    "wave": "time",
    "anchors": "anchors",
}
_SCALE = Column(_scale, "text", "scale", "scale", once=True)
