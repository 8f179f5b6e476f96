"""A small finished study, Dagster's web server over it, and a browser page on that.

Two models, two prompts, a scorer and a judge, all answered by the local test server as mock models
would answer. It always refuses two requests of one model: real errored rows in exactly one
partition.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
from playwright.sync_api import Page, sync_playwright

from itemeval_assets import api
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.models.mock_replies import Asked, answer, quality_seen
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.settings import nearest_dagster_home
from tests.model_server import Answer, ModelServer, Request, error_answer
from tests.studies import write_study

__all__ = [
    "CHROMIUM",
    "as_mock_models",
    "browser_page",
    "finished_run",
    "finished_study",
    "hide_navigation",
    "lineage_url",
    "materialize",
    "served_ui",
    "start_schedule",
    "web_server",
]

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_QUEUE = """
run_coordinator:
  module: dagster.core.run_coordinator
  class: DefaultRunCoordinator
"""
WORKSPACE = """
load_from:
  - python_module: itemeval_assets.definitions
"""
PROVIDER = "openai-api/lab"
# The next minute begins, the tick looks at the study, and a run starts a process of its own.
PATIENCE_S = 240
REFUSED = ("What is 3 + 3?", "What is 7 + 7?")
PRICES = {"input_usd_per_mtok": 0.4, "output_usd_per_mtok": 1.6}


def finished_study(folder: Path, *, items: int = 12) -> Study:
    """Write the study into `folder`, run it to its end, and return it."""
    models = [f"{PROVIDER}/nova-1", f"{PROVIDER}/orion-1"]
    config = write_study(
        folder,
        study="arithmetic",
        models=models,
        prompts=["short", "long"],
        graders=["strict_judge"],
        items=items,
        solvers={"temperature": 0.0, "max_retries": 0},
        extra={
            "cache": False,
            "output_dir": ".",
            "graders": {"strict_judge": {"model": f"{PROVIDER}/judge"}},
            "budget": {"pricing_path": "prices.json"},
            "automation": {"cron": "* * * * *", "retry_after_minutes": 0},
        },
    )
    prices = {"models": dict.fromkeys([*models, f"{PROVIDER}/judge"], PRICES)}
    (folder / "prices.json").write_text(json.dumps(prices), encoding="utf-8")
    home = nearest_dagster_home(folder)
    with (
        ModelServer(reply=_refuse_some) as server,
        _environment(LAB_BASE_URL=server.base_url, LAB_API_KEY="local", DAGSTER_HOME=str(home)),
    ):
        api.run(config)
    return load_study(config)


def materialize(study: Study, asset: str) -> None:
    """Materialize one asset of the study from the command line, as a script would."""
    command = [sys.executable, "-m", "dagster", "asset", "materialize"]
    command += ["-m", "itemeval_assets.definitions", "--select", f'key:"{study.name}/{asset}"']
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(nearest_dagster_home(study.config_dir)),
        "ITEMEVAL_ASSETS_STUDIES": str(study.config_path),
        "LAB_API_KEY": "local",
        "LAB_BASE_URL": "https://models.invalid/v1",
    }
    subprocess.run(command, env=environment, cwd=study.config_dir, check=True, capture_output=True)


def lineage_url(address: str, study: Study) -> str:
    location = f"{address}/locations/itemeval_assets.definitions"
    return f"{location}/asset-groups/{study.name}/lineage"


def hide_navigation(page: Page, address: str) -> None:
    """Fold the sidebar, which the browser remembers, to leave more room for the page."""
    page.goto(f"{address}/runs")
    page.get_by_text("Hide navigation").click()


def start_schedule(page: Page, address: str, study: Study) -> None:
    """Start the schedule of re-runs, as a person does: with its switch."""
    location = f"{address}/locations/itemeval_assets.definitions"
    page.goto(f"{location}/schedules/{study.name}_reruns")
    page.get_by_role("row").filter(has_text="Running").locator("label").click()


def finished_run(study: Study, tags: dict[str, str] | None = None) -> dg.DagsterRun:
    """The first run with these tags, else the first of the schedule, when it has ended."""
    wanted = dg.RunsFilter(tags=tags or {"dagster/schedule_name": f"{study.name}_reruns"})
    deadline = time.monotonic() + PATIENCE_S
    with dg.DagsterInstance.from_config(str(nearest_dagster_home(study.config_dir))) as instance:
        while time.monotonic() < deadline:
            runs = instance.get_runs(wanted)
            if runs and runs[-1].is_finished:
                return runs[-1]
            time.sleep(0.5)
    raise AssertionError("no run of the schedule ended")


def _refuse_some(request: Request) -> Answer | str:
    long = request.prompt.startswith("Think step by step")
    if request.model == "orion-1" and long and any(q in request.prompt for q in REFUSED):
        return error_answer(400, "This request was refused by the provider's content filter")
    return as_mock_models(request)


def as_mock_models(request: Request) -> str:
    """What a mock model of this name would answer, or make of an answer."""
    found = re.search(r"What is (\d+) \+", request.prompt)
    number = found[1] if found else ""
    target = str(2 * int(number or 0))
    asked = Asked(f"{PROVIDER}/{request.model}", f"q{number}", target, request.prompt)
    if '"score"' not in request.prompt:
        return answer(asked)
    return json.dumps({"score": round(quality_seen(asked), 1), "reasoning": "Compared by value."})


@contextmanager
def web_server(study: Study, *others: Study) -> Iterator[str]:
    """The web server of a deployment for the study, on a free port of this machine; its address.

    It shows the others beside it.

    A run launched from it starts at once: there is no daemon to take it off a queue.
    """
    home = nearest_dagster_home(study.config_dir)
    settings = home / "dagster.yaml"
    if NO_QUEUE not in settings.read_text(encoding="utf-8"):
        with settings.open("a", encoding="utf-8") as file:
            file.write(NO_QUEUE)
    (home / "workspace.yaml").write_text(WORKSPACE, encoding="utf-8")
    command = [sys.executable, "-m", "itemeval_assets.ui.webserver", "-w", home / "workspace.yaml"]
    with _serving(study.config_path, command, *others) as (address, _):
        yield address


@contextmanager
def served_ui(config: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """`itemeval-assets ui` for a study: web server, and the daemon, which makes schedules tick.

    Its address, and the process of the command.
    """
    command = [Path(sys.executable).with_name("itemeval-assets"), "ui", config]
    with _environment(**environment), _serving(config, command) as found:
        yield found


@contextmanager
def _serving(
    config: Path, command: Sequence[str | Path], *others: Study
) -> Iterator[tuple[str, subprocess.Popen]]:
    port, home = _free_port(), nearest_dagster_home(config.parent)
    home.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "ITEMEVAL_ASSETS_STUDIES": ":".join(
            map(str, [config, *(one.config_path for one in others)])
        ),
    }
    log = home / "webserver.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env=environment,
            cwd=config.parent,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_serving(address, process, log)
            yield address, process
        finally:
            _stop(process)


@contextmanager
def browser_page(width: int = 1400, height: int = 900) -> Iterator[Page]:
    """A page of a fresh Chromium, in the light theme."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="light",
                locale="en-GB",
                timezone_id="UTC",
            )
            yield context.new_page()
        finally:
            browser.close()


def _wait_until_serving(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the web server ended:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the web server does not answer:\n{log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen) -> None:
    """End the server and everything it has started: a session of its own."""
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before: Mapping[str, str | None] = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
