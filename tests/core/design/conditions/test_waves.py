"""Waves and rejudges: conditions of their own, beside those of the first time."""

from typing import Any

import pytest

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.cells.anchors import Anchors
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.selection import Time, select
from tests.core.design.conditions.test_conditions import BASE, JUDGED, design
from tests.studies import merged

ITEMS = [f"q{number}" for number in range(1, 101)]


def test_later_times_are_conditions_of_their_own_and_change_none_of_the_first() -> None:
    before = design(JUDGED)
    found = design(JUDGED, {"waves": ["2026-12"], "rejudges": [{"name": "2026-12"}]})
    assert found.generate[:1] == before.generate and found.grade[:2] == before.grade
    [wave], [again] = found.generate[1:], found.grade[2:]
    assert wave.payload == {**before.generate[0].payload, "wave": "2026-12"}
    assert again.payload == {**before.grade[1].payload, "wave": "2026-12"}
    assert (wave.slug, again.slug) == (
        "gpt-5-mini_short_default_2026-12",
        "judge-a_strict_2026-12",
    )
    assert (wave.label, again.label) == (
        "gpt-5-mini · short · wave 2026-12",
        "judge_a · strict · rejudged 2026-12",
    )
    assert (wave.first_id, again.first_id) == (before.generate[0].id, before.grade[1].id)
    pair = Partition((wave.id, before.grade[1].id))
    assert found.scopes_of(pair) == {"wave": "2026-12"}
    assert found.scopes_of(Partition((wave.first_id, again.id))) == {"rejudge": "2026-12"}
    assert found.scopes_of(Partition((wave.first_id,))) == {}


def test_a_wave_is_graded_once_and_the_first_answers_again() -> None:
    found = design(JUDGED, {"waves": ["w"], "rejudges": ["w"]})
    pairs = [part for part in select(found).partitions if len(part) > 1]
    assert [found.label_of(part) for part in pairs] == [
        "gpt-5-mini · short | numeric",
        "gpt-5-mini · short | judge_a · strict",
        "gpt-5-mini · short | judge_a · strict · rejudged w",
        "gpt-5-mini · short · wave w | numeric",
        "gpt-5-mini · short · wave w | judge_a · strict",
    ]
    assert len(select(found).at(Time("waves", "w"), found).partitions) == 3
    assert len(select(found).at(Time("rejudges", "w"), found).partitions) == 1


def test_anchors_are_nested_and_do_not_depend_on_the_order_of_the_data() -> None:
    def anchors(count: int, items: list[str]) -> set[str]:
        found = design({"waves": [{"name": "w", "anchors": count}]})
        cells = Anchors(found, items, 2).of(Partition((found.generate[1].id,)))
        assert len(cells) == 2 * len(items) and (cells[::2] == cells[1::2]).all()
        return {item for item, is_one in zip(items, cells[::2], strict=True) if is_one}

    few = anchors(5, ITEMS)
    assert few == {"q11", "q19", "q41", "q42", "q64"}  # the same on every machine
    assert few < anchors(30, ITEMS) and few == anchors(5, ITEMS[::-1])
    assert anchors(1_000, ITEMS) == set(ITEMS)


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ({"waves": ["a", {"name": "a", "anchors": 3}]}, "waves: 'a' is listed twice"),
        ({"rejudges": ["a"]}, "rejudges: the study has no judge that could grade again"),
    ],
)
def test_rules_of_later_times(extra: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        StudyConfig.model_validate(merged(BASE, extra))
