"""The pictures of the results: small PNGs, whatever the study is called and however large it is."""

import base64
import io
import random
import re
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from itemeval_assets.core.money.paid_calls import generation_calls, grading_calls
from itemeval_assets.core.records.scores import graded, item_scores
from itemeval_assets.report.plots.certainty import difficulties
from itemeval_assets.report.plots.costs import bars_per_day
from itemeval_assets.report.plots.figures import INK, markdown_image, short, without_repeats
from itemeval_assets.report.plots.heat_map import MOST_COLUMNS, MOST_ITEMS, score_by_item
from itemeval_assets.report.plots.items import items as item_picture
from itemeval_assets.report.plots.results import (
    cost_and_latency,
    parse_failures,
    score_distribution,
)
from itemeval_assets.stages.figures.items.item_statistics import GraderItems
from itemeval_assets.stages.figures.items.response import GraderResponses
from tests.rows import cells, event, events, pairs

LARGEST = 60_000
Row = dict[str, Any]
AWKWARD = [
    "$x_1$ · naïve",
    "$$",
    r"a_b^2 $\frac{1}{2}$ \alpha",
    "模型 · 提示 🙂",
    "100%% <b>&</b>",
    "two\nlines\tand a tab",
    "",
    "x" * 300,
]


# The dark ground of Dagster's page.
DARK = "#030615"


def contrast(one: str, other: str) -> float:
    """Of WCAG 2: from 1, the same, to 21, black on white."""

    def luminance(colour: str) -> float:
        parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#000000"])
def test_texts_of_a_picture_are_legible(ground: str) -> None:
    assert contrast(INK, ground) >= 4.5
    assert contrast(INK, DARK) >= 4.47  # no grey has 4.5 on white and there


def study(
    conditions: Sequence[str], graders: Sequence[str], items: Sequence[str], missing: float = 0.0
) -> list[Row]:
    """Events of a whole design: the first grader is a scorer, the second grades from 0 to 10."""
    chance = random.Random(1)
    rows = []
    for condition in conditions:
        for place, grader in enumerate(graders):
            for item in items:
                score = chance.random() * (10 if place == 1 else 1)
                failed = chance.random() < missing
                rows.append(
                    event(
                        item,
                        score=None if failed else score,
                        parse_error="no_json_object" if failed else None,
                        gen_condition_id=condition,
                        grade_condition_id=grader,
                        gen_latency_s=chance.lognormvariate(0, 2),
                        grade_input_tokens=10 if place else None,
                    )
                )
    return rows


def by_column(rows: list[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


def pictures(rows: list[Row], batched: Sequence[str] = ()) -> dict[str, Figure]:
    generate, grade = (by_column(rows, f"{name}_condition_id") for name in ("gen", "grade"))
    found = {name: graded(cells(own)) for name, own in grade.items()}
    calls = {
        "generate": {n: generation_calls(events(own), batched) for n, own in generate.items()},
        "grade": {n: grading_calls(events(own), batched) for n, own in grade.items()},
    }
    paid = {
        stage: {name: found for name, found in columns.items() if found}
        for stage, columns in calls.items()
    }
    return {
        "score distribution": score_distribution(found),
        "score by item": score_by_item(item_scores(pairs(rows))),
        "parse failures": parse_failures(found),
        "cost and latency": cost_and_latency(paid),
    }


def png(drawn: Figure) -> bytes:
    found = re.fullmatch(
        r"!\[a name\]\(data:image/png;base64,(.+)\)", markdown_image(drawn, "a name")
    )
    assert found
    return base64.b64decode(found[1])


def texts(drawn: Figure) -> str:
    """All that is written in a figure."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in drawn.findobj(Text))  # type: ignore[attr-defined]


def maps(drawn: Figure) -> list[np.ma.MaskedArray]:
    """The cells of the heat maps of a figure."""
    return [axes.images[0].get_array() for axes in drawn.axes if axes.images]  # type: ignore[misc]


NUMBERED = [f"item-{number}" for number in range(300)]
LONG = [f"Qwen3-235B-A22B-Instruct-2507 · chain_of_thought_{number}" for number in range(60)]
STUDIES: dict[str, Callable[[], list[Row]]] = {
    "one event": lambda: study(["g"], ["scorer"], ["q1"]),
    "small": lambda: study(["g", "h"], ["scorer", "judge · strict"], ["q1", "q2", "q3"], 0.1),
    "awkward": lambda: study(AWKWARD, AWKWARD, AWKWARD, 0.2),
    "large": lambda: study(LONG, [f"judge · rubric {n}" for n in range(3)], NUMBERED, 0.3),
    "many judges": lambda: study(
        LONG[:4], [f"judge {n} · rubric" for n in range(30)], NUMBERED[:60]
    ),
    "far out": lambda: [event(score=score) for score in (1.7e308, -1.7e308, 5e-324, -1e-9)],
    "no tokens counted but one": lambda: [event(), event("q2", gen_input_tokens=None)],
}


@cache
def rows_of(name: str) -> list[Row]:
    return STUDIES[name]()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] if name == "many judges" else [])
        for name in STUDIES
    ],
)
def test_every_picture_is_a_small_png_on_a_transparent_ground(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for drawn in pictures(rows_of(name)).values():
            data = png(drawn)
            assert len(data) < LARGEST
            image = Image.open(io.BytesIO(data)).convert("RGBA")
            assert image.format is None and image.getpixel((0, 0))[3] == 0  # type: ignore[index]
            assert max(image.size) < 2000


@pytest.mark.parametrize(
    "name",
    ["small", *(pytest.param(name, marks=pytest.mark.long) for name in ("awkward", "large"))],
)
def test_a_png_keeps_the_colour_of_its_texts(name: str) -> None:
    ink = [int(INK[place : place + 2], 16) for place in (1, 3, 5)]
    for title, drawn in pictures(rows_of(name)).items():
        pixels = np.asarray(Image.open(io.BytesIO(png(drawn))).convert("RGBA")).reshape(-1, 4)
        opaque = pixels[pixels[:, 3] == 255][:, :3].astype(int)
        nearest = opaque[np.abs(opaque - ink).sum(axis=1).argmin()]
        shown = "#{:02x}{:02x}{:02x}".format(*nearest)
        assert contrast(shown, "#ffffff") >= 4.5 and contrast(shown, DARK) >= 4.4, title


def test_a_missing_cell_is_not_a_score_of_zero() -> None:
    rows = [
        event("q1", score=0.0),
        event("q2", score=None, parse_error="no_json_object"),
        event("q1", score=None, gen_condition_id="g2"),
        event("q2", score=1.0, gen_condition_id="g2"),
    ]
    drawn = pictures(rows)["score by item"]
    [cells] = maps(drawn)
    assert np.ma.getmaskarray(cells).tolist() == [[False, True], [True, False]]
    assert cells[0, 0] == 0.0 and cells[1, 1] == 1.0
    crosses = [list(map(tuple, dots.get_offsets())) for dots in drawn.axes[0].collections]  # type: ignore[arg-type]
    assert crosses == [[(1.0, 0.0), (0.0, 1.0)]]
    opacity = drawn.axes[0].images[0].to_rgba(cells)[..., 3]
    assert opacity.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_hard_items_are_on_top_and_each_judge_has_its_own_scale() -> None:
    rows = [
        event(item, score=score, grade_condition_id=judge)
        for judge, most in (("scorer", 1), ("judge", 10))
        for item, score in (("easy", most), ("hard", 0), ("middling", most / 2))
    ]
    drawn = pictures(rows)["score by item"]
    shown = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert shown == ["hard", "middling", "easy"]
    assert [cells[:, 0].tolist() for cells in maps(drawn)] == [[0.0, 0.5, 1.0]] * 2
    assert [axes.get_title(loc="left") for axes in drawn.axes[:2]] == [
        "scorer\n0 to 1",
        "judge\n0 to 10",
    ]


def test_what_is_left_out_of_a_picture_is_said_in_it() -> None:
    drawn = pictures(rows_of("large"))
    cells = maps(drawn["score by item"])
    assert [c.shape for c in cells] == [(MOST_ITEMS, MOST_COLUMNS // 3)] * 3
    written = texts(drawn["score by item"])
    assert "50 of 300 items, evenly from hard to easy; 13 of 60 conditions" in written
    assert "26 of 62 conditions" in texts(drawn["cost and latency"])
    drawn = pictures(rows_of("many judges"))
    assert "6 of 30 judges and scorers" in texts(drawn["score by item"])
    assert "12 of 30 judges and scorers" in texts(drawn["score distribution"])
    assert "24 worst of 30" in texts(drawn["parse failures"])
    small = texts(pictures(rows_of("small"))["score by item"])
    assert " of " not in small


def test_a_distribution_says_what_it_is_of() -> None:
    rows = [
        event(score=0.0, grade_condition_id="scorer"),
        event(score=0.5, grade_condition_id="scorer"),
        event(score=None, grade_condition_id="scorer"),
        event(score=None, parse_error="no_number_found", grade_condition_id="scorer"),
        event(score=None, grade_condition_id="nothing came back"),
    ]
    drawn = pictures(rows)["score distribution"]
    [axes] = drawn.axes
    assert axes.get_title(loc="left") == ("scorer\n2 scores\nleft out: 1 unparsed, 1 errored")
    assert "\nleft out: 1 unparsed, 2 errored" in texts(pictures(rows)["score by item"])
    assert [bar.get_height() for bar in axes.patches] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]  # type: ignore[attr-defined]


def test_parse_failures_are_counted_among_what_came_back() -> None:
    codes = [f"code_{number}" for number in range(8) for _ in range(9 - number)]
    rows = [
        event(grade_condition_id="sound"),
        *(event(grade_condition_id="judge · strict") for _ in range(44)),
        event(score=None, grade_condition_id="judge · strict"),
        *(event(score=None, parse_error=c, grade_condition_id="judge · strict") for c in codes),
    ]
    drawn = pictures(rows)["parse failures"]
    written = texts(drawn)
    assert "0 of 1  (0.0%)" in written and "44 of 88  (50.0%)" in written
    [legend] = drawn.legends
    named = [text.get_text() for text in legend.get_texts()]
    assert named == ["code_0", "code_1", "code_2", "code_3", "code_4", "3 other codes"]
    lengths = sum(bar.get_width() for bar in drawn.axes[0].patches)  # type: ignore[attr-defined]
    assert lengths == pytest.approx(0.5)


def test_calls_in_batches_and_calls_without_a_price() -> None:
    rows = [
        event(gen_usd=None, gen_log_file="batch.eval", grade_log_file="batch.eval"),
        event(
            "q2",
            gen_usd=None,
            grade_usd=0.5001,
            gen_log_file="batch.eval",
            grade_log_file="batch.eval",
        ),
    ]
    drawn = pictures(rows, ["batch.eval"])["cost and latency"]
    assert png(drawn)
    written = texts(drawn)
    for text in ("no price × 2", "$0.50 × 2", "not measured"):
        assert text in written


def test_free_calls_that_took_no_time() -> None:
    free = event(gen_usd=0.0, gen_latency_s=0.0, grade_usd=0.0, grade_latency_s=0.0)
    drawn = pictures([free])["cost and latency"]
    assert png(drawn)
    assert "$0 × 1" in texts(drawn)
    cheap = pictures([event(gen_usd=2.61e-05, grade_usd=12.3)])["cost and latency"]
    assert "$0.000026 × 1" in texts(cheap) and "$12 × 1" in texts(cheap)


def test_a_long_name_keeps_both_its_ends() -> None:
    assert short("a\n b", 5) == "a b"
    assert short("abcdefgh", 8) == "abcdefgh"
    assert short("abcdefghi", 8) == "abc…fghi"
    assert all(len(short("x" * 50, longest)) == longest for longest in range(2, 50))


def test_the_picture_of_cost_says_how_many_calls_had_no_price() -> None:
    rows = [event("q1"), event("q2", gen_usd=None), event("q3", gen_usd=None)]
    found = generation_calls(events(rows), ())
    assert found
    [_, right] = cost_and_latency({"generate": {"g1": found}}).axes
    assert [text.get_text() for text in right.texts] == ["$0.25 × 3, 2 without a price"]


def test_of_many_models_the_dearest_have_a_colour_each() -> None:
    usd = {
        "2026-01-01": {f"model {n}": float(n) for n in range(12)},
        "2026-01-02": {"model 0": 1.0},
    }
    legend = bars_per_day(usd).axes[0].get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [*(f"model {n}" for n in range(11, 2, -1)), "3 other models"]


def test_items_that_are_odd_stand_out_and_have_names() -> None:
    row = {"item_id": "q1", "difficulty": 0.5, "item_total": 0.4, "flag": None}
    odd = {**row, "item_id": "q2", "item_total": -0.6, "flag": "negative_discrimination"}
    dead = {**row, "item_id": "q3", "item_total": None, "flag": "always_right"}
    graded = GraderItems(graded_by="numeric", scale=(0, 1), items=[odd, dead, row])
    empty = GraderItems(graded_by="judge", scale=None, items=[])
    drawn = item_picture([graded, empty])
    [axes] = drawn.axes
    assert [text.get_text() for text in axes.texts] == ["q2"]
    markers = [line.get_marker() for line in axes.lines[:3]]
    assert markers == ["o", "o", "x"] and "numeric" in texts(drawn) and png(drawn)


def test_a_judge_is_drawn_once_and_no_title_is_cut() -> None:
    long = "a_judge_with_a_long_name · a_rubric_with_a_long_name"
    names = [
        "j · strict",
        "j · strict · repeat 2",
        "j · strict · repeat 3",
        long,
        "k",
        "m",
        "n · repeat 2",
    ]
    rows = [{"item": "q1", "difficulty": 0.5, "difficulty_se": 0.2}]
    responses = [GraderResponses(graded_by=name, items=rows) for name in names]
    odd = {"item_id": "q1", "difficulty": 0.5, "item_total": 0.4, "flag": None}
    items = [GraderItems(graded_by=name, scale=(0, 1), items=[odd]) for name in names]
    for drawn in (difficulties(responses, 0.95), item_picture(items)):
        titles = [axes.get_title(loc="left") for axes in drawn.axes]
        assert ["".join(title.split()) for title in titles] == [
            "j·strict",
            "".join(long.split()),
            "k",
            "m",
        ]
        written = " ".join(texts(drawn).split())
        assert "4 of 5 graders; of each judge the first repeat" in written
        canvas = FigureCanvasAgg(drawn)
        canvas.draw()
        right = drawn._suptitle.get_window_extent(canvas.get_renderer()).x1  # type: ignore[attr-defined]
        assert right <= canvas.get_width_height()[0]
        lefts = [
            axes._left_title.get_window_extent(canvas.get_renderer())  # type: ignore[attr-defined]
            for axes in drawn.axes
        ]
        assert all(a.x1 < b.x0 for a, b in pairwise(lefts))


def test_a_picture_of_one_panel_has_no_name_and_is_drawn() -> None:
    assert without_repeats([""]) == [""]
    assert without_repeats(["", "j · repeat 2", "j"]) == ["", "j"]


def test_an_interval_beyond_all_bounds_does_not_squeeze_the_others() -> None:
    rows = [
        {"item": name, "difficulty": value, "difficulty_se": error}
        for name, value, error in (("q1", 0.5, 0.2), ("q2", -4.0, 12.0))
    ]
    drawn = difficulties([GraderResponses(graded_by="numeric", items=rows)], 0.95)
    low, high = drawn.axes[0].get_xlim()
    assert -6 <= low < high <= 6 and "the axis ends at 6" in texts(drawn)
