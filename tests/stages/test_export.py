"""The export: single files with the same rows, and nothing at all while a rule is broken."""

import io
import tempfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import EvidenceLost, StoreError
from itemeval_assets.core.tables.cells import CELLS
from itemeval_assets.core.tables.schemas import TOKEN_COLUMNS
from itemeval_assets.core.text.words import well_formed
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import export
from itemeval_assets.stages.gradings_long import join
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.rows import STAMP, grading, item, solution, table
from tests.studies import write_study

NASTY = [
    "None",
    "NA",
    "nan",
    "null",
    "NULL",
    "#N/A",
    "-inf",
    "True",
    "007",
    "1e5",
    "=1+1",
    "+cmd|' /C calc'!A0",
    '"',
    '""',
    'say "yes", then\nno',
    "a\rb",
    "\r",
    "\n",
    "\r\n",
    "a\r\nb",
    "\x7f\x01",
    "\x1a",
    "\ufeff",
    "\u2028",
    "\x85",
    " padded ",
    "\t",
    ",",
    ";",
    "'",
    "\\",
    "\\n",
    '\\"',
    "# no comment",
    "é ß 漢字 😀 \u202eabc",
    "x" * 10_000,
]
# Without NUL, which no table holds (core.text).
TEXT = (
    st.sampled_from(NASTY)
    | st.text(min_size=1).map(well_formed)
    | st.lists(st.sampled_from(NASTY[:-1]), min_size=1, max_size=4).map("".join)
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
LONG_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "item_id": TEXT,
            "replication": st.integers(1, 2**31 - 1),
            "parse_ok": st.booleans(),
            "score": st.none() | NUMBER,
            "score_raw": st.none() | TEXT,
            "reasoning": st.none() | TEXT,
            "solution": st.none() | TEXT,
            "judge_completion": st.none() | TEXT,
            "gen_usd": st.none() | st.floats(0, 10),
            "gen_input_tokens": st.none() | st.integers(0, 2**53),
            "grade_input_tokens": st.integers(0, 2**63 - 1),
        }
    ),
    max_size=4,
)


# Before version 3, pandas reads some floats one bit off unless asked.
EXACT: Any = {} if pd.__version__ >= "3" else {"float_precision": "round_trip"}


def read_back(csv: bytes, like: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(csv),
        dtype=like.dtypes.to_dict(),
        keep_default_na=False,
        na_values=[""],
        **EXACT,
    )


def csv_bytes(rows: pa.Table) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        with export.csv_writer(path, rows.schema) as lines:
            lines.write_table(rows.combine_chunks())
        return path.read_bytes()


def as_read(rows: pa.Table) -> pd.DataFrame:
    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    return pd.read_parquet(buffer)


@given(LONG_ROWS)
def test_the_csv_read_back_with_the_types_of_the_parquet_is_the_same(
    rows: list[dict[str, Any]],
) -> None:
    long = table("gradings_long", rows)
    frame = as_read(long)
    pd.testing.assert_frame_equal(read_back(csv_bytes(long), frame), frame, check_exact=True)


@pytest.mark.parametrize("text", NASTY)
def test_a_nasty_text_survives_in_any_column(text: str) -> None:
    rows = [{"item_id": text, "solution": text, "created_at": text, "parse_ok": True}] * 2
    long = table("gradings_long", rows)
    back = read_back(csv_bytes(long), as_read(long))
    assert back["solution"].tolist() == back["created_at"].tolist() == [text, text]


def test_the_csv_in_bytes() -> None:
    rows = pa.table(
        {
            "text": pa.array(["é", None, "a\rb", 'a"b']),
            "number": pa.array([0.1, None, 1e-7, 3.0]),
            "count": pa.array([1, 2, None, 4]),
            "ok": pa.array([True, False, True, None]),
        }
    )
    assert csv_bytes(rows).decode() == (
        '"text","number","count","ok"\n"é",0.1,1,true\n,,2,false\n"a\rb",1e-7,,true\n"a""b",3,4,\n'
    )
    assert csv_bytes(rows.slice(0, 0)) == b'"text","number","count","ok"\n'


def finished_study(folder: Path) -> tuple[Study, ResultsStore]:
    """Two generate conditions x (a scorer, a judge), with a partition the design has no more."""
    study = load_study(write_study(folder, models=["mockllm/z", "mockllm/a"]))
    store = open_store(study)
    gone = Partition(("gone_short_default--000000000000",))
    for partition in [*study.generate_partitions(), gone]:
        [generate] = partition
        rows = [solution(q, condition_id=generate, sample_uuid=generate + q) for q in ("q1", "q2")]
        store.upsert("solutions", partition, table("solutions", rows))
        store.upsert("bookings", partition, ledger_row("generate", generate, usd=0.5))
    graded = [*study.grade_partitions(), Partition((gone[0], study.design.grade[0].id))]
    for generate, grade in graded:
        rows = [
            grading(
                q,
                gen_condition_id=generate,
                grade_condition_id=grade,
                sample_uuid=generate + q + grade,
                scorer_version=study.design.grade_by_id[grade].grader.versions[0],
            )
            for q in ("q1", "q2")
        ]
        judged = store.upsert(
            "gradings", Partition((generate, grade)), table("gradings", rows)
        ).rows
        long = join(judged, store.read("solutions", [Partition((generate,))]))
        store.replace("gradings_long", Partition((generate, grade)), long)
        entry = ledger_row("grade", grade, usd=1.0, gen_condition_id=generate)
        store.upsert("bookings", Partition((generate, grade)), entry)
    return study, store


def ledger_row(stage: str, condition: str, **values: Any) -> pa.Table:
    row = {
        "run_id": "run1",
        "stage": stage,
        "condition_id": condition,
        "model": "mockllm/z",
        "calls": 2,
        "input_tokens": 20,
        "output_tokens": 10,
        "total_tokens": 30,
        "priced": True,
        "batch": False,
        "created_at": STAMP,
    }
    return table("bookings", [row | values])


def exported(study: Study) -> list[str]:
    return sorted(path.name for path in (Path(study.location) / "export").glob("*"))


def test_the_files_hold_all_rows_in_the_order_of_the_design(tmp_path: Path) -> None:
    study, store = finished_study(tmp_path)
    result = export.write(study, store)
    assert exported(study) == [
        "cells.csv",
        "cells.parquet",
        "gradings_long.csv",
        "gradings_long.parquet",
        "ledger.csv",
    ]
    assert set(result.paths.values()) == {
        str(Path(study.location) / "export" / name) for name in exported(study)
    }
    frame = pd.read_parquet(Path(study.location) / "export" / "gradings_long.parquet")
    assert len(frame) == result.rows == 10
    ids = [frame[name].tolist()[::2] for name in ("gen_condition_id", "grade_condition_id")]
    order = list(zip(*ids, strict=True))
    assert order[:4] == study.grade_partitions()
    assert order[4][0] == "gone_short_default--000000000000"
    assert frame["item_id"].tolist() == ["q1", "q2"] * 5
    csv = (Path(study.location) / "export" / "gradings_long.csv").read_bytes()
    pd.testing.assert_frame_equal(read_back(csv, frame), frame, check_exact=True)


def test_every_cell_of_the_design_is_exported_with_its_state(tmp_path: Path) -> None:
    study, store = finished_study(tmp_path)
    store.replace("items", Partition(()), table("items", [item("q1"), item("q2"), item("q3")]))
    failed = solution(
        "q3",
        text=None,
        error="429, wait",
        usd=0.0,
        condition_id=study.design.generate[1].id,
        **dict.fromkeys(TOKEN_COLUMNS),
    )
    store.upsert("solutions", study.generate_partitions()[1], table("solutions", [failed]))
    export.write(study, store)
    folder = Path(study.location) / "export"
    frame = pd.read_parquet(folder / "cells.parquet")
    assert list(frame.columns) == CELLS.column_names
    assert frame.groupby("state").size().to_dict() == {"done": 8, "errored": 2, "missing": 2}
    pairs = frame[["gen_condition_id", "grade_condition_id"]].drop_duplicates()
    assert list(pairs.itertuples(index=False, name=None)) == study.grade_partitions()
    assert set(frame["reason"].dropna()) == {"429, wait"}
    csv = (folder / "cells.csv").read_bytes()
    pd.testing.assert_frame_equal(read_back(csv, frame), frame, check_exact=True)


def test_the_ledger_is_united_to_run_stage_condition_model(tmp_path: Path) -> None:
    study, store = finished_study(tmp_path)
    result = export.write(study, store)
    ledger = pd.read_csv(Path(study.location) / "export" / "ledger.csv")
    key = ["run_id", "stage", "condition_id", "model"]
    assert "gen_condition_id" not in ledger and not ledger.duplicated(key).any()
    scorer, judge = (condition.id for condition in study.design.grade)
    calls = dict(zip(ledger["condition_id"], ledger["calls"], strict=True))
    assert (calls[scorer], calls[judge]) == (6, 4)
    assert result.usd == ledger["usd"].sum() == 3 * 0.5 + 5 * 1.0


def test_models_without_a_price_are_named(tmp_path: Path) -> None:
    study, store = finished_study(tmp_path)
    assert export.write(study, store).unpriced == ()
    [partition, *_] = study.generate_partitions()
    rows = [{**row, "usd": None} for row in store.read("solutions", [partition]).to_pylist()]
    store.replace("solutions", partition, table("solutions", rows))
    unpriced = ledger_row("generate", partition[0], usd=None, priced=False)
    store.replace("bookings", partition, unpriced)
    assert export.write(study, store).unpriced == ("mockllm/z",)


def test_a_study_without_results_is_not_exported(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    with pytest.raises(StoreError, match="has no results yet: there is nothing to export"):
        export.write(study, open_store(study))
    assert exported(study) == []


def test_nothing_is_exported_while_evidence_is_lost(tmp_path: Path) -> None:
    study, store = finished_study(tmp_path)
    partition = store.partitions("solutions")[0]
    store.replace("solutions", partition, store.read("solutions", [partition]).slice(1))
    with pytest.raises(EvidenceLost, match=r"(?s)run run1, generate, .*: 1 calls.*--accept-loss"):
        export.write(study, store)
    assert exported(study) == []


def test_nothing_is_exported_where_there_is_no_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, store = finished_study(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(StoreError, match=f"cannot write in {tmp_path}/gone"):
        export.write(study, store)
    assert exported(study) == []


def test_a_second_export_is_the_same_to_the_byte(tmp_path: Path) -> None:
    study, store = finished_study(tmp_path)
    export.write(study, store)
    before = {path.name: path.read_bytes() for path in (Path(study.location) / "export").iterdir()}
    export.write(study, store)
    after = {path.name: path.read_bytes() for path in (Path(study.location) / "export").iterdir()}
    assert after == before


def test_what_a_run_in_progress_has_not_joined_is_left_to_it(tmp_path: Path) -> None:
    study, store = finished_study(tmp_path)
    whole = export.write(study, store).rows
    partition = store.partitions("gradings_long")[0]
    rows = store.read("gradings_long", [partition])
    store.replace("gradings_long", partition, rows.slice(0, 1))
    not_joined = f"it has 1 rows for {rows.num_rows} gradings"
    with Reservations(store).held("another"):
        Reservations(store).reserve("another", 0.5, admit=lambda others: None)
        assert export.write(study, store).rows == whole - rows.num_rows + 1
        with pytest.raises(StoreError, match=not_joined):
            export.require_sound(study, store)
    with pytest.raises(StoreError, match=not_joined):
        export.write(study, store)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "solutions",
            lambda rows: [*rows, rows[0]],
            "table solutions, .*: a key occurs twice, at 1",
        ),
        ("gradings", lambda rows: [*rows, rows[0]], "table gradings, .*: a key occurs twice"),
        ("gradings_long", lambda rows: [*rows, rows[0]], "table gradings_long, .*: a key occurs"),
        (
            "gradings",
            lambda rows: [{**rows[0], "score": None}, rows[1]],
            "table gradings, .*: parse_ok, parse_error and score disagree, at 1 rows, .*'q1'",
        ),
        (
            "gradings",
            lambda rows: [{**rows[0], "usd": 0.5001}, rows[1]],
            "the ledger does not reconcile: run run1, stage grade, partition",
        ),
        (
            "solutions",
            lambda rows: [{**rows[0], "usd": 0.5001}, *rows[1:]],
            "the ledger does not reconcile: run run1, stage generate, partition",
        ),
    ],
)
def test_nothing_is_exported_while_a_rule_is_broken(
    tmp_path: Path, name: str, change: Any, message: str
) -> None:
    study, store = finished_study(tmp_path)
    partition = store.partitions(name)[0]
    rows = change(store.read(name, [partition]).to_pylist())
    store.replace(name, partition, table(name, rows))
    with pytest.raises(StoreError, match=f"(?s){message}.*Nothing was exported"):
        export.write(study, store)
    assert exported(study) == []
