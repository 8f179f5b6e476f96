"""Verdicts by older rules of a scorer: seen by status, schedule and checks; done again, free."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets import api
from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.views.incomplete import incomplete_cells
from itemeval_assets.stages.views.reruns import wanting
from itemeval_assets.storage.study.store import open_store
from tests.studies import write_study

from .looking import assert_reconciled, results_dir, rows


def by_older_rules(config: Path) -> None:
    """The gradings as an earlier version left them: without the column, all judged wrong."""
    for path in (results_dir(config) / "gradings.parquet").rglob("*.parquet"):
        stored = pq.read_table(path).drop_columns(["scorer_version"])
        place = stored.column_names.index("score")
        wrong = pa.array([0.0] * stored.num_rows, pa.float64())
        pq.write_table(stored.set_column(place, stored.schema.field("score"), wrong), path)


def test_verdicts_of_older_rules_are_stale_and_done_again_free(tmp_path: Path) -> None:
    config = write_study(tmp_path, models=["mockllm/a"], graders=["mockllm/judge"], items=3)
    api.run(config)
    sound = rows(config, "gradings")
    assert {row["grade_kind"]: row["scorer_version"] for row in sound} == {
        "verifiable": SCORERS["numeric"].columns["scorer_version"],
        "judge": None,
    }
    by_older_rules(config)

    study = load_study(config)
    store = open_store(study)
    [judged] = [part for part in study.grade_partitions() if "judge" in part[1]]
    [scored] = [part for part in study.grade_partitions() if "numeric" in part[1]]
    assert {part.partition: part.stale for part in api.status(config).grade} == {
        scored: 3,
        judged: 0,
    }
    assert wanting(study, store) == {scored: "3 stale"}
    assert [cell["state"] for cell in incomplete_cells(study, store, scored)] == ["stale"] * 3

    api.run(config)
    again = {(row["grade_kind"], row["item_id"]): row for row in rows(config, "gradings")}
    for row in sound:
        redone = again[row["grade_kind"], row["item_id"]]
        if row["grade_kind"] == "verifiable":
            volatile = ("run_id", "created_at")
            assert {k: v for k, v in redone.items() if k not in volatile} == {
                k: v for k, v in row.items() if k not in volatile
            }
            assert redone["usd"] == 0.0
        else:
            assert (redone["sample_uuid"], redone["score"]) == (row["sample_uuid"], 0.0)
    assert wanting(study, store) == {}
    long = rows(config, "gradings_long")
    assert list(long[0]) == TABLES["gradings_long"].column_names and len(long[0]) == 45
    scores = {row["item_id"]: row["score"] for row in sound if row["grade_kind"] == "verifiable"}
    assert {r["item_id"]: r["score"] for r in long if r["grade_kind"] == "verifiable"} == scores
    assert_reconciled(config)
