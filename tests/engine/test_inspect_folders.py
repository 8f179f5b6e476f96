"""Folders of inspect_ai that cannot be written: an eval goes on without them, and says so."""

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util import appdirs, logger

from itemeval_assets.core.errors import EnvironmentMissing
from itemeval_assets.engine import inspect_folders
from itemeval_assets.engine.inspect_folders import folders_left_out, with_usable_folders
from itemeval_assets.engine.models.response_cache import has_cache


@pytest.fixture
def no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where no folder can be made, for any user; it is where inspect's own would be."""
    (tmp_path / "file").write_text("")
    with monkeypatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
        patch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "file" / "cache"))
        yield tmp_path / "file"
    with_usable_folders()


def test_folders_that_can_be_written_are_as_inspect_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with_usable_folders()
    assert folders_left_out(uses_cache=True) == [] and has_cache()
    assert appdirs.inspect_data_dir("traces") == tmp_path / "inspect_ai" / "traces"
    assert not list(tmp_path.rglob("*.probe"))


def test_folders_that_cannot_be_written_are_told_and_replaced(no_place: Path) -> None:
    data, cache = folders_left_out(uses_cache=True)
    assert f"{no_place}/data/inspect_ai cannot be written (Not a directory)" in data
    assert f"{no_place}/cache/generate cannot be written (Not a directory)" in cache
    assert "XDG_DATA_HOME" in data and "INSPECT_CACHE_DIR" in cache
    assert folders_left_out(uses_cache=False) == [data]
    with_usable_folders()
    assert not appdirs.inspect_data_dir("view").is_relative_to(no_place)
    (appdirs.inspect_data_dir("view") / "mark").write_text("")
    assert not has_cache()


def test_a_disk_without_room_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", full)
    [data] = folders_left_out(uses_cache=False)
    assert "No space left on device" in data
    assert [path.name for path in tmp_path.rglob("*")] == ["inspect_ai"]


@pytest.mark.parametrize("variable", ["INSPECT_TRACE_FILE", "INSPECT_PY_LOGGER_FILE"])
def test_a_file_of_traces_that_cannot_be_written_is_named(
    no_place: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(logger._logHandler, "handler", None)
        patch.setenv(variable, str(no_place / "trace.log"))
        named = rf"{no_place}/trace.log: Not a directory.*unset"
        with pytest.raises(EnvironmentMissing, match=named) as told:
            with_usable_folders()
    assert told.value.exit_code == 2


def test_after_a_trace_that_could_not_be_written_there_are_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    traces = logging.FileHandler("/dev/full")
    full: Any = type("Handler", (), {"trace_logger": traces, "trace_logger_level": 0})()
    inspect_folders._let_go_when_full(full)
    record = logging.makeLogRecord({"msg": "a trace"})
    traces.emit(record)
    assert capsys.readouterr().err == "" and full.trace_logger_level > logging.CRITICAL
    traces.close()
    assert not Path(traces.baseFilename).exists()
