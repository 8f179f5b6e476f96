"""Tables on a terminal of 80 columns: no name breaks within a word, and the frame stays."""

import pytest

from itemeval_assets.report import terminal
from itemeval_assets.report.render.terminal_table import show
from itemeval_assets.report.views.view import Column, View

MODEL = "SmolLM2-135M-Instruct"
PAIR = (
    Column("a", "text", "a"),
    Column("b", "text", "b"),
    Column("value", "difference", "a - b"),
    Column("ends", "span", "interval"),
    Column("p", "p", "p"),
    Column("ties", "count", "ties"),
)
FIGURES = {"value": 0.143, "ends": (-0.067, 0.353), "p": 0.165, "ties": 12, "left": 9}


# Where some items have no score.
WITH_LEFT_OUT = (*PAIR, Column("left", "count", "left\nout"), Column("ends", "span", "bounds"))


def shown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    a: str,
    b: str,
    columns: tuple[Column, ...] = PAIR,
) -> list[str]:
    monkeypatch.setattr(terminal.out, "_width", 80)
    show(View("pairs", columns, [{"a": a, "b": b, **FIGURES}]))
    return capsys.readouterr().out.splitlines()


def test_names_that_are_too_long_side_by_side_stand_below_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(monkeypatch, capsys, f"{MODEL} · step_by_step", f"{MODEL} · [minimal]")
    assert max(map(len, lines)) <= 80 and lines[-1].startswith("└")
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines[4:-1]]
    assert [line[0] for line in cells] == [
        f"a: {MODEL} ·",
        "step_by_step",
        f"b: {MODEL} ·",
        "[minimal]",
    ]
    assert cells[0][1:] == ["0.143", "-0.067 to 0.353", "0.165", "12"]


def test_beside_more_figures_the_columns_move_closer_before_a_name_breaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = f"{MODEL} · step_by_step", f"{MODEL} · minimal"
    lines = shown(monkeypatch, capsys, *names, WITH_LEFT_OUT)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert text.count(MODEL) == 2 and "step_by_step" in text and "minimal" in text
    assert text.count("-0.067 to 0.353") == 2


def test_names_that_fit_stand_side_by_side(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(monkeypatch, capsys, "alpha · step_by_step", "alpha · minimal")
    assert [cell.strip() for cell in lines[2].split("┃")[1:3]] == ["a", "b"]


def test_a_word_longer_than_any_column_breaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(monkeypatch, capsys, "x" * 90, "y" * 90)
    assert max(map(len, lines)) <= 80
    assert sum(line.count("x") for line in lines) == 90
