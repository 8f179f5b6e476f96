"""Comparisons in words: groups first, each pair in one direction."""

from dataclasses import replace

import pytest

from itemeval_assets.measurement import Bounds, Difference, Interaction
from itemeval_assets.report.comparison_words import words_of_comparisons
from itemeval_assets.report.render.records import records
from itemeval_assets.report.views import differences_view, groups_view, levels_view, pairs_of
from itemeval_assets.stages.figures.comparisons.records import Compared


def pair(a: str, b: str, value: float, p: float) -> Difference:
    return Difference(
        value=value,
        standard_error=0.1,
        low=value - 0.2,
        high=value + 0.2,
        level=0.95,
        n_events=12,
        n_items=6,
        n_clusters=6,
        method="paired t",
        a=a,
        b=b,
        p=p,
        p_unadjusted=p,
        p_mcnemar=None,
        n_ties=0,
        verdict=f"{a} or {b}.",
    )


def family(
    differ: set[str], groups: list[str], *, by: str = "numeric", words: tuple[str, ...] = ()
) -> Compared:
    """Objects are letters, the best first; `differ` has the pairs that are told apart."""
    objects = sorted(set("".join(groups)))
    return Compared(
        graded_by=by,
        scale=(0, 1),
        differences=[
            pair(f"lab/{a}", f"lab/{b}", 0.3, 0.001 if a + b in differ else 0.5)
            for place, a in enumerate(objects)
            for b in objects[place + 1 :]
        ],
        groups=[[f"lab/{name}" for name in group] for group in groups],
        letters={f"lab/{name}": "x" for name in objects},
        words=list(words),
    )


@pytest.mark.parametrize(
    ("differ", "groups", "words"),
    [
        (set(), ["abc"], "6 items tell none of the 3 models apart (3 pairs, Holm)."),
        (
            {"ab", "ac"},
            ["a", "bc"],
            "a is better than b and c, which cannot be told apart (6 items; 3 pairs, Holm).",
        ),
        (
            {"ac", "bc"},
            ["ab", "c"],
            "a and b are better than c. a and b cannot be told apart (6 items; 3 pairs, Holm).",
        ),
        (
            {"ab", "ac", "bc"},
            ["a", "b", "c"],
            "Best first: a; b; c. Each is better than all that follow (6 items; 3 pairs, Holm).",
        ),
        (
            {"ac"},
            ["ab", "bc"],
            "a is better than c. No others can be told apart (6 items; 3 pairs, Holm).",
        ),
    ],
)
def test_groups_are_told_in_words(differ: set[str], groups: list[str], words: str) -> None:
    assert list(words_of_comparisons([family(differ, groups)], "model")) == [f"By numeric: {words}"]


@pytest.mark.parametrize(
    ("differ", "groups", "words"),
    [
        ({"ab"}, ["a", "b"], "a or b."),
        (
            {"ac", "bc"},
            ["ab", "c"],
            "a and b give higher scores than c. a and b cannot be told apart"
            " (6 items; 3 pairs, Holm).",
        ),
        (
            {"ab", "ac", "bc"},
            ["a", "b", "c"],
            "Highest first: a; b; c. Each gives higher scores than all that follow"
            " (6 items; 3 pairs, Holm).",
        ),
    ],
)
def test_no_grader_is_better_for_its_higher_scores(
    differ: set[str], groups: list[str], words: str
) -> None:
    found = replace(family(differ, groups), graded_by=None)
    [said] = words_of_comparisons([found], "grader")
    assert said.replace("lab/", "") == words
    assert groups_view([found]).columns[1].terminal == "highest first"
    assert pairs_of([found])[0].call in ("higher", "too close to call")


@pytest.mark.parametrize(
    ("differ", "words"),
    [
        (set(), "Both pairs are too close to call."),
        ({"ab"}, "lab/a or lab/b. 1 of 2 pairs is too close to call."),
    ],
)
def test_pairs_are_counted_in_words(differ: set[str], words: str) -> None:
    one = family(differ, ["abc"])
    found = replace(one, differences=one.differences[:2], letters={}, groups=[])
    assert list(words_of_comparisons([found], "model")) == [f"By numeric: {words}"]


def test_a_grader_is_named_once_and_what_all_share_is_told_once() -> None:
    one = family(set(), ["abc"], words=("Few clusters.", "Of one."))
    other = family(set(), ["abc"], by="judge", words=("Few clusters.",))
    first, second, last = words_of_comparisons([one, other], "model")
    assert first.startswith("By numeric: ") and first.endswith(" Of one.")
    assert second.startswith("By judge: ") and last == "Few clusters."


def test_a_pair_has_one_direction_and_one_place() -> None:
    one = family(set(), ["abc"])
    turned = [pair("lab/c", "lab/a", 0.1, 0.001), pair("lab/a", "lab/b", 0.2, 0.5)]
    other = Compared(graded_by="judge", scale=(0, 1), differences=turned)
    rows = pairs_of([one, other])
    assert [row.a + row.b for row in rows] == ["ab", "ac", "bc", "ab", "ac"]
    last = rows[-1]
    assert (last.value, last.call) == (-0.1, "worse")
    assert (last.low, last.high) == pytest.approx((-0.3, 0.1))
    assert [column.card for column in differences_view([one]).columns].count("p (Holm)") == 1


def test_what_pairs_leave_out_stands_in_the_table_where_it_is_much() -> None:
    one = pair("lab/a", "lab/b", 0.3, 0.001)
    holes = replace(pair("lab/c", "lab/a", 0.1, 0.5), n_missing=4, bounds=Bounds(-0.2, 0.4))
    few = replace(one, n_missing=1, n_events=999, bounds=Bounds(0.29, 0.31))
    turned = replace(holes, a="lab/a", b="lab/c", value=-0.1, bounds=Bounds(-0.4, 0.2))
    families = [
        Compared(graded_by="numeric", scale=(0, 1), differences=[few, holes]),
        Compared(graded_by="judge", scale=(0, 1), differences=[turned]),
    ]
    view = differences_view(families)
    rows = [(row["left out"], row["bounds"]) for row in records(view)]
    assert rows == [(1, ""), (4, "-0.2 to 0.4"), (4, "-0.2 to 0.4")]
    for reader in ("terminal", "page", "card"):
        assert [
            heading.replace("\n", " ")
            for column in view.columns
            if column.value in ("left_out", "bounds") and column.applies(view)
            if (heading := getattr(column, reader))
        ] == ["left out", "bounds"]
    hidden = differences_view([replace(families[0], differences=[few])])
    assert not any(
        column.applies(hidden)
        for column in hidden.columns
        if column.value in ("left_out", "bounds")
    )


def test_names_that_would_be_alike_stay_whole() -> None:
    both = Compared(graded_by=None, scale=None, differences=[pair("x/a", "y/a", 0.1, 0.5)])
    [row] = pairs_of([both])
    assert (row.a, row.b) == ("x/a", "y/a")


@pytest.mark.parametrize(("levels", "heading"), [("xy", "p (Holm)"), ("x", "p")])
def test_the_p_of_levels_is_headed_as_what_it_is(levels: str, heading: str) -> None:
    found = Interaction(
        by="topic",
        levels={name: pair("lab/a", "lab/b", 0.1, 0.5) for name in levels},
        f=1.0,
        df=(1.0, 5.0),
        p=0.4,
        level=0.95,
        method="Welch",
        verdict="It may depend.",
        left_out={},
    )
    one = Compared(
        graded_by="numeric",
        scale=(0, 1),
        differences=[pair("lab/a", "lab/b", 0.1, 0.5)],
        interaction=found,
    )
    headings = [column.terminal for column in levels_view([one]).columns]
    assert heading in headings and len({"p", "p (Holm)"} & set(headings)) == 1
