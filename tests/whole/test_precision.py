"""Runs with `precision`: tranches until the target, the sample's end or the money is reached."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing, Stopped
from itemeval_assets.core.records.precision import PrecisionLook
from itemeval_assets.report.screens.money import study_estimate
from itemeval_assets.runs import precise
from itemeval_assets.stages.views.status import StudyStatus
from itemeval_assets.storage.study.inputs.tranches import keep_tranche
from itemeval_assets.storage.study.layout import PRECISION
from itemeval_assets.storage.study.store import open_store
from tests.commands import Command, processes_in, wait_until
from tests.model_server import Answer, Behaviour, Request, error_answer
from tests.studies import merged, write_study

from .conftest import Serve
from .looking import assert_reconciled

NARROW = {"precision": {"half_width": 0.2}}
# All of the sample does not reach it.
TOO_NARROW = {"precision": {"half_width": 0.02}}


def written(folder: Path, *extra: dict, models: tuple[str, ...] = ("mockllm/a", "mockllm/b")):
    document: dict = {"benchmark": {"sample": {"n": 60, "seed": 1}}, "cache": False}
    for one in extra:
        document = merged(document, one)
    return write_study(folder, models=models, graders=(), items=60, extra=document)


def changed(path: Path, extra: dict) -> Path:
    document = merged(yaml.safe_load(path.read_text()), extra)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def looked(found: StudyStatus) -> PrecisionLook:
    assert found.precision is not None
    return found.precision


def states(path: Path) -> dict[str, int]:
    return api.count_cells(path).states


def answered(path: Path) -> list[tuple[str, str, int]]:
    """Condition, item and epoch of each answer."""
    rows = open_store(api.load_study(path)).read("solutions").to_pylist()
    return sorted((row["condition_id"], row["item_id"], row["epoch"]) for row in rows)


def booked(path: Path) -> int:
    rows = open_store(api.load_study(path)).read("ledger").to_pylist()
    return sum(row["calls"] for row in rows if row["model"].startswith("mockllm/"))


def test_a_run_buys_until_it_is_precise_and_a_tighter_target_pays_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"precision": {"half_width": 0.5}})
    whole = api.estimate(path)
    assert whole.all_tranches and whole.all_tranches.calls == 120
    assert (whole.tranche, whole.remaining.calls) == (30, 60)
    first = api.run(path)
    assert (first.calls, first.status.tranche) == (60, 30)
    assert looked(first.status).is_reached
    assert states(path) == {"done": 60, "not_planned": 60}
    assert_estimated(changed(path, NARROW), capsys)
    before = api.status(path)
    assert (looked(before).is_reached, looked(before).half_width) == (False, None)
    assert (looked(before).n_items, looked(before).target) == (30, 0.2)
    assert "since the target or the design changed; the next run looks" in before.notes[-1]
    second = api.run(path)
    seen = looked(second.status)
    assert seen.is_reached and (seen.half_width or 1) <= 0.2 and 30 < seen.n_items < 60
    assert second.calls == 2 * (seen.n_items - 30)
    assert (second.status.tranche, second.missing, second.errored) == (seen.n_items, 0, 0)
    assert states(path) == {"done": 2 * seen.n_items, "not_planned": 120 - 2 * seen.n_items}
    card = (Path(api.release(path).uri) / "README.md").read_text()
    assert "chosen by looking (`precision`): the first 30 of the sample, then at most twice" in card
    assert f"Precision reached: {seen.n_items} of 60 items are bought; the widest" in card
    last = api.run(changed(path, TOO_NARROW))
    assert booked(path) == first.calls + second.calls + last.calls == 120
    [note] = [note for note in last.status.notes if note.startswith("Precision")]
    assert note.startswith("Precision not reached, and the sample is used up: 60 of 60 items")
    assert api.run(path).run_ids == []


def assert_estimated(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is begun is done, and more may come; not for a part of what the intervals are of."""
    study_estimate(api.estimate(path))
    said = " ".join(capsys.readouterr().out.split())
    assert "What remains of the first 30 of 60 items: 0 calls, at most $0. What" in said
    assert "What remains of all 60: 60 calls, at most $0.4930. A run buys only as many" in said
    assert "The full grid of these conditions and the first 30 of 60 items: 60 calls" in said
    study_estimate(api.estimate(path, conditions="mockllm/a"))
    assert "remains of all" not in capsys.readouterr().out


def test_money_ends_a_run_between_tranches_and_says_how_far_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, TOO_NARROW)
    at_most = api.estimate(path).remaining.usd
    with pytest.raises(ConsentMissing, match="a run that buys all makes up to 120 calls"):
        api.run(path, max_usd=at_most / 2)
    assert not (tmp_path / "studies").exists()
    with pytest.raises(ConsentMissing, match=r"^Precision not reached yet: 30 of 60") as refused:
        api.run(path, max_usd=at_most)
    assert refused.value.facts["calls_made"] == 60
    assert not (tmp_path / "studies" / "toy" / PRECISION).read_text().count('"items"')
    assert states(path) == {"done": 60, "not_planned": 60}
    with pytest.raises(BudgetExceeded, match=r"^Precision not reached yet"):
        api.run(changed(path, {"budget": {"max_usd": 0.01}}))
    changed(path, {"budget": {"max_usd": None}})
    assert api.run(path, max_usd=float("inf")).calls == 60


def test_dev_has_items_of_its_own_and_a_wave_with_anchors_is_not_cut(tmp_path: Path) -> None:
    path = written(tmp_path, {"precision": {"half_width": 0.9}}, models=("mockllm/a",))
    found = api.run(path, policy="dev")
    assert (found.calls, found.status.tranche, found.status.precision) == (2, None, None)
    run = api.run(path)
    assert looked(run.status).of == "the mean of a · short"
    wave = api.run(path, wave="later", anchors=45)
    assert wave.calls == 45
    [again] = [part for part in wave.status.generate if part.cells == 45]
    assert again.done == 45


def served(folder: Path, *extra: dict) -> Path:
    calling = {"solvers": {"max_connections": 20, "retry_on_error": 0}}
    models = ("openai-api/test/m", "openai-api/test/n")
    return written(folder, TOO_NARROW, calling, *extra, models=models)


def test_many_errors_end_it_however_many_graders_there_are(tmp_path: Path, serve: Serve) -> None:
    server = serve()

    def reply(request: Request) -> str | Answer:
        fails = request.model == "n" and re.search(r"What is \d*[05]\b", request.prompt)
        return error_answer(400, "no") if fails else "ANSWER: 4"

    server.reply = reply
    scorers = {"facets": {"scorer": ["numeric", "exact_match"]}}
    found = api.run(served(tmp_path, scorers), max_usd=float("inf"))
    assert (found.status.tranche, found.calls, found.exit_code) == (30, 60, 5)
    assert found.notes == [
        f"precision: no more items are bought, since {found.errored} of 60 answers errored"
    ]
    assert 60 * 0.05 < found.errored < (60 + 2 * 60) * 0.05


def test_what_errored_is_called_once_in_all_tranches(tmp_path: Path, serve: Serve) -> None:
    server, failed = serve(), list[str]()

    def reply(request: Request) -> str | Answer:
        if len(failed) < 2:
            failed.append(request.prompt)
            return error_answer(400, "no")
        return "ANSWER: 4"

    server.reply = reply
    path = served(tmp_path)
    found = api.run(path, max_usd=float("inf"))
    assert (found.status.tranche, found.calls, found.errored) == (60, 120, 2)
    assert len(server.requests) == 120
    assert found.failed_checks and len({*found.failed_checks}) == len(found.failed_checks)
    again = api.run(path, max_usd=float("inf"))
    assert (again.calls, again.errored, again.failed_checks) == (2, 0, [])
    assert_reconciled(path)


def keep_and_stop(*given: Any) -> None:
    keep_tranche(*given)
    raise Stopped


def test_a_run_that_is_stopped_in_a_tranche_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, {"precision": {"detect": 0.03}})
    with monkeypatch.context() as stopped:
        stopped.setattr(precise, "keep_tranche", keep_and_stop)
        with pytest.raises(Stopped):
            api.run(path)
    status = api.status(path)
    assert looked(status).target == pytest.approx(0.03 * 1.95996 / (1.95996 + 0.84162))
    assert status.tranche == 60 and "60 items are begun; a run completes them" in status.notes[-1]
    assert [part.missing for part in status.generate] == [30, 30]
    assert api.run(path).calls == 60 and booked(path) == 120


@pytest.mark.long
def test_two_workers_buy_what_one_does(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, NARROW) for name in ("one", "two"))
    assert api.run(one).calls == api.run(two, workers=2).calls
    assert answered(one) == answered(two)


@pytest.mark.long
@pytest.mark.parametrize("in_bucket", [False, True])
@pytest.mark.parametrize("calls", [1, 8, 20, 40, 59, 60, 61, 80, 100, 119])
def test_a_killed_run_pays_no_call_twice(
    tmp_path: Path,
    serve: Serve,
    request: pytest.FixtureRequest,
    calls: int,
    in_bucket: bool,
) -> None:
    server = serve(Behaviour(latency_s=0.05))
    place = {"output_dir": request.getfixturevalue("s3_location")} if in_bucket else {}
    flying = {"solvers": {"max_connections": 2}, "cache": True}
    models = ("openai-api/test/m", "openai-api/test/n")
    path = written(tmp_path, TOO_NARROW, flying, place, models=models)
    process = Command("run", path, "--yes", folder=tmp_path)
    process.wait_until(lambda: sum(one.delivered for one in server.requests) >= calls)
    process.kill()
    process.wait()
    wait_until(lambda: not processes_in(tmp_path))
    api.run(path, max_usd=float("inf"))
    assert states(path) == {"done": 120}
    # What nobody had an answer of yet is asked again: four calls may be on their way.
    assert 120 <= len(server.requests) <= 124
    assert api.run(path).calls == 0
    assert_reconciled(path)
