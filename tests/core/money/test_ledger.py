"""The ledger: sums of the evidence, reconciled with the rows whatever happened before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.money.ledger import (
    NOBODY,
    Mismatch,
    bookings_of,
    ledger_of,
    losses_of,
    reconcile,
)
from itemeval_assets.core.money.losses import LOST, accepted_row, losses_words
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.tables.schemas import BOOKINGS, LOG_INDEX, REPLACED, TABLES, TOKEN_COLUMNS
from itemeval_assets.core.tables.upsert import upsert
from itemeval_assets.storage.study.store import replaced_rows
from tests.rows import STAMP, grading, solution, table

PRICES = PriceBook()


def log(log_file: str = "a.eval", **values: Any) -> dict[str, Any]:
    return {
        "log_file": log_file,
        "run_id": "run1",
        "stage": "generate",
        "condition_id": "g1",
        "model": "mockllm/a",
        "total_samples": 2,
        "completed_samples": 2,
        "input_tokens": 20,
        "output_tokens": 10,
        "total_tokens": 30,
        "usd": 0.5,
        "priced": True,
        "batch": False,
        "created_at": STAMP,
        **values,
    }


def booked(*logs: Mapping[str, Any]) -> list[dict[str, Any]]:
    return bookings_of(table("log_index", logs)).to_pylist()


def test_one_row_per_run_stage_condition_and_model() -> None:
    rows = booked(
        log("a.eval"),
        log("b.eval", usd=0.25, total_samples=1, created_at="2026-01-02T00:00:00Z"),
        log("c.eval", run_id="run2"),
        log("d.eval", stage="grade", condition_id="j1", gen_condition_id="g1", model="x/y"),
    )
    assert [(row["run_id"], row["stage"], row["calls"], row["usd"]) for row in rows] == [
        ("run1", "generate", 3, 0.75),
        ("run1", "grade", 2, 0.5),
        ("run2", "generate", 2, 0.5),
    ]
    first, graded, _ = rows
    assert (first["input_tokens"], first["cache_read_tokens"]) == (40, None)
    assert (first["created_at"], first["provider"]) == ("2026-01-02T00:00:00Z", "mockllm")
    assert (first["gen_condition_id"], graded["gen_condition_id"]) == (None, "g1")
    assert (graded["model"], graded["provider"]) == ("x/y", "x")


def test_cache_hits_are_calls_for_nothing() -> None:
    [row] = booked(
        log(total_samples=3, usd=0.0, input_tokens=None, output_tokens=None, total_tokens=None)
    )
    assert (row["calls"], row["usd"], row["priced"]) == (3, 0.0, True)
    assert all(row[name] is None for name in TOKEN_COLUMNS)


def test_a_model_without_a_price_has_no_usd() -> None:
    unpriced = {"usd": None, "priced": False}
    cached = {"usd": 0.0, "priced": True}
    assert [row["usd"] for row in booked(log(**unpriced))] == [None]
    [row] = booked(log("a.eval", **unpriced), log("b.eval", **cached))
    assert (row["usd"], row["priced"], row["input_tokens"]) == (None, False, 40)


def test_batch_is_told() -> None:
    assert [row["batch"] for row in booked(log("a.eval"), log("b.eval", batch=True))] == [True]


def test_no_logs_no_ledger() -> None:
    assert booked() == []
    assert ledger_of(table("bookings")).num_rows == 0


def test_the_ledger_of_has_the_key_run_stage_condition_model() -> None:
    graded = {"stage": "grade", "condition_id": "j1", "model": "x/y"}
    bookings = bookings_of(
        table(
            "log_index",
            [
                log("a.eval", **graded, gen_condition_id="g1", usd=0.5),
                log("b.eval", **graded, gen_condition_id="g2", usd=0.25, batch=True),
                log("c.eval", usd=None, priced=False, created_at="2025-01-01T00:00:00Z"),
            ],
        )
    )
    rows = ledger_of(bookings).to_pylist()
    assert [(row["stage"], row["calls"], row["usd"], row["batch"]) for row in rows] == [
        ("generate", 2, None, False),
        ("grade", 4, 0.75, True),
    ]
    assert ledger_of(bookings).schema == table("ledger").schema
    assert "gen_condition_id" not in rows[0]


def sound_study() -> dict[str, pa.Table]:
    """A ledger, and the rows it was made of."""
    rows = [solution("q1"), solution("q2"), solution("q3", error="timeout", usd=0.0)]
    replaced = replaced_rows(
        Partition(("g1",)), table("solutions", [solution("q3", sample_uuid="first")])
    )
    judged = [grading("q1"), grading("q2", score=None)]
    scored = grading("q1", grade_condition_id="s1", grade_kind="verifiable", usd=0.0)
    scored |= dict.fromkeys(["sample_uuid", "log_file", *TOKEN_COLUMNS])
    counts = {"calls": 4, "input_tokens": 40, "output_tokens": 20, "total_tokens": 60}
    constant = {"run_id": "run1", "priced": True, "batch": False, "created_at": STAMP}
    grade = {"stage": "grade", "gen_condition_id": "g1", **constant}
    return {
        "bookings": table(
            "bookings",
            [
                {
                    **constant,
                    **counts,
                    "stage": "generate",
                    "condition_id": "g1",
                    "model": "m",
                    "usd": 0.75,
                },
                {
                    **grade,
                    "condition_id": "j1",
                    "model": "j",
                    "calls": 2,
                    "input_tokens": 20,
                    "output_tokens": 10,
                    "total_tokens": 30,
                    "usd": 1.0,
                },
                {
                    **grade,
                    "condition_id": "s1",
                    "model": NOBODY,
                    "calls": 1,
                    "usd": 0.0,
                },
            ],
        ),
        "solutions": table("solutions", rows),
        "gradings": table("gradings", [*judged, scored]),
        "replaced": replaced,
    }


def planted(name: str, row: int, **values: Any) -> list[Mismatch]:
    tables = sound_study()
    rows = tables[name].to_pylist()
    rows[row].update(values)
    return reconciled(**{**tables, name: table(name, rows)})


def reconciled(
    bookings: pa.Table, solutions: pa.Table, gradings: pa.Table, replaced: pa.Table
) -> list[Mismatch]:
    """Of two partitions: all that was generated, and all that was graded."""
    found = []
    for partition, rows in ((Partition(("g1",)), solutions), (Partition(("g1", "j1")), gradings)):
        stage = pc.field("stage") == partition.stage.name
        found += reconcile(partition, bookings.filter(stage), rows, replaced.filter(stage))
    return found


def test_a_sound_study_reconciles() -> None:
    assert reconciled(**sound_study()) == []


@pytest.mark.parametrize(
    ("name", "row", "values", "stage", "quantity", "difference"),
    [
        ("bookings", 0, {"usd": 0.75 + 1.1e-6}, "generate", "usd", 1.1e-6),
        ("bookings", 0, {"usd": None}, "generate", "usd", -0.75),
        ("bookings", 0, {"input_tokens": 41}, "generate", "input_tokens", 1),
        ("bookings", 1, {"reasoning_tokens": 1}, "grade", "reasoning_tokens", 1),
        ("bookings", 2, {"usd": 0.5}, "grade", "usd", 0.5),
        ("solutions", 0, {"usd": 0.25 - 1.1e-6}, "generate", "usd", 1.1e-6),
        ("solutions", 1, {"total_tokens": None}, "generate", "total_tokens", 15),
        ("gradings", 1, {"output_tokens": 6}, "grade", "output_tokens", -1),
        ("replaced", 0, {"usd": 0.0}, "generate", "usd", 0.25),
    ],
)
def test_a_planted_difference_is_found(
    name: str, row: int, values: dict[str, Any], stage: str, quantity: str, difference: float
) -> None:
    [found] = planted(name, row, **values)
    assert (found.run_id, found.stage, found.quantity) == ("run1", stage, quantity)
    assert found.ledger - found.rows == pytest.approx(difference)


def test_differences_below_a_millionth_of_a_dollar_are_rounding() -> None:
    assert planted("bookings", 0, usd=0.75 + 0.9e-6) == []


def test_each_run_must_reconcile_by_itself() -> None:
    found = planted("solutions", 0, run_id="run2")
    assert {(mismatch.run_id, mismatch.stage) for mismatch in found} == {
        ("run1", "generate"),
        ("run2", "generate"),
    }


def test_missing_money_is_found_on_either_side() -> None:
    tables = sound_study()
    without_ledger = reconciled(**{**tables, "bookings": table("bookings")})
    assert {found.stage for found in without_ledger} == {"generate", "grade"}
    without_rows = reconciled(**{**tables, "solutions": table("solutions")})
    assert {found.stage for found in without_rows} == {"generate"}


def test_a_call_both_in_a_row_and_in_replaced_counts_once() -> None:
    tables = sound_study()
    again = replaced_rows(Partition(("g1",)), tables["solutions"].slice(0, 1))
    both = pa.concat_tables([tables["replaced"], again])
    assert reconciled(**{**tables, "replaced": both}) == []


# Any history of runs. A step: which cells are called, how each call ends, and whether the step
# that stores the rows is carried out twice (as after a crash).
ENDS = ("answer", "blank", "error", "cached")
CALL = st.tuples(
    st.sampled_from(["q1", "q2", "q3"]),
    st.sampled_from(ENDS),
    st.integers(0, 10**7),
    st.integers(0, 10**6),
)
STEP = st.tuples(st.lists(CALL, max_size=4, unique_by=lambda call: call[0]), st.booleans())
MODELS = {"priced": "mockllm/a", "unpriced": "nobody/x"}


@dataclass
class History:
    """The tables of one partition as runs leave them behind."""

    stage: str
    model: str
    tables: dict[str, pa.Table] = field(
        default_factory=lambda: {
            name: table(name)
            for name in ("solutions", "gradings", "replaced", "log_index", "bookings")
        }
    )

    def step(self, run: int, calls: list[tuple[str, str, int, int]]) -> None:
        rows = [self._row(run, *call) for call in calls]
        name = "solutions" if self.stage == "generate" else "gradings"
        result = upsert(TABLES[name], self.tables[name], table(name, rows))
        self.tables[name] = result.rows
        partition = Partition(("g1",) if self.stage == "generate" else ("g1", "j1"))
        lost = replaced_rows(partition, result.replaced)
        self.tables["replaced"] = upsert(REPLACED, self.tables["replaced"], lost).rows
        index = table("log_index", [self._log(run, rows)])
        self.tables["log_index"] = upsert(LOG_INDEX, self.tables["log_index"], index).rows
        bookings = bookings_of(self.tables["log_index"])
        self.tables["bookings"] = upsert(BOOKINGS, self.tables["bookings"], bookings).rows

    def mismatches(self) -> list[Mismatch]:
        names = ("bookings", "solutions", "gradings", "replaced")
        return reconciled(**{name: self.tables[name] for name in names})

    def _row(self, run: int, item_id: str, end: str, read: int, written: int) -> dict[str, Any]:
        paid = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
        tokens: dict[str, int | None] = (
            paid if end in ("answer", "blank") else dict.fromkeys(TOKEN_COLUMNS)
        )
        values: dict[str, Any] = {
            **tokens,
            "run_id": f"run{run}",
            "usd": 0.0 if end == "error" else PRICES.usd(self.model, tokens),
            "sample_uuid": f"{run}-{item_id}",
            "error": "timeout" if end == "error" else None,
        }
        text = "4" if end in ("answer", "cached") else None
        if self.stage == "generate":
            return solution(item_id, text=text, **values)
        score = 1.0 if text else None
        return grading(item_id, score=score, judge_completion=text, **values)

    def _log(self, run: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """What the header of the run's log says: sums over all its samples."""
        tokens: dict[str, int | None] = {}
        for name in TOKEN_COLUMNS:
            known = [row[name] for row in rows if row.get(name) is not None]
            tokens[name] = sum(known) if known else None
        usd = PRICES.usd(self.model, tokens)
        graded = {"stage": "grade", "condition_id": "j1", "gen_condition_id": "g1"}
        return log(
            f"{run}.eval",
            **tokens,
            **(graded if self.stage == "grade" else {}),
            run_id=f"run{run}",
            model=self.model,
            total_samples=len(rows),
            usd=usd,
            priced=usd is not None,
        )


@settings(max_examples=12)
@given(
    st.sampled_from(["generate", "grade"]),
    st.sampled_from(list(MODELS)),
    st.lists(STEP, max_size=4),
)
def test_any_history_of_runs_errors_and_repetitions_reconciles(
    stage: str, priced: str, steps: list[Any]
) -> None:
    history = History(stage, MODELS[priced])
    for run, (calls, twice) in enumerate(steps):
        for _ in range(2 if twice else 1):
            history.step(run, calls)
    assert history.mismatches() == []
    spent = sum(row["calls"] for row in history.tables["bookings"].to_pylist())
    assert spent == sum(len(calls) for calls, _ in steps)


def of_run(run_id: str = "run1", uuid: str | None = "u1", **values: Any) -> dict[str, Any]:
    tokens = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "usd": 0.25}
    return solution(run_id=run_id, sample_uuid=uuid) | tokens | values


def losses_in(
    bookings: pa.Table, kept: list[dict[str, Any]], replaced: list[dict[str, Any]] | None = None
) -> list[tuple[str, int, float | None, int | None]]:
    found = losses_of(
        Partition(("g1",)), bookings, table("solutions", kept), table("replaced", replaced or [])
    )
    return [(loss.run_id, loss.calls, loss.usd, loss.tokens["total_tokens"]) for loss in found]


def of_logs(*logs: Mapping[str, Any]) -> pa.Table:
    return bookings_of(table("log_index", logs))


def test_a_loss_is_what_is_booked_beyond_the_rows() -> None:
    bookings = of_logs(log("a.eval"), log("b.eval", run_id="run2"))
    other = [of_run("run2", "v1"), of_run("run2", "v2")]
    assert losses_in(bookings, [of_run(), of_run(uuid="u2"), *other]) == []
    assert losses_in(bookings, [of_run(), *other]) == [("run1", 1, 0.25, 15)]
    assert losses_in(bookings, other) == [("run1", 2, 0.5, 30)]
    assert losses_in(bookings, []) == [("run1", 2, 0.5, 30), ("run2", 2, 0.5, 30)]


def test_a_run_whose_rows_tell_more_of_anything_has_lost_nothing() -> None:
    assert losses_in(of_logs(log(usd=0.1)), [of_run()]) == []
    assert losses_in(of_logs(log()), [of_run(total_tokens=31)]) == []
    assert losses_in(of_logs(log()), [of_run("run3")]) == [("run1", 2, 0.5, 30)]


def test_what_has_no_price_is_lost_without_one() -> None:
    unpriced = of_logs(log(usd=None, priced=False))
    assert losses_in(unpriced, []) == [("run1", 2, None, 30)]
    free = {"usd": 0.0, "input_tokens": None, "output_tokens": None, "total_tokens": None}
    assert losses_in(of_logs(log(**free)), []) == []


def test_an_accepted_loss_stands_for_its_calls() -> None:
    bookings = of_logs(log())
    [loss] = losses_of(
        Partition(("g1",)), bookings, table("solutions", [of_run()]), table("replaced")
    )
    assert losses_words([loss]) == "  run run1, generate, g1: 1 calls, 0.250000 USD, 15 tokens"
    row = accepted_row(loss, "a.eval", STAMP, "1")
    assert (row["item_id"], row["stage"], row["gen_condition_id"]) == (LOST, "generate", None)
    replaced = table("replaced", [row])
    assert reconcile(Partition(("g1",)), bookings, table("solutions", [of_run()]), replaced) == []
    assert losses_in(bookings, [of_run()], [row]) == []
    # Its other call, too.
    assert losses_in(bookings, [], [row]) == [("run1", 1, 0.25, 15)]


def test_a_failed_call_with_a_cost_is_one_call() -> None:
    failed = {**of_run(usd=0.0), "error": "refused"}
    cost = accepted_row(
        losses_of(Partition(("g1",)), of_logs(log()), table("solutions"), table("replaced"))[0],
        "a.eval",
        STAMP,
        "1",
    ) | {"sample_uuid": "u1:error", "usd": 0.25, **dict.fromkeys(TOKEN_COLUMNS)}
    assert losses_in(of_logs(log()), [failed], [cost]) == [("run1", 1, 0.25, 15)]


def test_who_called_no_model_has_no_provider_in_the_ledger_either() -> None:
    row = {"run_id": "r", "stage": "grade", "condition_id": "c", "gen_condition_id": "g"}
    booked = {"model": NOBODY, "calls": 2, "usd": 0.0, "priced": True, "batch": False}
    bookings = table("bookings", [{**row, **booked, "provider": None, "created_at": "now"}])
    assert ledger_of(bookings).to_pylist()[0]["provider"] is None
