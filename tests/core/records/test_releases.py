"""How much the version rises, by what changed."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.records.published.releases import (
    CELL_COLUMNS,
    EVENT_COLUMNS,
    PartitionContent,
    items_of,
    required_bump,
)
from itemeval_assets.core.tables.schemas import GRADINGS_LONG
from tests.studies import study_yaml

ITEMS = [{"item_id": f"{d}{n}", "dataset_id": d} for d in ("a", "b", "c") for n in range(3)]
Contents = dict[str, PartitionContent]
BEFORE: Contents = {"a|x": PartitionContent(4, "c1", "r1"), "b|x": PartitionContent(4, "c2", "r2")}


def never(name: str) -> bool:
    raise AssertionError(f"the cells of {name} are the same")


@pytest.mark.parametrize(
    ("now", "has_lost_cells", "bump"),
    [
        (BEFORE, never, None),
        ({**BEFORE, "b|x": PartitionContent(4, "c2", "new")}, never, "bumppatch"),
        ({**BEFORE, "b|y": PartitionContent(4, "c3", "r3")}, never, "bumpminor"),
        ({**BEFORE, "a|x": PartitionContent(5, "c9", "r9")}, lambda name: False, "bumpminor"),
        ({**BEFORE, "a|x": PartitionContent(5, "c9", "r9")}, lambda name: True, "bumpmajor"),
        ({"a|x": BEFORE["a|x"]}, never, "bumpmajor"),
        ({"a|x": BEFORE["a|x"], "c|x": BEFORE["b|x"]}, never, "bumpmajor"),
    ],
)
def test_bumps(now: Contents, has_lost_cells: Callable[[str], bool], bump: str | None) -> None:
    assert required_bump(BEFORE, now, has_lost_cells) == bump


digests = st.builds(PartitionContent, st.just(1), st.sampled_from("ab"), st.sampled_from("xy"))
contents = st.dictionaries(st.sampled_from(["p", "q", "r"]), digests)


@given(contents)
def test_the_same_content_needs_no_release(content: Contents) -> None:
    assert required_bump(content, dict(content), never) is None


@given(contents, contents)
def test_different_content_needs_one(before: Contents, now: Contents) -> None:
    assert (required_bump(before, now, lambda name: False) is None) == (before == now)


def test_a_release_has_every_column_once_and_long_texts_in_their_frame() -> None:
    assert not set(CELL_COLUMNS) & set(EVENT_COLUMNS)
    left = set(GRADINGS_LONG.column_names) - {*CELL_COLUMNS, *EVENT_COLUMNS}
    assert left == {
        "study",
        "solution",
        "reasoning",
        "judge_completion",
        "gen_log_file",
        "grade_log_file",
        "gen_condition_slug",
        "grade_condition_slug",
    }


@pytest.mark.parametrize(
    ("datasets", "expected"),
    [
        ([{"id": "a"}, {"id": "b"}, {"id": "c"}], [item["item_id"] for item in ITEMS]),
        ([{"id": "c"}, {"id": "a", "limit": 2}], ["a0", "a1", "c0", "c1", "c2"]),
        ([{"id": "a", "limit": 1}, {"id": "a", "split": "test", "limit": 1}], ["a0", "a1"]),
        ([{"id": "a", "limit": 1}, {"id": "a", "split": "test"}], ["a0", "a1", "a2"]),
        ([{"id": "b", "limit": 9}], ["b0", "b1", "b2"]),
    ],
)
def test_items_that_the_yaml_still_has(datasets: list[dict], expected: list[str]) -> None:
    config = StudyConfig.model_validate(study_yaml(extra={"benchmark": {"datasets": datasets}}))
    assert items_of(config, ITEMS) == expected
