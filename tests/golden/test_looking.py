"""What a difference of value, type, order or name is told as, and what is none."""

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .looking import Objects, Writer, layout
from .tokens import Tokens

RUN, OTHER = "0c0baf6a-35a4-4e12-a6df-d8267e0e40f4", "ea229625-3eab-43e7-b93b-c625f102640b"


def rows(run: str = RUN, other: str = OTHER, time: str = "2026-01-01T00:00:00Z") -> pa.Table:
    return pa.table(
        {
            "condition_id": ["a--0123456789ab", "b--0123456789ab"],
            "run_id": [run, other],
            "usd": [0.1 + 0.2, 1.0],
            "latency_s": [0.5, 0.25],
            "created_at": [time, time],
        }
    )


def told(table: pa.Table, key: str = "solutions.parquet/a.parquet") -> list[str]:
    file = io.BytesIO()
    pq.write_table(table, file)
    objects: Objects = {key: file.getvalue()}
    schemas: dict[str, str] = {}
    lines = Writer(Tokens({}), schemas).lines(objects)
    return [*lines, *schemas.values(), *layout(objects, Tokens({}))]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.set_column(0, "condition_id", pa.array(["a--0123456789ac", "b--0123456789ab"])),
        lambda t: t.set_column(2, "usd", pa.array([0.3, 1.000001])),
        lambda t: t.set_column(2, "usd", pa.array([1, 1])),
        lambda t: t.set_column(3, "latency_s", pa.array([None, 0.25])),
        lambda t: t.select(["run_id", "condition_id", "usd", "latency_s", "created_at"]),
        lambda t: t.take([1, 0]),
        lambda t: t.slice(0, 1),
        lambda t: t.drop_columns(["usd"]),
        lambda t: t.replace_schema_metadata({"itemeval_assets.schema": "3"}),
    ],
)
def test_a_change_is_told(change: Callable[[pa.Table], pa.Table]) -> None:
    assert told(change(rows())) != told(rows())


def test_another_name_is_told_and_one_run_for_two() -> None:
    assert told(rows(), "solutions.parquet/b.parquet") != told(rows())
    assert told(rows(other=RUN)) != told(rows())


def test_times_ids_and_the_order_of_a_sum_are_no_change() -> None:
    later = rows(run=OTHER, other=RUN, time="2027-05-01T10:20:30Z")
    later = later.set_column(2, "usd", pa.array([0.3, 1.0]))
    later = later.set_column(3, "latency_s", pa.array([0.7, 0.9]))
    assert told(later) == told(rows())
