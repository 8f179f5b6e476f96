"""A finished study: its tables, and the way from every number back to its evidence."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.runs.summary import RunSummary
from tests.model_server import Behaviour, Request, usual_content
from tests.studies import write_study

from .conftest import Serve
from .looking import (
    PRICE,
    Row,
    assert_reconciled,
    mirrored_long_table,
    read_log,
    results_dir,
    rows,
    write_prices,
)

pytestmark = pytest.mark.shown

SOLVERS = ("zebra", "okapi")
LONG_COLUMNS = [
    "study",
    "item_id",
    "dataset_id",
    "dataset_revision",
    "model",
    "prompt_name",
    "prompt_hash",
    "model_config_name",
    "replication",
    "gen_condition_id",
    "gen_condition_slug",
    "grade_condition_id",
    "grade_condition_slug",
    "grade_kind",
    "grader_name",
    "grader_model",
    "rubric_name",
    "rubric_hash",
    "scorer_name",
    "score",
    "score_raw",
    "parse_ok",
    "parse_error",
    "reasoning",
    "solution",
    "judge_completion",
    "temperature_requested",
    "temperature_effective",
    "reasoning_effort",
    "gen_input_tokens",
    "gen_output_tokens",
    "gen_total_tokens",
    "gen_reasoning_tokens",
    "gen_usd",
    "gen_latency_s",
    "grade_input_tokens",
    "grade_output_tokens",
    "grade_total_tokens",
    "grade_usd",
    "grade_latency_s",
    "gen_run_id",
    "grade_run_id",
    "gen_log_file",
    "grade_log_file",
    "created_at",
]


class Finished(NamedTuple):
    config: Path
    folder: Path
    dagster_home: str
    summary: RunSummary
    requests: list[Request]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, serve_module: Serve) -> Finished:
    """Two models x two prompts x two items, graded by a judge and a scorer."""
    folder = tmp_path_factory.mktemp("finished")
    server = serve_module(Behaviour(cached_tokens=5, reasoning_tokens=3))
    config = write_study(
        folder,
        models=[f"openai-api/test/{name}" for name in SOLVERS],
        prompts=["short", "long"],
        graders=["openai-api/test/judge"],
        items=2,
        solvers={"temperature": 0.3, "top_p": 0.9, "max_tokens": 100, "seed": 7},
        extra={"budget": {"pricing_path": write_prices(folder, *SOLVERS, "judge")}},
    )
    home = os.environ["DAGSTER_HOME"]
    return Finished(config, results_dir(config), home, api.run(config), server.requests)


def test_every_table_has_its_rows_and_keys(finished: Finished) -> None:
    keys = {
        "items": (2, ["item_id", "dataset_id"]),
        "solutions": (8, ["condition_id", "item_id", "epoch"]),
        "gradings": (16, ["grade_condition_id", "gen_condition_id", "item_id", "epoch"]),
        "gradings_long": (
            16,
            ["grade_condition_id", "gen_condition_id", "item_id", "replication"],
        ),
        "log_index": (8, ["log_file"]),
        "bookings": (12, ["run_id", "stage", "condition_id", "gen_condition_id", "model"]),
        "ledger": (6, ["run_id", "stage", "condition_id", "model"]),
    }
    for table, (count, key) in keys.items():
        frame = pd.read_parquet(finished.folder / f"{table}.parquet")
        assert len(frame) == count, table
        assert not frame.duplicated(key).any(), table
    assert len(finished.requests) == finished.summary.calls == 16
    assert finished.summary.errored == 0
    assert finished.summary.failed_checks == []


def test_the_long_table_has_its_45_columns_and_a_csv_mirror(finished: Finished) -> None:
    assert list(mirrored_long_table(finished.folder).columns) == LONG_COLUMNS
    ledger = pd.read_csv(finished.folder / "export" / "ledger.csv")
    # One row for a judge or scorer of several solvers: the key has no generate condition.
    assert not ledger.duplicated(["run_id", "stage", "condition_id", "model"]).any()
    assert ledger["usd"].sum() == pytest.approx(finished.summary.usd)


def test_rows_lead_to_the_log_the_run_and_the_template(finished: Finished) -> None:
    project = finished.config.parent
    templates = {
        name: _hash(project / "prompts" / "solver" / f"{name}.md") for name in ("short", "long")
    }
    run_ids = set()
    for row in rows(finished.config, "gradings_long"):
        assert row["prompt_hash"] == templates[row["prompt_name"]]
        assert row["solution"] in _logged_answers(finished, row["gen_log_file"], row["gen_run_id"])
        run_ids |= {row["gen_run_id"], row["grade_run_id"]}
        if row["grade_kind"] == "judge":
            assert row["rubric_hash"] == _hash(project / "rubrics" / "strict.md")
            answers = _logged_answers(finished, row["grade_log_file"], row["grade_run_id"])
            assert row["judge_completion"] in answers
    with dg.DagsterInstance.from_config(finished.dagster_home) as instance:
        for run_id in run_ids:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            assert run.is_success


def test_manifests_name_templates_and_hold_no_secret(finished: Finished) -> None:
    long = rows(finished.config, "gradings_long")
    hashes = {row["prompt_hash"] for row in long}
    for run_id in {row[name] for row in long for name in ("gen_run_id", "grade_run_id")}:
        text = (finished.folder / "manifests" / f"{run_id}.json").read_text()
        manifest = json.loads(text)
        assert manifest["run_id"] == run_id
        assert {entry["sha256"][:12] for entry in manifest["solver_templates"]} == hashes
        assert "sk-of-the-test" not in text


def test_tokens_are_those_that_the_server_counted(finished: Finished) -> None:
    expected = Counter(
        (request.model, len(request.prompt) // 4 + 1, _completion_tokens(request))
        for request in finished.requests
    )
    counted: Counter[tuple[str, int, int]] = Counter()
    paid = [(row["model"], row) for row in rows(finished.config, "solutions")]
    paid += [(row["grader_model"], row) for row in rows(finished.config, "gradings")]
    for model, row in paid:
        if model is not None:
            assert row["cache_read_tokens"] == 5
            assert row["reasoning_tokens"] == 3
            prompt_tokens = row["input_tokens"] + row["cache_read_tokens"]
            assert row["total_tokens"] == prompt_tokens + row["output_tokens"]
            counted[model.rsplit("/")[-1], prompt_tokens, row["output_tokens"]] += 1
    assert counted == expected


def test_dollars_follow_the_price_file_and_the_ledger_reconciles(finished: Finished) -> None:
    solutions, gradings = rows(finished.config, "solutions"), rows(finished.config, "gradings")
    judged = [row for row in gradings if row["grade_kind"] == "judge"]
    for row in [*solutions, *judged]:
        assert row["usd"] == pytest.approx(_usd(row))
    assert {row["usd"] for row in gradings if row["grade_kind"] == "verifiable"} == {0.0}
    assert_reconciled(finished.config)
    total = sum(_usd(row) for row in [*solutions, *judged])
    assert finished.summary.usd == pytest.approx(total)
    assert finished.summary.unpriced == []


def test_effective_settings_are_those_sent(finished: Finished) -> None:
    for row in rows(finished.config, "solutions"):
        assert row["temperature_requested"] == row["temperature_effective"] == 0.3
        assert row["top_p_requested"] == row["top_p_effective"] == 0.9
        assert row["max_tokens_requested"] == row["max_tokens_effective"] == 100
        assert row["seed_requested"] == 7
    sent = {(request.model, request.temperature) for request in finished.requests}
    assert sent == {("zebra", 0.3), ("okapi", 0.3), ("judge", 0.0)}


def test_a_judge_never_learns_which_model_answered(finished: Finished) -> None:
    shown = [request.prompt for request in finished.requests if request.model == "judge"]
    assert len(shown) == 8
    for prompt in shown:
        assert not any(name in prompt for name in (*SOLVERS, "openai-api"))


def test_a_structured_judge_is_sent_the_schema_and_is_another_condition(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    ids = []
    for structured in (False, True):
        judge = {"model": "openai-api/test/judge", "structured": structured}
        config = write_study(
            tmp_path,
            models=["openai-api/test/m"],
            graders=["judge"],
            scorer=None,
            items=2,
            extra={"graders": {"judge": judge}},
        )
        server.reset_counts()
        api.run(config)
        judged = [request for request in server.requests if request.model == "judge"]
        assert [request.has_response_format for request in judged] == [structured] * 2
        ids.append(api.status(config).grade[0].partition)
    assert ids[0] != ids[1]
    assert [row["parse_ok"] for row in rows(config, "gradings")] == [True] * 4


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _logged_answers(finished: Finished, log_file: str, run_id: str) -> list[str]:
    log = read_log(finished.folder / log_file)
    assert (log.eval.metadata or {})["run_id"] == run_id
    return [sample.output.completion for sample in log.samples or []]


def _completion_tokens(request: Request) -> int:
    return len(usual_content(request)) // 4 + 3


def _usd(row: Row) -> float:
    rates = {
        "input_tokens": PRICE["input_usd_per_mtok"],
        "output_tokens": PRICE["output_usd_per_mtok"],
        "cache_read_tokens": PRICE["cache_read_usd_per_mtok"],
    }
    return sum(row[name] * rate for name, rate in rates.items()) / 1e6
