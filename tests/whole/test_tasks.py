"""Tasks of inspect_ai in whole studies: the same scores as `inspect eval`, sample by sample."""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import inspect_ai
import pytest
from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.engine.models.mock_models import mock_model
from tests.engine.data.test_images import BLUE, RED
from tests.model_server import Answer, Request
from tests.task_files import (
    AGENT,
    ODD,
    PICTURES,
    QUESTIONS,
    SHELL,
    WILD,
    agent_reply,
    tool_answer,
    write_task_study,
)

from .conftest import Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

PNG_COLOURS = {RED: "red", BLUE: "blue"}


def evaluated(config: Path, task: str, model: Any, args: dict[str, Any]) -> EvalLog:
    """The same task by inspect_ai alone."""
    [log] = inspect_ai.eval(
        f"{config.parent / 'tasks.py'}@{task}",
        model=model,
        task_args=args,
        log_dir=str(config.parent / "inspect_logs"),
        display="none",
    )
    assert log.status == "success" and log.samples
    return log


def values_of(log: EvalLog) -> dict[tuple[str, str], float]:
    """{(score, sample): value} as floats, the values of a scorer apart."""
    words = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
    found: dict[tuple[str, str], float] = {}
    for sample in log.samples or []:
        for name, score in (sample.scores or {}).items():
            parts = score.value if isinstance(score.value, dict) else {None: score.value}
            for key, value in parts.items():
                full = name if key is None else f"{name}.{key}"
                found[full, str(sample.id)] = float(words.get(str(value), value))  # type: ignore[arg-type]
    return found


def graded(config: Path) -> dict[tuple[str, str], float]:
    return {(row["scorer_name"], row["item_id"]): row["score"] for row in rows(config, "gradings")}


def test_questions_are_scored_as_by_inspect(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, args={"count": 6})
    summary = api.run(config)
    assert (summary.calls, summary.errored, summary.failed_checks) == (6, 0, [])
    log = evaluated(config, "sums", mock_model("mockllm/a"), {"count": 6})
    assert graded(config) == values_of(log)
    assert len(graded(config)) == 12
    items = rows(config, "items")
    assert [item["item_id"] for item in items] == [f"s{n}" for n in range(1, 7)]
    assert items[0]["input"] == "What is the sum of 1 and 1?" and items[0]["target"] == "2"
    assert items[0]["metadata_json"] == '{"topic":"sum"}'
    solutions = rows(config, "solutions")
    assert {row["prompt_name"] for row in solutions} == {"tasks.py@sums"}
    assert_reconciled(config)
    assert api.run(config).calls == 0


def test_an_agent_is_scored_as_by_inspect_and_each_call_is_paid_for(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(reply=agent_reply)
    model = "openai-api/test/agent"
    config = write_task_study(tmp_path, task="tasks.py@agent", text=AGENT, models=[model])
    summary = api.run(config)
    assert (summary.errored, summary.failed_checks) == (0, [])
    # Two turns of the agent and a judge's question for each of 4 samples.
    assert (server.answered, summary.calls) == (12, 12)
    assert {row["solution"] for row in rows(config, "solutions")} == {
        f"It is {2 * n}" for n in range(1, 5)
    }
    found = graded(config)
    assert found == values_of(evaluated(config, "agent", model, {}))
    assert found["checked.right", "3"] == found["judged", "3"] == 1.0
    scales = {one.grader.name: one.grader.scale for one in api.load_study(config).design.grade}
    assert scales == {"checked.right": (0.0, 1.0), "checked.calls": None, "judged": (0.0, 1.0)}
    assert_reconciled(config)
    before = server.answered
    assert api.run(config).calls == 0 and server.answered == before


def test_a_task_of_a_package_is_scored_as_by_inspect(tmp_path: Path) -> None:
    # Each process loads all packages that register tasks: this one takes seconds, and is not among
    # the tools of developers. `make evals` installs it for this test alone.
    pytest.importorskip("inspect_evals")
    name = "inspect_evals/agent_threat_bench_memory_poison"
    config = write_task_study(tmp_path, task=name, extra={"solvers": {"max_tokens": 200}})
    summary = api.run(config)
    assert (summary.errored, summary.failed_checks) == (0, [])
    model = mock_model("mockllm/a")
    [log] = inspect_ai.eval(name, model=model, log_dir=str(tmp_path / "alone"), display="none")
    found = graded(config)
    assert len(found) == 20 and found == values_of(log)
    calls = sum(
        isinstance(one, ModelEvent) for sample in log.samples or [] for one in sample.events
    )
    assert summary.calls == calls > 20
    assert_reconciled(config)


@pytest.mark.long
def test_an_agent_in_a_sandbox_is_scored_as_by_inspect(tmp_path: Path, serve: Serve) -> None:
    def reply(request: Request) -> Answer | str | None:
        if any(message["role"] == "tool" for message in request.messages):
            return tool_answer(request, "submit", {"answer": "done"})
        return tool_answer(request, "bash", {"command": "echo made $(cat note.txt) > made.txt"})

    serve(reply=reply)
    model = "openai-api/test/m"
    text = SHELL.replace("made 1", "made note 1")
    config = write_task_study(tmp_path, task="tasks.py@shell", text=text, models=[model])
    assert api.run(config).errored == 0
    found = graded(config)
    assert found == values_of(evaluated(config, "shell", model, {}))
    assert found == {("files", "f0"): 0.0, ("files", "f1"): 1.0, ("files", "f2"): 0.0}
    assert {row["reasoning"] for row in rows(config, "gradings")} >= {"note 1made note 1\n"}


@pytest.mark.long
def test_questions_with_images_are_scored_as_by_inspect(tmp_path: Path, serve: Serve) -> None:
    def seen(request: Request) -> str:
        """The colours of the images that came with the request; of two, the second alone."""
        [message] = request.messages
        parts = [part for part in message["content"] if isinstance(part, dict)]
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        found = [PNG_COLOURS[base64.b64decode(url.partition(",")[2])] for url in urls]
        return f"I see {found[-1]}" if found else "none"

    server = serve(reply=seen)
    for data, colour in PNG_COLOURS.items():
        (tmp_path / f"{colour}.png").write_bytes(data)
    model = "openai-api/test/m"
    config = write_task_study(tmp_path, task="tasks.py@pictures", text=PICTURES, models=[model])
    summary = api.run(config)
    assert (summary.calls, summary.errored, server.count()) == (4, 0, 4)
    sent = [request.messages for request in server.requests]
    server.reset_counts()
    log = evaluated(config, "pictures", model, {})
    # The same requests, images and all, in whatever order.
    assert sorted(map(str, sent)) == sorted(str(one.messages) for one in server.requests)
    found = graded(config)
    assert found == values_of(log) and len(found) == 8
    assert {found["includes", id] for id in ("p1", "p2", "p4")} == {1.0}
    assert found["includes", "p3"] == 0.0
    stored = {path.read_bytes() for path in (results_dir(config) / "images").iterdir()}
    assert stored == {*PNG_COLOURS}
    assert_reconciled(config)
    server.reset_counts()
    assert (api.run(config).calls, server.count()) == (0, 0)


def test_what_is_odd_in_a_task_is_data(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    (tmp_path / "dot.gif").write_bytes(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
    config = write_task_study(
        tmp_path,
        task="tasks.py@odd_ones",
        text=ODD,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
    )
    assert run_cli(["run", str(config), "--json", "--yes"]) == 0
    json.loads(capsys.readouterr().out)  # what the task prints is elsewhere
    items = {row["item_id"]: row for row in rows(config, "items")}
    assert [*items] == ["1", "2", "x", "é/😀", "none"]
    assert items["1"]["target"] == '["1","uno"]' and '"item_id":"z"' in items["1"]["metadata_json"]
    assert items["2"]["input"].startswith('[{"role":"system","content":"Be kind."}')
    assert items["é/😀"]["metadata_json"] == '{"choices":"A) a\\nB) b"}'
    [name] = json.loads(items["x"]["metadata_json"])["images"]
    assert (results_dir(config) / "images" / name).exists()
    solutions = rows(config, "solutions")
    assert {row["dataset_id"] for row in solutions} == {"tasks.py@odd_ones"}
    assert {row["item_id"] for row in solutions} == {*items}
    told = {
        row["item_id"]: (row["score"], row["parse_error"])
        for row in rows(config, "gradings")
        if row["scorer_name"] == "odd"
    }
    assert told == {
        "1": (None, "scorer_not_numeric"),
        "2": (None, "scorer_not_numeric"),
        "x": (None, "scorer_not_finite"),
        "é/😀": (0.25, None),
        "none": (None, "not_scored"),
    }
    # The model sees the image, and the judge reads a chat as text.
    sent = json.dumps([request.messages for request in server.requests])
    assert "data:image/gif;base64" in sent
    assert any("system: Be kind." in request.prompt for request in server.requests)
    assert_reconciled(config)
    assert api.scored_logs(config).written == 1


@pytest.mark.long
def test_other_models_of_a_task_have_rows_of_their_own_in_the_ledger(
    tmp_path: Path, serve: Serve
) -> None:
    serve(reply=agent_reply)
    judge = "openai-api/test/grader"
    config = write_task_study(
        tmp_path,
        task="tasks.py@agent",
        text=AGENT,
        models=["openai-api/test/agent"],
        args={"judge": judge},
    )
    api.run(config)
    ledger = {row["model"]: row for row in rows(config, "ledger") if row["stage"] == "generate"}
    assert {model: row["calls"] for model, row in ledger.items()} == {
        "openai-api/test/agent": 8,
        judge: 4,
    }
    tokens = sum(row["total_tokens"] for row in ledger.values())
    assert tokens == sum(row["total_tokens"] for row in rows(config, "solutions"))
    assert_reconciled(config)


@pytest.mark.long
def test_a_judge_added_afterwards_calls_only_the_judge(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=agent_reply)
    made: dict[str, Any] = {
        "task": "tasks.py@agent",
        "text": AGENT,
        "models": ["openai-api/test/agent"],
    }
    api.run(write_task_study(tmp_path, **made))
    before = server.answered
    config = write_task_study(tmp_path, graders=["mockllm/judge"], **made)
    assert api.run(config).calls == 4 and server.answered == before
    assert {row["grade_kind"] for row in rows(config, "gradings")} == {"judge", "verifiable"}
    assert_reconciled(config)


def test_values_that_only_the_log_tells_are_graded_by_the_next_run(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, text=WILD)
    summary = api.run(config)
    assert any("wild.length, wild.polite" in note for note in summary.notes)
    again = api.run(config)
    assert again.calls == 0 and not any("wild" in note for note in again.notes)
    found = graded(config)
    assert {found["wild.length", f"s{n}"] for n in range(1, 5)} == {7.0}
    assert found["wild.polite", "s1"] == 1.0
    assert_reconciled(config)


def test_replications_stand_in_the_place_of_epochs(tmp_path: Path) -> None:
    text = QUESTIONS.replace("scorer=[", "epochs=3, scorer=[")
    config = write_task_study(tmp_path, text=text, replications=2)
    found = api.estimate(config)
    assert any("epochs = 3" in line for line in found.warnings)
    api.run(config)
    assert {row["epoch"] for row in rows(config, "solutions")} == {1, 2}
    assert len(rows(config, "solutions")) == 8


def test_the_settings_of_the_study_hold_over_those_of_the_task(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    text = QUESTIONS.replace(
        "scorer=[", "config=GenerateConfig(temperature=0.1, max_tokens=77), scorer=["
    ).replace("import Task, task", "import Task, task\nfrom inspect_ai.model import GenerateConfig")
    config = write_task_study(
        tmp_path,
        text=text,
        models=["openai-api/test/m"],
        extra={"solvers": {"temperature": 0.9}},
    )
    api.run(config)
    assert {request.temperature for request in server.requests} == {0.9}
    effective = {row["max_tokens_effective"] for row in rows(config, "solutions")}
    assert effective == {77}


def test_a_limit_of_the_task_is_a_result(tmp_path: Path, serve: Serve) -> None:
    serve(reply=agent_reply)
    config = write_task_study(
        tmp_path,
        task="tasks.py@agent",
        text=AGENT,
        models=["openai-api/test/agent"],
        args={"message_limit": 3},
    )
    summary = api.run(config)
    assert summary.errored == 0
    solutions = rows(config, "solutions")
    assert {row["stop_reason"] for row in solutions} == {"message_limit"}
    # Blank answers are no answers to a judge, and the task has scored them all the same.
    assert {row["score"] for row in rows(config, "gradings")} <= {0.0, 1.0, None}
    assert len(rows(config, "gradings")) == 12
    assert_reconciled(config)
    assert api.run(config).calls == 0


def test_an_errored_sample_is_a_row_and_only_it_is_run_again(tmp_path: Path) -> None:
    text = QUESTIONS.replace("generate()]", "broken(), generate()]").replace(
        "@task",
        """@solver
def broken():
    async def solve(state, generate):
        if state.sample_id == "s2" and not os.path.exists("mended"):
            raise ValueError("out of order")
        return state
    return solve


@task""",
    )
    text = "import os\nfrom inspect_ai.solver import solver\n" + text
    config = write_task_study(tmp_path, text=text)
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        summary = api.run(config)
        assert summary.errored == 1
        [row] = [row for row in rows(config, "solutions") if row["error"]]
        assert (row["item_id"], row["error"]) == ("s2", "ValueError('out of order')")
        (tmp_path / "mended").touch()
        again = api.run(config)
    finally:
        os.chdir(here)
    assert (again.calls, again.errored) == (1, 0)
    assert len(graded(config)) == 8
    assert_reconciled(config)


@pytest.mark.long
def test_a_task_in_a_bucket_with_two_workers(tmp_path: Path, s3_location: str) -> None:
    config = write_task_study(
        tmp_path,
        task="tasks.py@agent",
        text=AGENT,
        models=["mockllm/a", "mockllm/b"],
        extra={"output_dir": s3_location},
    )
    summary = api.run(config, workers=2)
    assert (summary.errored, summary.calls) == (0, 24)
    assert api.run(config).calls == 0
    assert api.scored_logs(config).logs == 2
    assert_reconciled(config)


# Its solver is a function that no decorator has made one of inspect_ai.
PLAIN = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample


async def mine(state, generate):
    return state


@task
def sums():
    return Task(dataset=[Sample(input="1 + 1", target="2")], solver=mine)
"""


# The tool of the agent has no docstring.
UNTOLD = re.sub(r'""".*?"""', "", AGENT, flags=re.S).replace(
    "import TaskState\n", "import TaskState, basic_agent, generate, solver, use_tools\n"
)
AGENT_OF_REACT = 'react(prompt="Use the tool.", tools=[add()])'


@pytest.mark.parametrize(
    ("task", "args", "text", "said"),
    [
        ("tasks.py@sum", {}, QUESTIONS, "has no task 'sum'; did you mean 'sums'?"),
        ("task.py@sums", {}, QUESTIONS, "there is no file"),
        ("tasks.py@sums", {"cuont": 2}, QUESTIONS, "benchmark.args.cuont"),
        ("tasks.py@sums", {}, QUESTIONS.replace("count: int = 4", "count: int"), "args.count"),
        ("tasks.py@sums", {}, QUESTIONS.replace("return Task", "1 / 0; return Task"), "line "),
        ("tasks.py@sums", {}, QUESTIONS.replace("def sums", "def sums(("), "tasks.py, line "),
        ("tasks.py@sums", {}, QUESTIONS.replace("generate()]", "multiple_choice()]").replace(
            "import generate,", "import multiple_choice,"), "has no choices"),
        ("tasks.py", {}, f"{QUESTIONS}\n\n@task\ndef more():\n    return sums()\n", "has 2 tasks"),
        ("tasks.py", {}, "x = 1\n", "no function with the decorator @task"),
        ("nobody/knows", {}, QUESTIONS, "no installed package registers 'nobody'"),
        ("tasks.py", {}, QUESTIONS.replace("[match(), includes()]", "None"), "facets: the task"),
        ("tasks.py@sums", {"count": 0}, QUESTIONS, "has no samples"),
        ("tasks.py@sums", {}, QUESTIONS.replace("generate()]", "generate]"),
         "the solver of 'tasks.py@sums' is not called: write generate()"),
        ("tasks.py@sums", {}, QUESTIONS.replace("solver=", "setup=generate, solver="),
         "the solver of 'tasks.py@sums' is not called: write generate()"),
        ("tasks.py@sums", {}, QUESTIONS.replace("[match(), includes()]", "includes"),
         "the scorer of 'tasks.py@sums' is not called: write includes()"),
        ("tasks.py@sums", {}, PLAIN, "is the plain function 'mine': return it from a function "
         "with the decorator @solver"),
        ("tasks.py@sums", {}, QUESTIONS.replace("return Task", "return [Task").replace(
            "\n    )\n", "\n    )]\n"), "returns a list; its function must return a Task"),
        ("tasks.py@sums", {}, QUESTIONS.replace("return Task", "Task"), "returns nothing; its"),
        ("tasks.py@sums", {}, QUESTIONS.replace("@task\n", ""), "put @task above it"),
        ("tasks.py@agent", {}, UNTOLD, "cannot offer its tool 'add'"),
        ("tasks.py@agent", {}, UNTOLD.replace(AGENT_OF_REACT, "basic_agent(tools=[add()])"),
         "cannot offer its tool 'add'"),
        ("tasks.py@agent", {}, UNTOLD.replace(AGENT_OF_REACT, "[use_tools([add()]), generate()]"),
         "write a docstring in the function"),
        ("tasks.py@agent", {}, AGENT.replace("            y: The other number.\n", ""),
         "Description not provided for parameter 'y' of function 'add'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_task_is_told_before_anything_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    task: str,
    args: dict[str, Any],
    text: str,
    said: str,
) -> None:
    config = write_task_study(tmp_path, task=task, args=args, text=text)
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert f"{config}: " in told and said in told and "Traceback" not in told
    assert not (tmp_path / "studies").exists()


def test_a_study_says_which_command_loads_its_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_task_study(tmp_path)
    assert run_cli(["status", str(config)]) == 2
    assert "itemeval-assets estimate" in capsys.readouterr().err
    api.estimate(config)
    assert (results_dir(config) / "task_lock.json").exists()
    assert [one.grader.name for one in api.load_study(config).design.grade] == ["match", "includes"]
    assert run_cli(["status", str(config)]) == 0


def test_a_changed_task_file_is_told_and_ids_stay(tmp_path: Path) -> None:
    config = write_task_study(tmp_path)
    api.run(config)
    before = [one.id for one in api.load_study(config).design.generate]
    assert not any("changed" in line for line in api.estimate(config).warnings)
    write_task_study(tmp_path, text=QUESTIONS.replace("Be brief", "Be very brief"))
    found = api.estimate(config)
    assert any("its file" in line and "--force" in line for line in found.warnings)
    assert [one.id for one in api.load_study(config).design.generate] == before
    summary = api.run(config)
    assert summary.calls == 0 and any("its file" in note for note in summary.notes)
    assert len(rows(config, "solutions")) == api.run(config, force=True).calls == 4


@pytest.mark.long
def test_a_changed_task_file_is_no_news_where_no_solution_is_stored(tmp_path: Path) -> None:
    config = write_task_study(tmp_path)
    api.estimate(config)
    write_task_study(tmp_path, text=QUESTIONS.replace("Be brief", "Be very brief"))
    assert not any("changed" in line for line in api.estimate(config).warnings)
    assert not any("changed" in note for note in api.run(config).notes)


def without_docker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command `docker` is there, and its daemon is not."""
    docker = folder / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\necho no daemon >&2\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    "text, said",
    [
        (QUESTIONS.replace("scorer=[", 'sandbox="docker", scorer=['), "(no daemon)"),
        (QUESTIONS.replace("metadata={", 'sandbox="docker", metadata={'), "(no daemon)"),
        (QUESTIONS.replace("scorer=[", 'sandbox="nosuch", scorer=['), "no installed package has"),
    ],
)
def test_a_sandbox_that_this_machine_lacks_is_told_before_anything_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    said: str,
) -> None:
    without_docker(tmp_path, monkeypatch)
    config = write_task_study(tmp_path, text=text, models=["mockllm/a", "mockllm/b"])
    for command in ("run", "preflight"):
        assert run_cli([command, str(config)]) == 2
        told = capsys.readouterr().err
        assert told.count("benchmark.task: 'tasks.py@sums' runs in the sandbox") == 1
        assert said in told and "Traceback" not in told
        assert not (tmp_path / "studies").exists()
    [warning] = [line for line in api.estimate(config).warnings if "sandbox" in line]
    assert said in warning


@pytest.mark.long
def test_what_is_done_needs_no_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_task_study(tmp_path)
    api.run(config)
    without_docker(tmp_path, monkeypatch)
    write_task_study(tmp_path, text=QUESTIONS.replace("scorer=[", 'sandbox="docker", scorer=['))
    assert api.run(config).calls == 0
    assert not any("sandbox" in line for line in api.estimate(config).warnings)


def test_where_inspect_writes_no_log_its_own_message_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "itemeval_assets.engine.tasks.loaded.loading.require_called", lambda *_: None
    )
    config = write_task_study(tmp_path, text=QUESTIONS.replace("generate()]", "generate]"))
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert "benchmark.task: inspect_ai cannot run the task: " in told and "registry" in told
    assert "Restore it" not in told


def test_a_sample_that_calls_no_model_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = QUESTIONS.replace("generate()]", "silent()]").replace(
        "@task",
        """@solver
def silent():
    async def solve(state, generate):
        state.output.completion = state.target.text
        return state
    return solve


@task""",
    )
    text = "from inspect_ai.solver import solver\n" + text
    config = write_task_study(tmp_path, text=text, models=["openai-api/test/unpriced"])
    monkeypatch.setenv("TEST_API_KEY", "x")
    monkeypatch.setenv("TEST_BASE_URL", "http://192.0.2.1/v1")
    summary = api.run(config, max_usd=float("inf"))
    assert (summary.calls, summary.errored) == (0, 0)
    assert {row["usd"] for row in rows(config, "solutions")} == {0.0}
    assert set(graded(config).values()) == {1.0}
    assert_reconciled(config)


def test_a_sample_that_is_tried_again_is_paid_for_twice_and_stored_once(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    text = QUESTIONS.replace("generate()]", "generate(), shaky()]").replace(
        "@task",
        """SEEN = set()


@solver
def shaky():
    async def solve(state, generate):
        if state.sample_id not in SEEN:
            SEEN.add(state.sample_id)
            raise ValueError("shaken")
        return state
    return solve


@task""",
    )
    text = "from inspect_ai.solver import solver\n" + text
    config = write_task_study(
        tmp_path,
        text=text,
        models=["openai-api/test/m"],
        extra={
            "solvers": {"retry_on_error": 1, "max_tokens": 50},
            "budget": {"pricing_path": write_prices(tmp_path, "m")},
        },
    )
    summary = api.run(config)
    assert (summary.errored, server.answered) == (0, 8)
    assert len(rows(config, "solutions")) == 4
    [row] = [row for row in rows(config, "ledger") if row["stage"] == "generate"]
    solved = sum(one["total_tokens"] for one in rows(config, "solutions"))
    assert row["total_tokens"] == pytest.approx(2 * solved, rel=0.1)
    assert row["calls"] == 8
    assert_reconciled(config)


@pytest.mark.long
def test_a_tool_without_a_docstring_ends_the_run_at_its_first_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = """
@solver
def mine():
    async def solve(state, generate):
        state.tools = [add()]
        return await generate(state)
    return solve


@task"""
    text = UNTOLD.replace(AGENT_OF_REACT, "mine()").replace("@task", own)
    config = write_task_study(tmp_path, task="tasks.py@agent", text=text, args={"count": 200})
    assert run_cli(["run", str(config), "--yes"]) == 5
    told = capsys.readouterr()
    found = [row["error"] for row in rows(config, "solutions")]
    assert 0 < len(found) < 100
    assert all("'add'" in error and "write a docstring" in error for error in found)
    assert "write a docstring" in " ".join(told.out.split())
    assert_reconciled(config)


@pytest.mark.long
def test_nothing_compiled_is_left_beside_the_code_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    for name in ("of_task", "of_scorer"):
        (tmp_path / f"{name}.py").write_text("from words_of.both import WORD\n")
    (tmp_path / "words_of").mkdir()
    (tmp_path / "words_of" / "both.py").write_text("WORD = 1\n")
    (tmp_path / "mine.py").write_text(
        "import of_scorer\ndef score(solution, target, metadata):\n    import words_of.both\n"
        "    return 1.0\n"
    )
    scorers = {"mine": {"type": "python", "function": "mine.py:score"}}
    extra = {"facets": {"scorer": ["mine"]}, "scorers": scorers}
    config = write_task_study(tmp_path, text=f"import of_task\n{QUESTIONS}", extra=extra)
    assert api.run(config).errored == 0
    assert not [*tmp_path.rglob("__pycache__")]


WORDY = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, mean, scorer


@scorer(metrics=[mean()])
def wordy():
    async def score(state, target):
        return Score(value=1, explanation="why " + "x" * 3_000_000, answer="y" * 3_000_000)

    return score


@task
def sums():
    samples = [Sample(id=n, input=f"{n}?", target=str(n)) for n in (1, 2)]
    return Task(dataset=samples, scorer=wordy())
"""


@pytest.mark.long
def test_a_long_explanation_is_kept_in_the_tables_and_on_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_task_study(tmp_path, text=WORDY)
    page = tmp_path / "page.html"
    for words in (["run"], ["status"], ["show", "1"], ["report", "--out", str(page)]):
        assert run_cli([words[0], str(config), *words[1:]]) == 0
    said = capsys.readouterr()
    assert len(said.out) + len(said.err) < 100_000 and page.stat().st_size < 1_000_000
    for table in ("gradings", "gradings_long"):
        kept = [row["reasoning"] for row in rows(config, table)]
        assert kept == ["why " + "x" * 3_000_000] * 2
