"""Which answers are drawn: as many of each condition, items as far apart, never one twice."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.ratings.sheets.choice import chosen_cells


@given(
    st.integers(1, 5), st.integers(1, 12), st.integers(1, 3), st.integers(1, 80), st.integers(0, 9)
)
def test_conditions_and_items_take_turns(
    conditions: int, items: int, epochs: int, n: int, seed: int
) -> None:
    cells = [Cell(f"q{item}", epoch) for item in range(items) for epoch in range(1, epochs + 1)]
    available = {f"c{number}": cells for number in range(conditions)}
    found = chosen_cells(available, n, seed)
    assert len(found) == len(set(found)) == min(n, conditions * len(cells))
    of_condition = Counter(condition for condition, _ in found)
    of_item = Counter(cell.item_id for _, cell in found)
    assert max(of_condition.values()) - min(of_condition[c] for c in available) <= 1
    if n <= items:
        assert max(of_item.values()) == 1
    assert chosen_cells(available, n, seed) == found


def test_what_is_on_sheets_counts() -> None:
    cells = [Cell(f"q{item}", 1) for item in range(10)]
    before = [("a", cell) for cell in cells[:4]]
    found = chosen_cells({"a": cells[4:], "b": cells}, 4, 0, before)
    assert {condition for condition, _ in found} == {"b"}
    assert {cell for _, cell in found} <= set(cells[4:])
