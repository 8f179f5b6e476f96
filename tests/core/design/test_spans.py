"""Spans: exactly the wanted partitions, in few ranges."""

from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.spans import shares, spans, split

ROWS, COLUMNS = list("abcd"), list("wxyz")


def covered(found: list, rows: list[str], columns: list[str]) -> list[tuple[str, ...]]:
    """Every partition of every span, as Dagster takes a range of a grid."""
    inside = []
    for first, last in found:
        for row in rows[rows.index(first[0]) : rows.index(last[0]) + 1]:
            if not columns:
                inside.append((row,))
                continue
            for column in columns[columns.index(first[1]) : columns.index(last[1]) + 1]:
                inside.append((row, column))
    return inside


@given(st.sets(st.tuples(st.sampled_from(ROWS), st.sampled_from(COLUMNS))))
def test_a_grid_is_covered_exactly_once(wanted: set[tuple[str, str]]) -> None:
    found = covered(spans(set(map(Partition, wanted)), ROWS, COLUMNS), ROWS, COLUMNS)
    assert sorted(found) == sorted(wanted)


@given(st.sets(st.sampled_from(ROWS)))
def test_a_line_is_covered_exactly_once(wanted: set[str]) -> None:
    found = covered(spans({Partition((row,)) for row in wanted}, ROWS), ROWS, [])
    assert sorted(found) == sorted((row,) for row in wanted)


def test_whole_rows_columns_and_grids_are_one_span() -> None:
    grid = {Partition((row, column)) for row in ROWS for column in COLUMNS}
    assert spans(grid, ROWS, COLUMNS) == [(("a", "w"), ("d", "z"))]
    judge = {Partition((row, "x")) for row in ROWS}
    assert spans(judge, ROWS, COLUMNS) == [(("a", "x"), ("d", "x"))]
    apart = set(map(Partition, (("a", "w"), ("c", "w"), ("c", "x"))))
    assert len(spans(apart, ROWS, COLUMNS)) == 2
    assert spans(set(), ROWS, COLUMNS) == []


@given(
    st.lists(st.integers(0, 50), max_size=30),
    st.integers(1, 5),
)
def test_shares_are_a_partition_in_order(weights: list[int], count: int) -> None:
    wanted: list[Partition] = [Partition((f"g{place}",)) for place in range(len(weights))]
    given = dict(zip(wanted, map(float, weights), strict=True))
    parts = shares(wanted, given, count)
    assert [partition for part in parts for partition in part] == wanted
    assert all(parts) and len(parts) <= count


def test_shares_weigh_alike() -> None:
    wanted: list[Partition] = [Partition((name,)) for name in "abcd"]
    assert shares(wanted, {}, 2) == [[("a",), ("b",)], [("c",), ("d",)]]
    heavy = dict(zip(wanted, (90.0, 30.0, 30.0, 30.0), strict=True))
    assert shares(wanted, heavy, 2) == [[("a",)], [("b",), ("c",), ("d",)]]
    assert shares(wanted[:1], heavy, 4) == [wanted[:1]]
    assert shares(wanted, {}, 2, wanted[2:3]) == [[("a",), ("b",), ("c",)], [("d",)]]
    assert shares(wanted, heavy, 2, wanted[1:]) == [wanted]


@given(
    limit=st.integers(1, 200),
    weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=8),
)
def test_a_limit_is_split_without_rest(limit: int, weights: list[float]):
    parts = split(limit, weights)
    assert all(part >= 1 for part in parts)
    assert sum(parts) == max(limit, len(weights))


def test_a_limit_is_split_after_the_calls_of_each():
    assert split(10, [200, 100]) == [6, 4]
    assert split(10, [0, 0]) == [5, 5]
    assert split(2, [99, 1]) == [1, 1]
