"""Items that changed, and are accepted: theirs is made again, and all else stays."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConsentMissing, DatasetError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.items import changed_items, loading
from tests.commands import Command, processes_in, wait_until
from tests.defs.runs import message, runs_of
from tests.model_server import Behaviour, ModelServer, Request
from tests.studies import write_study

from .conftest import HasRun, Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

Row = dict[str, Any]
SERVED = "openai-api/test/"


def declare(folder: Path, *, replications: int = 2, **extra: Any) -> Path:
    """Four sums, two models, a scorer and a judge."""
    prices = write_prices(folder, "alpha", "beta", "judge")
    return write_study(
        folder,
        models=[f"{SERVED}alpha", f"{SERVED}beta"],
        graders=[f"{SERVED}judge"],
        replications=replications,
        extra={"budget": {"pricing_path": prices, "confirm_above_usd": 100.0}, **extra},
    )


def change(config: Path, **by_id: Row) -> None:
    """Write other values into some items."""
    path = config.parent / "items.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()]
    found = [{**row, **by_id.get(row["id"], {})} for row in found]
    path.write_text("".join(json.dumps(row) + "\n" for row in found))


def asked(server: ModelServer, since: int) -> list[tuple[bool, str]]:
    """(whether a judge, item) of each request."""

    def item(request: Request) -> str:
        return next(f"q{n}" for n in (1, 2, 3, 4, 9) if f"{n} + {n}" in request.prompt)

    return sorted((one.model == "judge", item(one)) for one in server.requests[since:])


def kept(config: Path, table: str, ids: set[str]) -> list[Row]:
    return [row for row in rows(config, table) if row["item_id"] in ids]


@pytest.mark.parametrize(
    ("in_bucket", "workers"),
    [
        (True, 2),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in ((False, 1), (True, 1), (False, 2))
        ),
    ],
)
def test_only_what_changed_is_made_again(
    tmp_path: Path, serve: Serve, in_bucket: bool, workers: int, request: pytest.FixtureRequest
) -> None:
    server = serve()
    place = {"output_dir": request.getfixturevalue("s3_location")} if in_bucket else {}
    config = declare(tmp_path, **place)
    api.run(config, max_usd=math.inf)
    others = {table: kept(config, table, {"q1", "q3", "q4"}) for table in ("solutions", "gradings")}
    change(config, q2={"question": "What is 9 + 9?", "answer": 18})
    with pytest.raises(DatasetError, match="1 item with answers or gradings changed: 'q2'"):
        api.run(config, workers=workers, max_usd=math.inf)
    since = len(server.requests)
    projected = api.estimate(config, accept_changes=True)
    assert (projected.remaining.calls, projected.changed) == (8, ["q2"])
    assert len(server.requests) == since
    assert len(kept(config, "solutions", {"q2"})) == 4
    done = api.run(config, accept_changes=True, workers=workers, max_usd=math.inf)
    assert done.calls == 8
    assert asked(server, since) == [(False, "q9")] * 4 + [(True, "q9")] * 4
    assert "1 item changed, and what there was of them was made again: 'q2'" in done.notes
    for table, before in others.items():
        assert kept(config, table, {"q1", "q3", "q4"}) == before
    assert len(kept(config, "solutions", {"q2"})) == 4
    assert len(kept(config, "gradings_long", {"q2"})) == 8
    assert_reconciled(config)
    for again in (False, True):
        assert api.run(config, accept_changes=again, max_usd=math.inf).calls == 0
    assert len(server.requests) == since + 8


@pytest.mark.long
def test_another_target_is_graded_again_and_not_asked(serve: Serve, has_run: HasRun) -> None:
    server = serve()
    config = has_run("one_replication", partial(declare, replications=1))
    solutions = rows(config, "solutions")
    change(config, q2={"answer": 5}, q3={"topic": "words"})
    since = len(server.requests)
    assert api.run(config, accept_changes=True, max_usd=math.inf).calls == 4
    # The rubric shows the target, and the topic.
    assert asked(server, since) == [(True, "q2")] * 2 + [(True, "q3")] * 2
    assert rows(config, "solutions") == solutions
    assert_reconciled(config)


@pytest.mark.long
def test_new_data_of_which_no_item_changed_are_accepted_too(serve: Serve, has_run: HasRun) -> None:
    serve()
    config = has_run("one_replication", partial(declare, replications=1))
    text = (config.parent / "items.jsonl").read_text()
    more = {"id": "q9", "question": "9 + 9?", "answer": 18, "scheme": "", "topic": "sums"}
    (config.parent / "items.jsonl").write_text(text + json.dumps(more) + "\n")
    with pytest.raises(DatasetError, match="No item that has answers or gradings is another one"):
        api.run(config, max_usd=math.inf)
    assert api.run(config, accept_changes=True, max_usd=math.inf).calls == 4
    assert_reconciled(config)


@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        ({"question": "What is 9 + 9?", "answer": 18}, 4),
        pytest.param({}, 0, marks=pytest.mark.long),
        pytest.param({"answer": 5}, 2, marks=pytest.mark.long),
    ],
)
def test_an_item_that_leaves_and_comes_back(
    serve: Serve, has_run: HasRun, changed: Row, calls: int
) -> None:
    """As it was its rows count again; with other words they are of another item."""
    server = serve()
    config = has_run("one_replication", partial(declare, replications=1))
    data = config.parent / "items.jsonl"
    before = {table: kept(config, table, {"q2"}) for table in ("solutions", "gradings")}
    whole = data.read_text()
    data.write_text("".join(line for line in whole.splitlines(True) if '"q2"' not in line))
    since = len(server.requests)
    assert api.run(config, accept_changes=True, max_usd=math.inf).calls == 0
    assert kept(config, "items", {"q2"}) == []
    data.write_text(whole)
    change(config, q2=changed)
    with pytest.raises(DatasetError, match="changed: 'q2'" if changed else "is another one"):
        api.run(config, max_usd=math.inf)
    assert api.estimate(config, accept_changes=True).changed == (["q2"] if changed else [])
    assert api.run(config, accept_changes=True, max_usd=math.inf).calls == calls
    assert len(server.requests) == since + calls
    after = {table: kept(config, table, {"q2"}) for table in before}
    assert (after["solutions"] == before["solutions"]) == (calls < 4)
    assert (after["gradings"] == before["gradings"]) == (calls == 0)
    assert_reconciled(config)
    assert api.run(config, max_usd=math.inf).calls == 0


def test_nothing_is_withdrawn_whose_calls_are_not_allowed(serve: Serve, has_run: HasRun) -> None:
    server = serve()
    config = has_run("one_replication", partial(declare, replications=1))
    before = {table: rows(config, table) for table in ("items", "solutions", "gradings")}
    change(config, q2={"question": "What is 9 + 9?"})
    locks, since = (results_dir(config) / "dataset_locks.json").read_bytes(), len(server.requests)
    with pytest.raises(ConsentMissing):
        api.run(config, accept_changes=True, max_usd=0)
    assert before == {table: rows(config, table) for table in before}
    assert (results_dir(config) / "dataset_locks.json").read_bytes() == locks
    assert len(server.requests) == since


class Killed(BaseException):
    """What no step handles."""


def killed_in_the_middle(calls: int) -> Callable[..., None]:
    """Withdraws as the real one, and is killed after some partitions."""

    def withdraw(study: Any, store: Any, outdated: Any, *rest: Any) -> None:
        some = dict(list(outdated.items())[:calls])
        changed_items.withdraw(study, store, some, *rest)
        raise Killed

    return withdraw


@pytest.mark.parametrize(
    ("partitions", "again"),
    [
        (1, True),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in ((0, False), (5, False), (0, True), (1, False), (5, True))
        ),
    ],
)
def test_a_run_that_is_killed_while_it_accepts_is_gone_on_with(
    serve: Serve,
    has_run: HasRun,
    monkeypatch: pytest.MonkeyPatch,
    partitions: int,
    again: bool,
) -> None:
    server = serve()
    config = has_run("one_replication", partial(declare, replications=1))
    change(config, q2={"question": "What is 9 + 9?", "answer": 18})
    since = len(server.requests)
    with monkeypatch.context() as patched:
        patched.setattr(loading, "withdraw", killed_in_the_middle(partitions))
        with pytest.raises(BaseException):  # noqa: B017
            api.run(config, accept_changes=True, max_usd=math.inf)
    assert len(server.requests) == since
    assert api.run(config, accept_changes=again, max_usd=math.inf).calls == 4
    assert asked(server, since) == [(False, "q9")] * 2 + [(True, "q9")] * 2
    assert_reconciled(config)


def test_the_command_line(
    serve: Serve, has_run: HasRun, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    config = has_run("one_replication", partial(declare, replications=1))
    change(config, q2={"question": "What is 9 + 9?"}, q4={"question": "9 + 9?"})
    for command in ("run", "estimate"):
        capsys.readouterr()
        assert run_cli([command, str(config), "--json"]) == 2
        told = json.loads(capsys.readouterr().out)["message"]
        assert "2 items with answers or gradings changed: 'q2', 'q4'." in told
        assert "To accept the change: --accept-changes." in told
    assert run_cli(["estimate", str(config), "--accept-changes"]) == 0
    shown = capsys.readouterr().out
    assert "2 items changed, and what there is of them is made again: 'q2', 'q4'." in shown
    assert run_cli(["run", str(config), "--accept-changes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 8


@pytest.mark.long
def test_a_launch_by_dagster_accepts_what_its_config_says(serve: Serve, has_run: HasRun) -> None:
    serve()
    config = has_run("one_replication", partial(declare, replications=1))
    change(config, q2={"question": "What is 9 + 9?"})
    with runs_of(load_study(config)) as runs:
        assert "changed: 'q2'" in message(runs.run(["items"]))
        result = runs.run(["items"], config={"accept_changes": True})
    assert result.success
    assert not kept(config, "solutions", {"q2"})
    assert api.run(config, max_usd=math.inf).calls == 4
    assert_reconciled(config)


def test_what_a_killed_run_has_logged_is_of_the_items_as_they_were(
    serve: Serve, has_run: HasRun
) -> None:
    server = serve()
    config = has_run("one_replication", partial(declare, replications=1))
    others = kept(config, "solutions", {"q1", "q3", "q4"})
    for file in (results_dir(config) / "solutions.parquet").iterdir():
        file.unlink()  # as a run leaves it that is killed before it has stored its rows
    change(config, q2={"question": "What is 9 + 9?", "answer": 18})
    with runs_of(load_study(config)) as runs:
        refused = runs.run(["items"], config={"accept_changes": True})
    assert "a killed run left answers in its logs" in message(refused)
    since = len(server.requests)
    done = api.run(config, accept_changes=True, max_usd=math.inf)
    assert (done.calls, done.recovered) == (4, 8)
    assert asked(server, since) == [(False, "q9")] * 2 + [(True, "q9")] * 2
    assert kept(config, "solutions", {"q1", "q3", "q4"}) == others
    assert_reconciled(config)


@pytest.mark.parametrize("way", ["run", "recover first", "by Dagster"])
def test_answers_of_a_killed_run_never_stand_under_other_items(
    serve: Serve, has_run: HasRun, way: str
) -> None:
    """Also where the pins of the data are gone, so that the data of today are taken."""
    server = serve()
    config = has_run("one_replication", partial(declare, replications=1))
    before = rows(config, "items")
    for file in (results_dir(config) / "solutions.parquet").iterdir():
        file.unlink()
    (results_dir(config) / "dataset_locks.json").unlink()
    change(config, q2={"question": "What is 9 + 9?", "answer": 18})
    since = len(server.requests)
    if way == "by Dagster":
        with runs_of(load_study(config)) as runs:
            told = message(runs.run(["items"]))
        assert "a killed run left answers in its logs" in told and "recover" in told
    if way == "recover first":
        assert api.recover(config).recovered == 8
        assert rows(config, "items") == before
    with pytest.raises(DatasetError, match="'q2'"):
        api.run(config, max_usd=math.inf)
    assert len(server.requests) == since
    assert rows(config, "items") == before
    assert len(rows(config, "solutions")) == 8


@pytest.mark.parametrize(
    ("in_bucket", "workers"),
    [(False, 2), *(pytest.param(True, n, marks=pytest.mark.long) for n in (1, 2))],
)
def test_answers_are_read_back_after_a_real_kill_before_their_items_change(
    tmp_path: Path,
    serve: Serve,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    in_bucket: bool,
    workers: int,
) -> None:
    place = {"output_dir": request.getfixturevalue("s3_location")} if in_bucket else {}
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, replications=1, solvers={"max_connections": 2}, **place)
    process = Command("run", config, "--yes", "--workers", str(workers), folder=tmp_path)
    process.wait_until(lambda: sum(one.delivered for one in server.requests) >= 4)
    process.kill()
    process.wait()
    # Workers see that nobody listens, and keep what they were waiting for.
    wait_until(lambda: not processes_in(tmp_path))
    change(config, q2={"question": "What is 9 + 9?", "answer": 18})
    since = len(server.requests)
    capsys.readouterr()
    again = ["--accept-changes", "--yes", "--workers", str(workers), "--json"]
    code, said = run_cli(["run", str(config), *again]), capsys.readouterr()
    assert code == 0, said
    told = json.loads(said.out)
    assert told["recovered"] >= 2
    assert sorted(row["item_id"] for row in rows(config, "solutions")) == sorted(
        2 * ["q1", "q2", "q3", "q4"]
    )
    assert [item for by_judge, item in asked(server, since) if not by_judge].count("q9") == 2
    assert api.run(config, max_usd=math.inf).calls == 0
    assert_reconciled(config)


@pytest.mark.long
def test_another_image_is_another_item(tmp_path: Path, serve: Serve) -> None:
    serve()
    dots = [b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", b"GIF89a\x02\x00\x01\x00\x00\x00\x00;"]
    (tmp_path / "dot.gif").write_bytes(dots[0])
    config = declare(tmp_path, replications=1, benchmark={"mapping": {"images": "picture"}})
    change(config, **{f"q{n}": {"picture": "dot.gif"} for n in (1, 2, 3, 4)})
    (tmp_path / "other.gif").write_bytes(dots[0])
    change(config, q2={"picture": "other.gif"})
    api.run(config, max_usd=math.inf)
    (tmp_path / "other.gif").write_bytes(dots[1])
    with pytest.raises(DatasetError, match="an image of item 'q2'"):
        api.run(config, max_usd=math.inf, force=True)
    assert api.estimate(config, accept_changes=True).changed == ["q2"]
    # The server answers as before, and no judge is shown an image.
    assert api.run(config, accept_changes=True, max_usd=math.inf).calls == 2
    assert_reconciled(config)
