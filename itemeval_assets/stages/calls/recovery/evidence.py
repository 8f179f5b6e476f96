"""From logs to rows: of the calls just made, of killed runs, and of rows that went missing."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.money.losses import is_accepted
from itemeval_assets.core.money.native import native_id
from itemeval_assets.core.tables.schemas import LOG_INDEX, TABLES, arrow_schema
from itemeval_assets.core.tables.split import Parts
from itemeval_assets.core.text.secrets import redacted
from itemeval_assets.engine.logs.reading import read_log
from itemeval_assets.stages.outcome import Outcome
from itemeval_assets.storage.study import layout, log_files
from itemeval_assets.storage.study.store import ResultsStore, replaced_rows

from ..stage_run import Caller, StageRun
from ..unfinished import running_headers, take_in_notes
from .other_prices import read_with_prices

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

# No item: calls that no sample tells of.
UNLOGGED = "(unlogged)"
# The preflight fills no cell: what it paid for stands in `replaced`.


def recover(caller: Caller, run: StageRun, partitions: list[Partition], outcome: Outcome) -> None:
    """Recover what is in the logs of killed runs, and those whose table file is gone."""
    archived = [
        _archived_with_notes(run.store, key, header)
        for key, header in running_headers(run.store)
        if partition_of_log(header) in set(partitions)
    ]
    unread = [
        (partition, key) for partition in partitions for key in _unread_logs(run.store, partition)
    ]
    # One that was archived just now may be a longer one of a log that is known.
    found = list(dict.fromkeys([*archived, *unread]))
    collect(caller, run, found, outcome)
    rows = Parts(outcome.rows, TABLES[caller.stage.table].partitioned_by)
    for partition, index in outcome.log_index.items():
        outcome.recovered[partition] = _unknown_answers(run.store, partition, rows[partition])
        _take_back_losses(run.store, partition, set(index["run_id"].to_pylist()))
    if found:
        calls = sum(outcome.recovered.values())
        run.say(f"recovered {calls} finished calls from {len(found)} logs")


def _unknown_answers(store: ResultsStore, partition: Partition, rows: pa.Table) -> int:
    """How many finished calls of these rows no table tells of yet: a log may be read again."""
    known = _Booked(store, partition).calls
    finished = rows.filter(rows["error"].is_null())["sample_uuid"].to_pylist()
    return len(set(finished) - known)


def unread_partitions(store: ResultsStore, partitions: Iterable[Partition]) -> list[Partition]:
    """The partitions that have logs whose calls no table knows yet."""
    left = {partition_of_log(header) for _, header in running_headers(store)}
    return [
        partition for partition in partitions if partition in left or _unread_logs(store, partition)
    ]


def require_all_read(study: Study, store: ResultsStore) -> None:
    """Raise StoreError where a killed run left answers in its logs.

    They are to items as they were: once other items are stored, nobody could tell.
    """
    if unread_partitions(store, study.partitions()):
        raise StoreError(
            "a killed run left answers in its logs, to the items as they were. Recover them first: "
            f"itemeval-assets recover {study.config_path}"
        )


def partitions_to_mend(store: ResultsStore, partitions: Iterable[Partition]) -> list[Partition]:
    """Those that have unread logs, or booked ones that cost more than their rows tell of."""
    known = list(partitions)
    unread = set(unread_partitions(store, known))
    return [part for part in known if part in unread or _Booked(store, part).unaccounted()]


def logs_of_lost_rows(store: ResultsStore, partition: Partition) -> list[str]:
    """Keys of the booked logs of a partition that have more calls than its rows tell of."""
    indexed = set(store.read("log_index", [partition], ["log_file"])["log_file"].to_pylist())
    unread = _unread_logs(store, partition)
    few = [key for key, _ in _Booked(store, partition).unaccounted()]
    return [key for key in dict.fromkeys([*unread, *few]) if key in indexed]


def account_for_lost_rows(caller: Caller, run: StageRun, partition: Partition) -> None:
    """Remember what booked calls cost whose rows are not there.

    Somebody deleted them, and their cells are called again; or the log has usage of calls that
    are none of its samples.
    """
    store, booked = run.store, _Booked(run.store, partition)
    for key, run_id in booked.unaccounted():
        _take_back_losses(store, partition, {run_id})
        log = read_log(store.backend.local_copy(key), store.backend.uri(key))
        rows = caller.rows(partition, log, key, run_id)
        lost = [row for row in rows if row["sample_uuid"] not in booked.calls]
        table = pa.Table.from_pylist(lost, schema=arrow_schema(TABLES[caller.stage.table]))
        store.upsert("replaced", partition, replaced_rows(partition, table))
        paid = _unlogged(caller, run, partition, log, key)
        table = pa.Table.from_pylist(paid, schema=arrow_schema(TABLES["replaced"]))
        store.upsert("replaced", partition, table)
        if lost:
            run.say(f"{len(lost)} rows of {key} are gone from the table; their cost is kept")
        if paid:
            run.say(f"{key} has the cost of calls without samples; this cost is kept")


def _take_back_losses(store: ResultsStore, partition: Partition, run_ids: Collection[str]) -> None:
    """Forget the accepted losses of runs of which a log is back: it tells what they stand for."""
    rows = store.read("replaced", [partition])
    places = zip(rows["sample_uuid"].to_pylist(), rows["run_id"].to_pylist(), strict=True)
    stays = [not (is_accepted(uuid) and run_id in run_ids) for uuid, run_id in places]
    if not all(stays):
        store.replace("replaced", partition, rows.filter(pa.array(stays, pa.bool_())))


class _Booked:
    """The booked logs of a partition, and the calls that its rows and `replaced` tell of.

    What an accepted loss stands for is told by nothing: a log that is back is read again.
    """

    def __init__(self, store: ResultsStore, partition: Partition) -> None:
        self._is_there = store.backend.exists
        table = partition.stage.table
        columns = ["log_file", "run_id", "total_samples", "total_tokens"]
        self._index = _by_log(store.read("log_index", [partition], columns))
        if not store.has(table, partition):
            self._index = []
        columns = ["sample_uuid", "log_file", "total_tokens"]
        rows = [store.read(name, [partition], columns) for name in (table, "replaced")]
        known = _last_of_each("sample_uuid", pa.concat_tables(rows, promote_options="permissive"))
        accepted = [is_accepted(uuid or "") for uuid in known["sample_uuid"].to_pylist()]
        self._known = known.filter(pc.invert(pa.array(accepted, pa.bool_())))  # type: ignore[attr-defined]

    @property
    def calls(self) -> set[str]:
        """The uuids of their samples."""
        return set(self._known["sample_uuid"].to_pylist())

    def unaccounted(self) -> list[tuple[str, str]]:
        """Key and run of the logs that are there, and have more calls, or tokens, than that."""
        told = self._known.group_by("log_file").aggregate(
            [([], "count_all"), ("total_tokens", "sum")]
        )
        calls, tokens = (
            dict(zip(told["log_file"].to_pylist(), told[name].to_pylist(), strict=True))
            for name in ("count_all", "total_tokens_sum")
        )
        return [
            (log["log_file"], log["run_id"])
            for log in self._index
            if (
                calls.get(log["log_file"], 0) < log["total_samples"]
                or (tokens.get(log["log_file"]) or 0) < (log["total_tokens"] or 0)
            )
            and self._is_there(log["log_file"])
        ]


def _by_log(index: pa.Table) -> list[dict[str, Any]]:
    """The rows of the index, those of one log in sum: a task calls several models."""
    found = index.group_by(["log_file", "run_id"], use_threads=False).aggregate(
        [("total_samples", "sum"), ("total_tokens", "sum")]
    )
    return found.rename_columns(["log_file", "run_id", *index.column_names[2:]]).to_pylist()


def _last_of_each(column: str, rows: pa.Table) -> pa.Table:
    """The last row of each value of a column."""
    places = pa.table({column: rows[column], "place": range(rows.num_rows)})
    last = places.group_by(column).aggregate([("place", "max")])["place_max"]
    return rows.take(last)


def _archived_with_notes(store: ResultsStore, key: str, header: "EvalLog") -> tuple[Partition, str]:
    take_in_notes(store.backend, key)
    return archive(store, key, header)


def archive(store: ResultsStore, key: str, header: "EvalLog") -> tuple[Partition, str]:
    """Move a log to the folder of its condition; its partition, and its key from now on.

    Where others have archived it already, since they took its run for dead, the longer one of
    the two stays: a run that was only asleep has gone on writing it.
    """
    partition, spec = partition_of_log(header), header.eval
    archived = layout.log_key(partition, spec.created, spec.task_id)
    backend = store.backend
    if backend.exists(archived) and backend.exists(key):
        mine, theirs = backend.local_copy(key), backend.local_copy(archived)
        if _samples_of(mine, backend.uri(key)) > _samples_of(theirs, backend.uri(archived)):
            backend.upload(mine, archived)
    backend.move(key, archived)
    return partition, archived


def _samples_of(path: Path, place: str) -> int:
    return len(read_log(path, place).samples or [])


def collect(
    caller: Caller, run: StageRun, logs: Iterable[tuple[Partition, str]], outcome: Outcome
) -> None:
    """Add the rows and the index rows of some logs to the outcome, one log in memory at a time."""
    from itemeval_assets.engine.booking import index_rows

    schema = arrow_schema(TABLES[caller.stage.table])
    for partition, key in logs:
        log = read_with_prices(run.store, key, caller.model(partition), run.prices)
        facts = index_rows(log, caller.model(partition), run.prices)
        rows = caller.rows(partition, log, key, facts[0]["run_id"])
        outcome.rows = pa.concat_tables([outcome.rows, pa.Table.from_pylist(rows, schema=schema)])
        index = [{**of_model, "log_file": key, **partition.columns} for of_model in facts]
        entry = pa.Table.from_pylist(index, schema=arrow_schema(LOG_INDEX))
        known = outcome.log_index.get(partition)
        outcome.log_index[partition] = pa.concat_tables([known, entry]) if known else entry
        lost = outcome.lost.setdefault(partition, [])
        lost.extend(lost_costs(partition, rows))
        lost.extend(_unlogged(caller, run, partition, log, key))
        outcome.endpoints["|".join(partition)] = redacted(_endpoint(log, caller.model(partition)))
        _tell_of_prices(run, outcome, key, facts)


def _endpoint(log: "EvalLog", model: str) -> dict[str, Any]:
    """Who answered; `execution_model`: the id that a model was called under, if not its own."""
    from itemeval_assets.engine.rows import served_models

    called = log.eval.model
    is_native = called == native_id(model)
    return {**served_models(log), **({"execution_model": called} if is_native else {})}


def _tell_of_prices(run: StageRun, outcome: Outcome, key: str, facts: list[dict[str, Any]]) -> None:
    for of_model in facts:
        if of_model["usd"] is None:
            outcome.unpriced.add(of_model["model"])
        if of_model["unmetered_calls"]:
            run.say(
                f"{of_model['unmetered_calls']} replies of {of_model['model']} have no token "
                f"counts, or impossible ones ({key}): their usd is null, and budget.max_usd counts "
                f"{of_model['unmetered_usd']:.6f} USD for them"
            )


def lost_costs(partition: Partition, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of `replaced` for calls that cost something and brought an error.

    Their own rows have usd 0.0, and keep their tokens: here it is the other way round.
    """
    for row in rows:
        if row["lost_usd"]:
            yield {
                **{name: row[name] for name in ("run_id", "item_id", "epoch", "log_file")},
                "sample_uuid": f"{row['sample_uuid']}:error",
                **partition.columns,
                "usd": row["lost_usd"],
                "created_at": row["created_at"],
            }


def _unlogged(
    caller: Caller, run: StageRun, partition: Partition, log: "EvalLog", key: str
) -> list[dict[str, Any]]:
    """A row of `replaced` for what a log was charged for beyond its samples, if anything."""
    from itemeval_assets.engine.booking import unlogged

    call = unlogged(log, caller.model(partition), run.prices)
    if call is None:
        return []
    place = {
        **partition.columns,
        "item_id": UNLOGGED,
        "epoch": 1,
        "run_id": (log.eval.metadata or {}).get("run_id"),
        "log_file": key,
    }
    return [{**call, **place}]


def _unread_logs(store: ResultsStore, partition: Partition) -> list[str]:
    """Archived logs that the index does not know; all of them when the table file is gone."""
    known = set[str]()
    if store.has(partition.stage.table, partition):
        known = set(store.read("log_index", [partition], ["log_file"])["log_file"].to_pylist())
    return log_files.known_logs(store.backend, partition, lambda key: key not in known)


def partition_of_log(log: "EvalLog") -> Partition:
    """The partition whose calls a log holds, from the metadata written into it."""
    facts = log.eval.metadata or {}
    ids = (facts.get("gen_condition_id"), facts.get("condition_id"))
    return Partition(id for id in ids if id)
