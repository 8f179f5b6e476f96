"""The ledger: what each run spent, per stage, condition and model.

Bookings are the ledger by partition. They are built from the evidence (`log_index`, the usage
in the log headers) and never from the rows they are compared with. Reconciliation: the totals
of the bookings equal the sums over the stored rows plus the rows they replaced.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.tables.schemas import BOOKINGS, LEDGER, TOKEN_COLUMNS, Table, arrow_schema

from .losses import Loss, calls_of

# In the place of a model where a scorer graded, also the one before a judge.
NOBODY = "(verifiable)"
_USD_TOLERANCE = 1e-6
_QUANTITIES = (*TOKEN_COLUMNS, "usd")
# Beside the events that are calls: what a call with an error cost, and usage of no sample.
_ERROR, _UNLOGGED = ":error", ":unlogged"
MONEY_COLUMNS = ["run_id", "sample_uuid", *_QUANTITIES]


class Mismatch(NamedTuple):
    """A run and a partition whose bookings differ from its rows."""

    run_id: str
    partition: Partition
    quantity: str
    ledger: float
    rows: float

    @property
    def stage(self) -> str:
        return self.partition.stage.name


def is_nobody(model: str) -> bool:
    """Whether a ledger row is of gradings that called no model."""
    return model == NOBODY


def bookings_of(log_index: pa.Table) -> pa.Table:
    """Bookings of the logs of one partition: the sums over each run's logs.

    A sum is null when every term is: no tokens for cache hits, no usd without a price. An unpriced
    model has no usd, also where some of its calls were free cache hits.
    """
    providers = [model and model.split("/")[0] for model in log_index["model"].to_pylist()]
    logs = log_index.drop_columns(["calls"]).append_column("calls", calls_of_logs(log_index))
    logs = logs.append_column("provider", pa.array(providers, pa.string()))
    return _summed(BOOKINGS, logs, pc.ScalarAggregateOptions(skip_nulls=False))


def calls_of_logs(log_index: pa.Table) -> pa.ChunkedArray:
    """int64[rows]: the calls that each row of the index stands for. Reads calls, total_samples."""
    return pc.coalesce(log_index["calls"], log_index["total_samples"])  # type: ignore[attr-defined]


def never_less(stored: pa.Table, anew: pa.Table) -> pa.Table:
    """New bookings of one partition; as they are stored where these have more calls or tokens.

    A log of the run is gone, and what it told with it. That is no reason to forget a dollar.
    """
    known = {_key(row): row for row in stored.to_pylist()}
    rows = [max(row, known.get(_key(row), row), key=_size) for row in anew.to_pylist()]
    return pa.Table.from_pylist(rows, schema=anew.schema)


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in BOOKINGS.key)


def _size(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["calls"], row["total_tokens"] or 0


def ledger_of(bookings: pa.Table) -> pa.Table:
    """The ledger that bookings add up to, grading summed over generate conditions."""
    return _summed(LEDGER, bookings, pc.ScalarAggregateOptions())


def _summed(table: Table, terms: pa.Table, of_usd: pc.ScalarAggregateOptions) -> pa.Table:
    """A row for each key of a table, in its order. Without a word on it, calls have a price."""
    none_is_fine = pc.ScalarAggregateOptions(min_count=0)
    sums = [
        *((name, "sum", None) for name in (*TOKEN_COLUMNS, "calls")),
        ("usd", "sum", of_usd),
        ("priced", "all", none_is_fine),
        ("batch", "any", none_is_fine),
        ("created_at", "max", None),
        ("provider", "max", None),
    ]
    found = terms.group_by(table.key, use_threads=False).aggregate(sums)
    found = found.rename_columns({f"{name}_{how}": name for name, how, _ in sums})
    schema = arrow_schema(table)
    return found.select(schema.names).cast(schema).sort_by([(n, "ascending") for n in table.key])


def reconcile(
    partition: Partition, bookings: pa.Table, rows: pa.Table, replaced: pa.Table
) -> list[Mismatch]:
    """Where the bookings of a partition differ from its rows, per run; empty when sound.

    USD to 1e-6, tokens exactly. Reads MONEY_COLUMNS.
    """
    paid, booked = _sums(_events(rows, replaced)), _sums(bookings)
    return [
        Mismatch(run_id, partition, quantity, have, want)
        for run_id in sorted(paid.keys() | booked.keys())
        for quantity in _QUANTITIES
        for have, want in [
            (booked.get(run_id, {}).get(quantity) or 0, paid.get(run_id, {}).get(quantity) or 0)
        ]
        if abs(have - want) > (_USD_TOLERANCE if quantity == "usd" else 0)
    ]


def losses_of(
    partition: Partition, bookings: pa.Table, rows: pa.Table, replaced: pa.Table
) -> list[Loss]:
    """Per run, what the bookings of a partition have beyond its rows and those they replaced.

    Reads MONEY_COLUMNS of both, and `model` and `calls` of the bookings. A run whose rows tell more
    of anything than its bookings has lost nothing: something else is wrong there.
    """
    events = _events(rows, replaced)
    told, booked, calls = _sums(events), _sums(bookings), _calls(events)
    paid = bookings.filter(pc.field("model") != NOBODY)
    made = paid.group_by("run_id").aggregate([("calls", "sum")]).to_pylist()
    found = []
    for run_id, count in sorted((run["run_id"], run["calls_sum"]) for run in made):
        known = told.get(run_id, {})
        beyond = {
            name: (booked[run_id][name] or 0) - (known.get(name) or 0) for name in _QUANTITIES
        }
        if _is_loss(beyond):
            left: dict[str, Any] = {
                name: None if booked[run_id][name] is None else beyond[name] for name in _QUANTITIES
            }
            lost, usd = max(0, count - calls.get(run_id, 0)), left.pop("usd")
            name = " | ".join(partition)
            found.append(Loss(run_id, partition.stage.name, partition, name, lost, usd, left))
    return found


def _is_loss(beyond: Mapping[str, float]) -> bool:
    least = {name: _USD_TOLERANCE if name == "usd" else 0 for name in beyond}
    is_sound = all(value >= -least[name] for name, value in beyond.items())
    return is_sound and any(value > least[name] for name, value in beyond.items())


def _calls(events: pa.Table) -> dict[str, int]:
    """How many calls the events of each run tell of, those of accepted losses included."""
    uuids: dict[str, set[str]] = {}
    columns = [events[name].to_pylist() for name in ("run_id", "sample_uuid")]
    for run_id, uuid in zip(*columns, strict=True):
        if uuid is not None and not uuid.endswith(_UNLOGGED):
            uuids.setdefault(run_id, set()).add(uuid.removesuffix(_ERROR))
    return {run_id: sum(map(calls_of, found)) for run_id, found in uuids.items()}


def _events(rows: pa.Table, replaced: pa.Table) -> pa.Table:
    """MONEY_COLUMNS of what was paid for: a call that stands twice, or in both, counts once."""
    parts = [table.select(MONEY_COLUMNS).replace_schema_metadata() for table in (rows, replaced)]
    return _once(pa.concat_tables(parts, promote_options="permissive"))


def _once(events: pa.Table) -> pa.Table:
    """The events without those whose call stands in an earlier one. No uuid: no call was made."""
    uuids = events["sample_uuid"]
    if len(uuids.drop_null().unique()) == len(uuids) - uuids.null_count:
        return events
    names = uuids.to_pandas()
    return events.filter(pa.array(~(names.duplicated() & names.notna())))


def _sums(rows: pa.Table) -> dict[str, dict[str, float | None]]:
    """{run_id: {quantity: sum, null where every term is}}."""
    groups = rows.group_by("run_id").aggregate([(name, "sum") for name in _QUANTITIES])
    return {
        found["run_id"]: {name: found[f"{name}_sum"] for name in _QUANTITIES}
        for found in groups.to_pylist()
    }
