"""A study that is run again: what is done stays done, and only what is new is called."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.model_server import Behaviour, Request
from tests.studies import write_study

from .conftest import Serve
from .looking import Row, assert_reconciled, cells, judge_calls, results_dir, rows, write_prices

ITEMS = 3


def declare(folder: Path, **changes: Any) -> Path:
    """The study of this module with some changes; nothing is cached but in its tables."""
    given = {
        "models": ["openai-api/test/m"],
        "graders": ["openai-api/test/judge"],
        "items": ITEMS,
        "extra": {
            "cache": False,
            "budget": {"pricing_path": write_prices(folder, "m", "judge", "judge-2")},
        },
    }
    return write_study(folder, **{**given, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, serve_module: Serve) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    serve_module()
    api.run(declare(folder))
    return folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the folder of the finished study, for one test to change."""
    return shutil.copytree(finished, tmp_path / "copy")


def test_a_second_run_calls_nobody_and_says_so(
    copy: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(copy)
    before = rows(config, "gradings_long")
    assert run_cli(["run", str(config)]) == 0
    assert server.count() == 0
    assert "no model was called" in capsys.readouterr().out
    assert rows(config, "gradings_long") == before


def test_one_more_replication_calls_the_new_cells_only(copy: Path, serve: Serve) -> None:
    server = serve()
    config = declare(copy, replications=2)
    api.run(config)
    assert _calls(server.requests) == (ITEMS, ITEMS)
    expected = {(f"q{number}", epoch) for number in (1, 2, 3) for epoch in (1, 2)}
    assert cells(rows(config, "solutions")) == expected
    assert len(rows(config, "gradings_long")) == 2 * len(expected)
    assert_reconciled(config)


def test_a_second_judge_generates_nothing(copy: Path, serve: Serve) -> None:
    server = serve()
    config = declare(copy, graders=["openai-api/test/judge", "openai-api/test/judge-2"])
    solutions = rows(config, "solutions")
    api.run(config)
    assert [request.model for request in server.requests] == ["judge-2"] * ITEMS
    assert rows(config, "solutions") == solutions
    assert len(rows(config, "gradings_long")) == 3 * ITEMS


def test_an_edited_prompt_is_a_new_condition_and_the_old_rows_stay(
    copy: Path, serve: Serve
) -> None:
    server = serve()
    config = declare(copy)
    old = rows(config, "gradings_long")
    (copy / "prompts" / "solver" / "short.md").write_text("Be brief.\n\n{input}\n")
    summary = api.run(config)
    assert _calls(server.requests) == (ITEMS, ITEMS)
    assert all(r.prompt.startswith("Be brief.") for r in server.requests if r.model == "m")
    long = rows(config, "gradings_long")
    assert len(long) == 2 * len(old)
    assert all(row in long for row in old)
    left_over = {row["gen_condition_id"] for row in old}
    assert {part.partition[0] for part in summary.status.not_in_design} == left_over
    assert len(pd.read_parquet(summary.export.paths["export/gradings_long.parquet"])) == len(long)


def test_one_lost_epoch_is_one_call(copy: Path, serve: Serve) -> None:
    server = serve()
    config = declare(copy, replications=2)
    api.run(config)
    path = next((results_dir(config) / "solutions.parquet").glob("*.parquet"))
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    frame[(frame["item_id"] != "q2") | (frame["epoch"] != 1)].to_parquet(path)
    server.reset_counts()
    api.run(config, only="solutions")
    assert _calls(server.requests) == (1, 0)
    assert len(rows(config, "solutions")) == 2 * ITEMS
    assert_reconciled(config)


def test_a_deleted_partition_is_rebuilt_from_its_logs(copy: Path, serve: Serve) -> None:
    server = serve()
    config = declare(copy)
    solutions, judged = rows(config, "solutions"), _judged(config)
    for table in ("solutions", "gradings"):
        for path in (results_dir(config) / f"{table}.parquet").rglob("*.parquet"):
            path.unlink()
    api.run(config)
    assert server.count() == 0
    assert rows(config, "solutions") == solutions
    assert _judged(config) == judged
    assert_reconciled(config)


@pytest.mark.long
def test_after_the_dev_policy_the_rest_is_called(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = declare(tmp_path, policy="dev")
    api.run(config)
    assert _calls(server.requests) == (2, 2)
    assert cells(rows(config, "solutions")) == {("q1", 1), ("q2", 1)}
    server.reset_counts()
    api.run(config, policy="full-interactive")
    assert _calls(server.requests) == (1, 1)
    assert "What is 3 + 3?" in server.requests[0].prompt
    assert len(rows(config, "gradings_long")) == 2 * ITEMS
    assert_reconciled(config)


def test_force_calls_all_again_and_the_ledger_keeps_both(copy: Path, serve: Serve) -> None:
    server = serve()
    config = declare(copy)
    before = rows(config, "solutions") + rows(config, "gradings")
    assert run_cli(["run", str(config), "--force"]) == 0
    assert _calls(server.requests) == (ITEMS, ITEMS)
    after = rows(config, "solutions") + rows(config, "gradings")
    assert not {row["run_id"] for row in after} & {row["run_id"] for row in before}
    paid = {row["sample_uuid"]: row["usd"] for row in before if row["sample_uuid"]}
    assert {row["sample_uuid"]: row["usd"] for row in rows(config, "replaced")} == paid
    assert_reconciled(config)


def test_a_failed_forced_run_keeps_the_answers_and_the_money(copy: Path, serve: Serve) -> None:
    server = serve(models={"m": Behaviour(permanent=1.0)})
    config = declare(copy)
    before = rows(config, "solutions")
    api.run(config, force=True, only="solutions")
    assert server.count("m") == ITEMS
    assert rows(config, "solutions") == before
    assert_reconciled(config)
    server.models = {}
    api.run(config, force=True, only="solutions")
    assert server.count("m") == 2 * ITEMS
    assert not cells(rows(config, "replaced")) - cells(before)
    assert_reconciled(config)


def test_gradings_of_changed_solutions_are_done_again(copy: Path, serve: Serve) -> None:
    def reply(request: Request) -> str | None:
        # q1 gets its old answer, the others a new one.
        is_other = request.model == "m" and "1 + 1" not in request.prompt
        return "On second thoughts.\nANSWER: 4" if is_other else None

    server = serve(reply=reply)
    config = declare(copy)
    old = {(row["grade_kind"], row["item_id"]): row for row in rows(config, "gradings")}
    api.run(config, only="solutions", force=True)
    server.reset_counts()
    stale = sum(part.stale for part in api.status(config).grade)
    assert stale == 4  # two cells, by a judge and by a scorer
    api.run(config)
    assert _calls(server.requests) == (0, 2)
    for row in rows(config, "gradings"):
        before = old[row["grade_kind"], row["item_id"]]
        assert (row == before) == (row["item_id"] == "q1")
    for row in rows(config, "gradings_long"):
        assert row["grade_kind"] == "judge" or row["score"] == float(row["item_id"] == "q2")
    assert_reconciled(config)


@pytest.mark.parametrize(
    ("on_empty", "graded", "called_later"),
    [
        ("skip", 1, (0, 0)),
        ("rerun", 1, (1, 1)),
        pytest.param("grade", 2, (0, 0), marks=pytest.mark.long),
    ],
)
def test_blank_answers_follow_on_empty(
    tmp_path: Path, serve: Serve, on_empty: str, graded: int, called_later: tuple[int, int]
) -> None:
    def reply(request: Request) -> str | None:
        return "  \n" if request.model == "m" and "1 + 1" in request.prompt else None

    server = serve(reply=reply)
    # With the cache on: a blank answer out of the cache would stay blank for ever.
    config = declare(tmp_path, items=2, scorer=None, solvers={"on_empty": on_empty}, extra={})
    api.run(config)
    assert _calls(server.requests) == (2, graded)
    blank = [row for row in rows(config, "solutions") if row["item_id"] == "q1"]
    assert [(row["solution"], row["error"]) for row in blank] == [(None, None)]
    server.reset_counts()
    server.reply = None
    api.run(config)
    assert _calls(server.requests) == called_later


def _judged(config: Path) -> list[Row]:
    return [row for row in rows(config, "gradings") if row["grade_kind"] == "judge"]


def _calls(requests: list[Request]) -> tuple[int, int]:
    """(solver calls, judge calls)."""
    return len(requests) - judge_calls(requests), judge_calls(requests)
