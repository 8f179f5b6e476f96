"""Two commands that write one file of the user at once: one of them is told to come again."""

import threading
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.storage.objects import new_files


def test_of_two_writers_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"base")
    refused: list[str] = []
    write_synced = new_files.write_synced

    def second() -> None:
        try:
            new_files.replace_file(path, b"base", b"second")
        except ConfigError as error:
            refused.append(str(error))

    other = threading.Thread(target=second)

    def slow(draft: Path, data: bytes) -> None:
        write_synced(draft, data)
        if data == b"first":
            other.start()
            other.join(0.2)

    monkeypatch.setattr(new_files, "write_synced", slow)
    new_files.replace_file(path, b"base", b"first")
    other.join(10)
    assert path.read_bytes() == b"first"
    [message] = refused
    assert "changed since it was read; give the same command again" in message
    assert [one.name for one in tmp_path.iterdir()] == ["study.yaml"]


def test_a_file_system_without_locks_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "study.yaml"
    path.write_bytes(b"base")

    def flock(*args: Any) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    new_files.replace_file(path, b"base", b"first")
    assert path.read_bytes() == b"first"
