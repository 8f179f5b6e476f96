"""Judges by model-graded scorers of inspect_ai, in whole studies on a model server."""

import json
import math
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import inspect_ai
import pytest
import yaml
from inspect_ai.scorer import value_to_float

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.commands import Command
from tests.model_server import Behaviour, ModelServer, Request, error_answer
from tests.studies import write_study
from tests.task_files import QUESTIONS, write_task_study

from .conftest import Serve
from .looking import assert_reconciled, rows, write_prices

ITEMS = 6
JUDGE = "openai-api/test/judge"
GRADERS: dict[str, Any] = {
    "qa": {"model": JUDGE, "scorer": "model_graded_qa"},
    "fact": {
        "model": JUDGE,
        "scorer": "model_graded_fact",
        "args": {"partial_credit": True, "template": "{topic}: {question} {answer} {instructions}"},
    },
}
# The same questions, scored by inspect_ai's own scorers with the same arguments.
GRADED = QUESTIONS.replace("import includes, match", "import model_graded_fact, model_graded_qa")
GRADED = GRADED.replace(
    "scorer=[match(), includes()]",
    f"""scorer=[
            model_graded_qa(model="{JUDGE}"),
            model_graded_fact(model="{JUDGE}", **{GRADERS["fact"]["args"]}),
        ]""",
)


def reply(request: Request) -> str:
    """A judge says C, P, I, an odd grade or none, by the answer that it reads."""
    if request.model != "judge":
        return f"It is {sum(map(ord, request.prompt)) % 7}."
    grades = ["C", "P", "I", "Incorrect", "X", ""]
    return f"It may be.\nGRADE: {grades[sum(map(ord, request.prompt)) % len(grades)]}"


def declare(folder: Path, graders: Any = GRADERS, scorer: Any = None, **extra: Any) -> Path:
    """A study whose graders take no rubric."""
    config = write_study(
        folder,
        models=["openai-api/test/m"],
        graders=[*graders],
        scorer=scorer,
        items=ITEMS,
        solvers={"max_tokens": 100},
        extra={
            "benchmark": {"mapping": {"metadata": ["topic"]}},
            "graders": graders,
            "budget": {"pricing_path": write_prices(folder, "m", "judge"), "max_usd": 100},
            **extra,
        },
    )
    document = yaml.safe_load(config.read_text())
    del document["facets"]["rubric"]
    config.write_text(yaml.safe_dump(document))
    return config


def assert_paid_once(config: Path, server: ModelServer) -> None:
    """Each cell has a row, the ledger adds up, and another run calls nobody."""
    assert len(rows(config, "gradings")) == 2 * ITEMS
    assert_reconciled(config)
    server.reset_counts()
    assert (api.run(config).calls, server.count()) == (0, 0)


def test_scores_are_those_of_inspect_on_the_same_server(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=reply)
    config = write_task_study(
        tmp_path,
        text=GRADED,
        models=["openai-api/test/m"],
        args={"count": 12},
        graders=[*GRADERS],
        extra={"graders": GRADERS},
    )
    api.run(config)
    asked = Counter(request.prompt for request in server.requests if request.model == "judge")
    assert {*asked.values()} == {2}  # the task asks what the judges of the study ask
    [log] = inspect_ai.eval(
        f"{tmp_path / 'tasks.py'}@sums",
        model="openai-api/test/m",
        task_args={"count": 12},
        log_dir=str(tmp_path / "inspect_logs"),
        display="none",
    )
    of_inspect = {
        (name, str(sample.id)): value_to_float()(score.value)
        for sample in log.samples or []
        for name, score in (sample.scores or {}).items()
    }
    found = {
        (row["rubric_name"], row["item_id"]): math.nan if row["score"] is None else row["score"]
        for row in rows(config, "gradings")
        if row["grade_kind"] == "judge"
    }
    assert len(found) == 24 and {0.0, 0.5, 1.0} < {*found.values()}
    assert found == pytest.approx(of_inspect, nan_ok=True)
    assert_reconciled(config)


def test_what_a_row_and_the_ledger_hold(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=reply)
    config = declare(tmp_path)
    foreseen = api.estimate(config)
    assert foreseen.grid.calls == 3 * ITEMS
    summary = api.run(config)
    assert (summary.calls, server.count("judge")) == (3 * ITEMS, 2 * ITEMS)
    assert foreseen.remaining.usd is not None and summary.usd <= foreseen.remaining.usd
    found = rows(config, "gradings")
    for row in found:
        assert (row["grade_kind"], row["grader_model"]) == ("judge", JUDGE)
        assert row["usd"] > 0 and row["judge_completion"] and row["log_file"]
        assert row["parse_ok"] == (row["parse_error"] is None) == (row["score"] is not None)
        if row["parse_ok"]:
            assert row["reasoning"] == row["judge_completion"]
    told = {row["parse_error"] for row in found}
    assert told == {None, "no_grade_found"}
    assert {row["rubric_name"] for row in found} == {"model_graded_qa", "model_graded_fact"}
    assert len({row["rubric_hash"] for row in found}) == 2
    assert {request.temperature for request in server.requests} == {0.0, None}
    ledger = [(row["model"], row["calls"]) for row in rows(config, "ledger")]
    assert sorted(ledger) == [(JUDGE, ITEMS), (JUDGE, ITEMS), ("openai-api/test/m", ITEMS)]
    assert_paid_once(config, server)


def test_after_a_scorer_only_what_is_left_is_asked(tmp_path: Path, serve: Serve) -> None:
    def some_right(request: Request) -> str:
        right = request.prompt.split("What is ")[1].split("?")[0]
        wrong = right.startswith(("1 ", "2 "))
        return "GRADE: P" if request.model == "judge" else f"ANSWER: {0 if wrong else eval(right)}"

    server = serve(reply=some_right)
    graders = {"qa": {**GRADERS["qa"], "args": {"partial_credit": True}, "after": "numeric"}}
    config = declare(tmp_path, graders)
    api.run(config)
    assert server.count("judge") == 2
    assert Counter(row["score"] for row in rows(config, "gradings")) == {1.0: ITEMS - 2, 0.5: 2}
    assert_reconciled(config)


@pytest.mark.long
def test_faults_are_rows_that_the_next_run_mends(tmp_path: Path, serve: Serve) -> None:
    server = serve(
        models={
            "judge": Behaviour(permanent=0.3, transient=0.3, malformed=0.2, blank=0.1, prose=0.1)
        },
        reply=lambda request: None if request.model == "judge" else "ANSWER: 2",
    )
    config = declare(tmp_path, cache=False, solvers={"max_retries": 0})
    first = api.run(config)
    assert first.errored > 0
    assert_reconciled(config)
    server.models, server.reply = {}, reply
    again = api.run(config)
    assert (again.errored, again.calls) == (0, first.errored)
    assert_paid_once(config, server)


@pytest.mark.long
def test_two_workers_grade_each_answer_once(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=reply)
    config = declare(tmp_path, cache=False)
    assert api.run(config, workers=2).calls == server.count() == 3 * ITEMS
    assert_paid_once(config, server)


@pytest.mark.long
def test_a_killed_run_goes_on_with_what_is_left(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.2), reply=reply)
    config = declare(tmp_path, cache=False, solvers={"max_connections": 1, "max_tokens": 100})
    process = Command("run", config, "--yes")
    process.wait_until(lambda: server.count("judge") >= 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    api.run(config, max_usd=math.inf)
    # What was answered is read from the log; at most what was in flight is asked again.
    assert server.count("judge") <= 2 * ITEMS + 2
    assert_paid_once(config, server)


@pytest.mark.long
def test_repeats_with_the_settings_of_the_provider(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=reply)
    graders = {"qa": {**GRADERS["qa"], "repeats": 2, "temperature": None, "max_tokens": None}}
    config = declare(tmp_path, graders)
    api.run(config)
    assert server.count("judge") == 2 * ITEMS
    assert {request.temperature for request in server.requests} == {None}
    assert_paid_once(config, server)


def test_a_template_that_does_not_fit_an_item_calls_nobody(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(reply=reply)
    own = {"qa": {**GRADERS["qa"], "args": {"template": "{answer} {topic[name]}"}}}
    config = declare(tmp_path, own)
    assert run_cli(["run", str(config), "--yes"]) == 2
    told = capsys.readouterr().err
    assert "graders.qa.args.template: it does not fit the item 'q1'" in told
    assert "Traceback" not in told and server.count() == 0


def test_an_unreadable_key_of_a_judge_is_an_error_row(tmp_path: Path, serve: Serve) -> None:
    serve(
        reply=lambda request: (
            error_answer(401, "no such key") if request.model == "judge" else "ANSWER: 2"
        )
    )
    config = declare(tmp_path)
    assert run_cli(["run", str(config), "--yes", "--json"]) != 0
    assert json.dumps(rows(config, "gradings")).count('"score": null') in (0, 2 * ITEMS)
    assert_reconciled(config)


def test_the_config_with_every_default_is_read_again(tmp_path: Path) -> None:
    study = api.load_study(declare(tmp_path))
    (tmp_path / "again.yaml").write_text(study.config.public_yaml)
    again = api.load_study(tmp_path / "again.yaml")
    assert [one.id for one in again.design.grade] == [one.id for one in study.design.grade]


def test_definitions_load_without_inspect(tmp_path: Path) -> None:
    config = declare(tmp_path)
    (tmp_path / "defs.py").write_text(
        "import sys\n"
        "from itemeval_assets.defs.build import build_definitions\n"
        "from itemeval_assets.engine.study_files import load_study\n"
        "from itemeval_assets.settings import Settings\n"
        f"build_definitions(Settings(), [load_study({str(config)!r})])\n"
        "assert 'inspect_ai' not in sys.modules\n"
    )
    subprocess.run([sys.executable, tmp_path / "defs.py"], check=True)
    assert [one.path for one in api.load_study(config).design.rubrics] == ["", ""]


def test_the_study_of_the_docs(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "study.md").read_text()
    [text] = re.findall(r"```yaml\n(study: model_graded\n.*?)```", page, re.DOTALL)
    (tmp_path / "study.yaml").write_text(text)
    (tmp_path / "items.jsonl").write_text('{"question": "What is 1 + 1?", "answer": "2"}\n')
    summary = api.run(tmp_path / "study.yaml")
    assert (summary.errored, summary.failed_checks) == (0, [])
    assert len(rows(tmp_path / "study.yaml", "gradings")) == 2


@pytest.mark.long
def test_a_panel_has_judges_of_one_prompt(tmp_path: Path) -> None:
    asked = {"scorer": "model_graded_qa"}
    graders = {
        "one": {"model": "mockllm/one", **asked},
        "two": {"model": "mockllm/two", **asked},
        "other": {"model": "mockllm/two", **asked, "args": {"instructions": "GRADE: C or I."}},
    }
    config = declare(tmp_path, graders)
    config.write_text(config.read_text().replace("openai-api/test/m", "mockllm/a"))
    api.run(config)
    graded = [row.graded_by for row in ie.scores(config, panel=True).rows]
    assert graded == ["one + two · model_graded_qa"]
    release = api.release(config)
    [card] = tmp_path.rglob("README.md")
    assert "rubrics: builtin:standard" not in card.read_text(), release
