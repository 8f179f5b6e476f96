"""Takes in what an import found: logs, rows and their costs, as a run would have stored them.

The logs come first, then of each partition its rows, what they replaced, its bookings and the index
of its logs. Until all is there, nobody else opens the study: so nothing is called again that is on
its way. Whoever is killed leaves the rest to the next import, which finds the same.
"""

import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.partitions import GENERATE, GRADE, Partition
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.imports.rows import Choice, balanced, chosen, logless_bookings, new_rows
from itemeval_assets.core.money.ledger import never_less
from itemeval_assets.core.tables.schemas import BOOKINGS, TABLES, arrow_schema
from itemeval_assets.engine.foreign_logs import moved, part_of
from itemeval_assets.engine.logs.broken import write_log
from itemeval_assets.engine.logs.reading import read_log
from itemeval_assets.stages import gradings_long, ledger
from itemeval_assets.stages.calls.gate import Gate
from itemeval_assets.stages.calls.recovery.evidence import collect
from itemeval_assets.stages.calls.stage_run import Caller, StageRun
from itemeval_assets.stages.gradings import GradingCaller
from itemeval_assets.stages.outcome import Outcome
from itemeval_assets.stages.prompt_solutions import SolutionCaller
from itemeval_assets.stages.solutions import caller_of
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.inputs.task_lock import keep_task, keep_told
from itemeval_assets.storage.study.inputs.template_lock import add_to_template_lock
from itemeval_assets.storage.study.layout import DATASET_LOCKS, WHOLE, manifest_key
from itemeval_assets.storage.study.store import ResultsStore, replaced_rows

from .found import Found, FoundLog, ImportSummary, LogPart

Say = Callable[[str], None]
_OF_AN_ITEM = ("input", "target", "grading_scheme", "metadata_json")


class Taking:
    """One import into one study. What is there already stays as it is."""

    def __init__(self, found: Found, source: str, say: Say) -> None:
        self._found, self._source, self._say = found, source, say
        self._study = found.study
        self._store = ResultsStore(open_backend(self._study.location), self._study.name)
        self._store.imports = True
        self._store.require_owner(self._study)
        self._store.require_layout()
        self._parts = [part for log in found.logs for part in log.parts]
        self._source_of = {part.key: log.key for log in found.logs for part in log.parts}
        self._require_same_words()

    def summary(self, *, is_dry_run: bool) -> ImportSummary:
        """What is not there yet. Raises StoreError for items that are others here."""
        counts = {part: self._new_rows(part).num_rows for part in self._found.rows}
        return ImportSummary(
            study=self._study.name,
            config=str(self._study.config_path),
            source=self._source,
            location=self._study.location,
            is_dry_run=is_dry_run,
            items=self._new_items.num_rows,
            solutions=sum(counts[part] for part in counts if part.stage is GENERATE),
            gradings=sum(counts[part] for part in counts if part.stage is GRADE),
            logs=sum(self._is_new(part) for part in self._parts),
            left_out=self._found.left_out,
            notes=self._found.notes,
        )

    def take_in(self) -> ImportSummary:
        """Store all that is not there yet; what that was."""
        summary = self.summary(is_dry_run=False)
        self._keep_words()
        if summary.is_nothing and not self._store.is_importing():
            return summary
        partitions = sorted({*self._found.rows, *(part.partition for part in self._parts)})
        self._store.take_ownership(self._study)
        keep_task(self._study)
        holder = f"import-{uuid.uuid4().hex}"
        with self._store.claimed(partitions, holder, self._tell_of_wait):
            # What is refused now is refused before the study is marked.
            summary = self._after_the_wait()
            with self._store.importing(self._source, self._hashes):
                self._take(partitions)
        return summary._replace(notes=[*summary.notes, *self._mismatches()])

    def _take(self, partitions: list[Partition]) -> None:
        self._take_documents()
        for log in self._found.logs:
            self._copy(log)
        for stage in (GENERATE, GRADE):
            for partition in (part for part in partitions if part.stage is stage):
                self._take_rows(partition)
        graded = [part for part in partitions if part.stage is GRADE]
        for _ in gradings_long.write(self._store, graded):
            pass

    def _after_the_wait(self) -> ImportSummary:
        """What is not there now: others may have stored some of it meanwhile."""
        for name in ("_new_items", "_indexed", "_awaited"):
            self.__dict__.pop(name, None)
        return self.summary(is_dry_run=False)

    @property
    def _hashes(self) -> dict[str, dict[str, str]]:
        """Of the words that packaged templates have had where the study is from."""
        templates = self._found.templates.items()
        return {kind: {name: one.hash for name, one in of.items()} for kind, of in templates if of}

    def _require_same_words(self) -> None:
        """Raise StoreError where the study has answers to other words of packaged templates."""
        known = self._store.imported_words()
        new = [
            name
            for kind, words in self._hashes.items()
            for name, digest in words.items()
            if known.get(kind, {}).get(name) != digest
        ]
        if new and self._store.has_results():
            raise StoreError(
                f"{self._study.location} has results already, and {', '.join(new)} would have "
                "other words in it from now on. Import into a study of its own: write another "
                "`output_dir:`. Nothing was taken"
            )

    def _tell_of_wait(self, partition: Partition, holder: str) -> None:
        label = self._study.design.label_of(partition)
        wait = (
            f"waiting for {holder}, which is at work in" if holder else "nobody else is at work in"
        )
        self._say(f"{wait} {label}")

    def _keep_words(self) -> None:
        """The words of packaged templates, before there is any row of them."""
        study, templates = self._study, self._found.templates
        if any(templates.values()):
            add_to_template_lock(study.name, study.config_dir, templates)

    def _take_documents(self) -> None:
        """Items, the revisions of their data, and manifests."""
        stored = self._store.read("items")
        if self._new_items.num_rows:
            self._store.replace("items", WHOLE, pa.concat_tables([stored, self._new_items]))
        self._store.update_json(DATASET_LOCKS, self._pinned)
        if self._study.config.benchmark.from_logs:
            keep_told(self._study)
        for run_id, manifest in self._found.manifests.items():
            told = {**manifest, "imported_from": self._source}
            self._store.update_json(manifest_key(run_id), lambda known, told=told: known or told)

    def _pinned(self, document: dict[str, Any]) -> dict[str, Any]:
        """The revisions of the data: what is known stays, but where more logs bring more items."""
        known, pins = document.get("datasets", {}), self._found.pins
        both = (known, pins) if self._study.config.benchmark.from_logs else (pins, known)
        return {"version": 1, "datasets": {**both[0], **both[1]}}

    @cached_property
    def _new_items(self) -> pa.Table:
        known = {row["item_id"]: row for row in self._store.read("items").to_pylist()}
        items = self._found.items.to_pylist()
        for item in items:
            here = known.get(item["item_id"], item)
            if differ := [name for name in _OF_AN_ITEM if here[name] != item[name]]:
                raise StoreError(
                    f"item {item['item_id']!r} of {self._source} is another one in "
                    f"{self._study.location}: its {differ[0]} differs. Import into a study of its "
                    "own (`output_dir:`). Nothing was taken"
                )
        new = [item["item_id"] not in known for item in items]
        return self._found.items.filter(pa.array(new, pa.bool_()))

    def _is_new(self, part: LogPart) -> bool:
        return part.key not in self._indexed

    @cached_property
    def _indexed(self) -> set[str]:
        return {*self._store.read("log_index", columns=["log_file"])["log_file"].to_pylist()}

    def _new_rows(self, partition: Partition) -> pa.Table:
        """The rows of the source that the study has no better ones for."""
        return new_rows(self._found.rows[partition], self._stored(partition), self._can_come)

    def _can_come(self, log: str | None) -> bool:
        """Whether rows of a log of the source are still to come: it is new, or it is gone."""
        return self._awaited.get(log, True)

    @cached_property
    def _awaited(self) -> Mapping[str | None, bool]:
        return {log.key: any(self._is_new(part) for part in log.parts) for log in self._found.logs}

    def _stored(self, partition: Partition) -> pa.Table:
        columns = ["item_id", "epoch", "error", "run_id", "sample_uuid"]
        return self._store.read(partition.stage.table, [partition], columns)

    def _copy(self, log: FoundLog) -> None:
        """Write the copies of a log that are not there."""
        backend = self._found.source
        wanted = [
            part
            for part in log.parts
            if self._is_new(part) and not self._store.backend.exists(part.key)
        ]
        if not wanted:
            return
        read = read_log(backend.local_copy(log.key), backend.uri(log.key))
        whole = moved(read, log.places)
        with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
            for number, part in enumerate(wanted):
                path = Path(folder) / f"{number}.eval"
                graded = part.partition.gen_condition_id
                of_part = part_of(whole, graded, part.metadata, part.of_cells, part.only)
                write_log(of_part, path)
                self._store.backend.upload(path, part.key, give_away=True)

    def _take_rows(self, partition: Partition) -> None:
        """Store the rows of a partition, and book their logs, in the order of a run."""
        table = TABLES[partition.stage.table]
        caller, run = self._caller(partition)
        new = [part for part in self._parts if part.partition == partition and self._is_new(part)]
        outcome = Outcome(arrow_schema(table).empty_table())
        collect(caller, run, [(partition, part.key) for part in new], outcome)
        if isinstance(caller, SolutionCaller):
            caller.finish(run)
        choice = self._choice(partition, outcome.rows.to_pylist())
        rows = pa.Table.from_pylist(choice.rows, schema=arrow_schema(table))
        self._store.upsert(table.name, partition, rows)
        lost = outcome.lost.setdefault(partition, [])
        beside = balanced(choice.replaced, [*choice.rows, *lost], _costs(outcome, partition))
        paid = pa.Table.from_pylist(beside, schema=arrow_schema(table))
        lost.extend(replaced_rows(partition, paid).to_pylist())
        outcome.rows, outcome.pending = rows.slice(0, 0), {partition: 0}
        booked = ledger.book(self._store, outcome, "")
        self._store.upsert("bookings", partition, booked)
        self._book_without_log(partition, choice.without_log)
        ledger.settle(self._store, outcome)

    def _choice(self, partition: Partition, told: list[dict[str, Any]]) -> Choice:
        rows = self._found.rows.get(partition)
        return chosen(
            [] if rows is None else rows.to_pylist(),
            [(self._source_of[row["log_file"]], row) for row in told],
            self._stored(partition).to_pylist(),
            {log.key for log in self._found.logs},
        )

    def _book_without_log(self, partition: Partition, rows: list[dict[str, Any]]) -> None:
        """Book what rows without a log cost: what itself is all that is known of it."""
        model = self._study.design.model_of(partition)
        table = pa.Table.from_pylist(
            [*logless_bookings(partition, model, rows)], schema=arrow_schema(BOOKINGS)
        )
        known = self._store.read("bookings", [partition])
        self._store.upsert("bookings", partition, never_less(known, table))

    def _caller(self, partition: Partition) -> tuple[Caller, StageRun]:
        run = self._run
        if partition.stage is GENERATE:
            return caller_of(run), run
        return GradingCaller(run, self._store.read("solutions", [])), run

    @cached_property
    def _run(self) -> StageRun:
        """What makes rows of logs: of a run that calls nobody."""
        prices = prices_if_needed(self._study)
        return StageRun(
            study=self._study,
            store=self._store,
            prices=prices,
            items=self._store.read("items"),
            run_id="",
            gate=Gate(self._study, self._store, prices, "", None),
            listener=lambda progress: None,
            say=self._say,
        )

    def _mismatches(self) -> Iterator[str]:
        """Where rows and logs of the source tell of other costs."""
        for found in ledger.mismatches(self._store):
            label = self._study.design.label_of(found.partition)
            yield (
                f"the rows of {label} and the logs of {found.run_id} differ in {found.quantity}: "
                f"{found.rows:g} by the rows, {found.ledger:g} by the logs"
            )


def _costs(outcome: Outcome, partition: Partition) -> dict[str, float | None]:
    """What the logs of a partition cost, by their keys."""
    index = outcome.log_index.get(partition)
    found: dict[str, float | None] = {}
    # One row for each model that was called.
    for row in [] if index is None else index.select(["log_file", "usd"]).to_pylist():
        before = found.get(row["log_file"], 0.0)
        is_known = before is not None and row["usd"] is not None
        found[row["log_file"]] = before + row["usd"] if is_known else None
    return found
