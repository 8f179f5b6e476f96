"""`view`: copies of the logs with all verdicts as scores, and inspect's viewer on them."""

import json
import math
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.scorer import Score

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.store import open_store
from tests.commands import Command, wait_until
from tests.model_server import Request
from tests.studies import write_study

from .conftest import HasRun, Serve
from .looking import results_dir, rows

ITEMS, REPLICATIONS = 3, 2


def declare(folder: Path, output_dir: str | None = None, **extra: Any) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        items=ITEMS,
        replications=REPLICATIONS,
        extra={"cache": False, **extra, **({"output_dir": output_dir} if output_dir else {})},
    )


def some_without_a_verdict(request: Request) -> str | None:
    """The judge leaves its score out for one item."""
    asked_of_judge = request.model.startswith("judge") and "2 + 2" in request.prompt
    return "I cannot say." if asked_of_judge else None


def copies(config: Path) -> dict[str, EvalLog]:
    """The copies by their place below the folder."""
    backend = open_store(load_study(config)).backend
    found = backend.list("export/scored_logs")
    return {key: read_eval_log(str(backend.local_copy(key))) for key in found}


def scores_of(logs: dict[str, EvalLog]) -> dict[tuple[str, int, str], Score]:
    return {
        (str(sample.id), sample.epoch, name): score
        for log in logs.values()
        for sample in log.samples or []
        for name, score in (sample.scores or {}).items()
    }


def assert_as_stored(config: Path) -> None:
    """Each row of gradings_long is a score of its sample, and there is no other."""
    found = scores_of(copies(config))
    stored = rows(config, "gradings_long")
    labels = load_study(config).design.labels
    assert len(found) == len(stored) == 2 * ITEMS * REPLICATIONS
    for row in stored:
        grader = labels[row["grade_condition_id"]]
        score = found[row["item_id"], row["replication"], grader]
        facts = score.metadata or {}
        assert score.answer == row["solution"]
        assert facts.get("grade_log_file") == row["grade_log_file"]
        if row["parse_ok"]:
            assert score.as_float() == row["score"] and facts["score_raw"] == row["score_raw"]
        else:
            assert math.isnan(score.as_float()) and score.reason == row["parse_error"]


@pytest.mark.parametrize("place", ["disk", pytest.param("bucket", marks=pytest.mark.long)])
def test_each_sample_has_the_verdicts_of_all_graders(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str], request: Any, place: str
) -> None:
    serve(reply=some_without_a_verdict)
    location = request.getfixturevalue("s3_location") if place == "bucket" else None
    config = declare(tmp_path, location)
    api.run(config, max_usd=math.inf)
    capsys.readouterr()
    backend = open_store(load_study(config)).backend
    raw = {key: backend.read(key) for key in backend.list("logs")}
    assert run_cli(["view", str(config), "--only-write", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["logs"], told["written"]) == (1, 1)
    assert told["folder"] == backend.uri("export/scored_logs")
    assert_as_stored(config)
    assert {key: backend.read(key) for key in raw} == raw
    [copy] = copies(config).values()
    assert copy.results
    by_grader = {score.name: score for score in copy.results.scores}
    judge = by_grader["judge · strict"]
    assert (judge.scored_samples, judge.unscored_samples) == (4, 2)
    scores = [row["score"] for row in rows(config, "gradings_long") if row["grader_name"]]
    known = [score for score in scores if score is not None and not math.isnan(score)]
    assert judge.metrics["mean"].value == pytest.approx(sum(known) / len(known))
    # Nothing has changed: nothing is written, and a run has nothing to do.
    assert run_cli(["view", str(config), "--only-write"]) == 0
    assert "1 log with scores, 0 of them written now" in capsys.readouterr().out
    assert not api.run(config).run_ids
    # Other verdicts on the same answers, and then other answers: the copy of the old ones goes.
    api.run(config, only="gradings", force=True, max_usd=math.inf)
    assert api.scored_logs(config).written == 1
    assert_as_stored(config)
    before = set(copies(config))
    api.run(config, force=True, max_usd=math.inf)
    found = api.scored_logs(config)
    assert (found.logs, found.written) == (1, 1)
    assert before.isdisjoint(copies(config))
    assert_as_stored(config)


def test_what_cannot_be_shown_is_told(
    tmp_path: Path, serve: Serve, has_run: HasRun, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    assert run_cli(["view", str(declare(tmp_path))]) == 2
    assert "nothing is graded yet: itemeval-assets run" in capsys.readouterr().err
    config = has_run("graded", declare)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run_cli(["view", str(config), "--port", str(port)]) == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err
    assert run_cli(["view", str(config), "--json"]) == 2
    assert "--json needs --only-write" in capsys.readouterr().err
    [copy] = results_dir(config).glob("export/scored_logs/generate/*/*.eval")
    copy.write_bytes(b"x")
    assert api.scored_logs(config).written == 1
    assert_as_stored(config)
    [log] = results_dir(config).glob("logs/generate/*/*.eval")
    log.unlink()
    copy.unlink()
    for asked in ([], ["--json"]):
        assert run_cli(["view", str(config), "--only-write", *asked]) == 2
        assert str(log) in capsys.readouterr().err


STOPS = [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]


@pytest.mark.parametrize("stop", STOPS)
def test_the_viewer_serves_until_a_signal(
    tmp_path: Path, serve: Serve, has_run: HasRun, stop: int
) -> None:
    serve()
    config = has_run("graded", declare)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    output = tmp_path / "said.txt"
    viewer = Command("view", config, "--port", str(port), output=output)
    viewer.wait_until(lambda: _answers(port))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/logs") as reply:
        assert [Path(log["name"]).suffix for log in json.load(reply)["files"]] == [".eval"]
    viewer.send_signal(stop)
    assert viewer.wait() == 0
    assert "Traceback" not in output.read_text()


def test_of_two_viewers_at_once_one_is_refused_and_nobody_is_ended(
    tmp_path: Path, serve: Serve, has_run: HasRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor the process whose number inspect has noted for the port."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    serve()
    config = has_run("graded", declare)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    noted = tmp_path / "data" / "inspect_ai" / "view" / "ports" / str(port)
    noted.parent.mkdir(parents=True)
    noted.write_text(str(bystander.pid))
    outputs = [tmp_path / f"said{number}.txt" for number in range(2)]
    viewers = [Command("view", config, "--port", str(port), output=output) for output in outputs]
    wait_until(lambda: any(viewer.poll() is not None for viewer in viewers))
    [refused] = [number for number, viewer in enumerate(viewers) if viewer.poll() is not None]
    assert viewers[refused].wait() == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in outputs[refused].read_text()
    other = viewers[1 - refused]
    other.wait_until(lambda: _answers(port))
    other.send_signal(signal.SIGINT)
    assert other.wait() == 0
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/logs").close()
    except OSError:
        return False
    return True
