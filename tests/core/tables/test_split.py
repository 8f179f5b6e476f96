"""Splitting a table into its parts: all rows, each once, in their order."""

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.tables.split import Parts

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=30)


@given(st.lists(ROWS, max_size=4))
def test_parts_hold_what_filters_find(chunks: list[list[tuple[str, str]]]) -> None:
    schema = pa.schema([("one", pa.string()), ("two", pa.string()), ("n", pa.int64())])
    tables = [
        pa.table([[one for one, _ in rows], [two for _, two in rows], range(len(rows))], schema)
        for rows in chunks
    ]
    whole = pa.concat_tables([schema.empty_table(), *tables])
    parts = Parts(whole, ["one", "two"])
    assert sum(part.num_rows for part in parts.values()) == whole.num_rows
    for one in "abc":
        for two in "xyz":
            wanted = (pc.field("one") == one) & (pc.field("two") == two)
            assert parts[one, two].equals(whole.filter(wanted))


def test_rows_in_order_are_not_copied() -> None:
    whole = pa.concat_tables(
        [pa.table({"one": [name] * 3, "n": [number] * 3}) for number, name in enumerate("aabc")]
    )
    parts = Parts(whole, ["one"])
    assert [part.num_rows for part in parts.values()] == [6, 3, 3]

    def places(table: pa.Table) -> list[int]:
        return [chunk.buffers()[1].address for chunk in table["n"].chunks]

    assert [place for part in parts.values() for place in places(part)] == places(whole)
