"""The Python API: whatever a caller passes is told in our errors, wherever it is called from."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.core.errors import ConfigError, Stopped
from itemeval_assets.engine.study_files import load_study
from tests.model_server import Request
from tests.studies import write_study
from tests.whole.conftest import Serve, serve
from tests.whole.looking import assert_reconciled, rows

__all__ = ["serve"]

NO_PATHS: list[Any] = [None, 3, True, b"study.yaml", [], {"study": "x"}, "a\0b", "~no-such-user/x"]
NO_WORDS: list[Any] = [3, 1.5, True, b"a", [3], [None], ["mockllm/a", 7], object(), iter([])]
NO_FLAGS: list[Any] = [1, "no", None, []]
NO_COUNTS: list[Any] = [None, "2", 1.5, float("nan"), [], 0, -1, True]
NO_AMOUNTS: list[Any] = ["much", [], object(), -1, float("nan"), 10**400, True, False]
TAKE_WORDS = ["run", "estimate", "cells", "count_cells"]


@pytest.mark.parametrize("path", NO_PATHS, ids=repr)
def test_what_is_no_path_is_told(path: Any) -> None:
    for function in (ie.load_study, ie.status, ie.run, ie.export, api.recover):
        with pytest.raises(ConfigError, match=r"no path of a study|cannot read the config"):
            function(path)
    with pytest.raises(ConfigError, match=r"no path of a study|cannot read the config"):
        ie.table(path, "ledger")


@pytest.mark.parametrize("function", TAKE_WORDS)
@pytest.mark.parametrize("option", ["conditions", "graders", "rubrics"])
def test_what_is_no_word_is_told(tmp_path: Path, function: str, option: str) -> None:
    study = load_study(write_study(tmp_path, items=1))
    for words in NO_WORDS:
        with pytest.raises(ConfigError, match=rf"{option}: .*(is no text|selects nothing)"):
            getattr(ie, function)(study, **{option: words})


def test_what_is_no_state_table_flag_count_or_amount_is_told(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, items=1))
    refused: list[tuple[str, Callable[..., Any], str, list[Any]]] = [
        ("states: ", ie.cells, "states", [3, b"done", [3], "x", object()]),
        ("there is no table", ie.table, "name", [None, 3, [], ["solutions"], b"solutions"]),
        ("only: ", ie.run, "only", [3, [], ["solutions"], b"solutions", ""]),
        ("force: ", ie.run, "force", NO_FLAGS),
        ("errored: ", ie.run, "errored", NO_FLAGS),
        ("accept_loss: ", api.recover, "accept_loss", NO_FLAGS),
        ("for_spreadsheets: ", ie.export, "for_spreadsheets", NO_FLAGS),
        ("workers: ", ie.run, "workers", NO_COUNTS),
        ("max_usd: |consent to spend", ie.run, "max_usd", NO_AMOUNTS),
        ("max_usd: |consent to spend", ie.preflight, "max_usd", NO_AMOUNTS),
        ("on_progress: ", ie.run, "on_progress", [3, "x", []]),
        ("version: ", ie.release, "version", [3, [], b"1.0.0", True]),
        ("policy", ie.status, "policy", [3, [], b"dev", "x"]),
    ]
    for says, function, name, values in refused:
        for value in values:
            with pytest.raises(ConfigError, match=says):
                function(study, **{name: value})
    assert not Path(study.location).exists()


def test_states_may_be_one_word_or_any_words(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, items=1))
    given: list[Any] = ["missing", ["missing"], (state for state in ["missing"])]
    for states in given:
        assert len(ie.cells(study, states=states)) == 2


def test_every_public_function_stays_one_while_the_package_is_used() -> None:
    """A folder of a function's name would take its place as soon as it is imported."""
    names = {path.stem for path in Path(ie.__file__).parent.iterdir()}
    assert names.isdisjoint(ie.__all__)


def test_a_study_runs_within_an_event_loop_as_in_a_notebook(tmp_path: Path, serve: Serve) -> None:
    """Ctrl-C there keeps what was answered, too."""
    stopping = threading.Event()

    def reply(request: Request) -> None:
        if request.model == "m" and server.count("m") == 3 and not stopping.is_set():
            stopping.set()
            os.kill(os.getpid(), signal.SIGINT)

    server = serve(reply=reply)
    config = write_study(
        tmp_path,
        models=["openai-api/test/m"],
        graders=[],
        items=9,
        solvers={"max_connections": 1},
        extra={"cache": False},
    )

    async def cell() -> int:
        with pytest.raises(Stopped, match="finished calls are kept"):
            ie.run(config)
        answered = server.answered
        assert 2 <= answered < 9
        summary = ie.run(config)
        assert summary.recovered == answered
        return summary.errored

    assert asyncio.run(cell()) == 0
    assert len(rows(config, "gradings")) == 9
    assert_reconciled(config)


def test_two_threads_of_a_process_take_turns(tmp_path: Path) -> None:
    configs = [write_study(tmp_path / name, study=name, items=1) for name in ("one", "two")]
    ended: list[str] = []
    threads = [
        threading.Thread(target=lambda config=config: ended.append(ie.preflight(config)[0].verdict))
        for config in configs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == ["ok", "ok"]
