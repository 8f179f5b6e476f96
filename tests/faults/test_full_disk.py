"""A disk that is full, or that may not be written, at any write of a run."""

import builtins
import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ItemevalAssetsError, StoreError
from itemeval_assets.storage.objects import disk
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, results_dir

from .conftest import Report
from .study_runs import IS_LONG, Loss, declare, loss_of, run_stages, some

ITEMS = 2
Write = Callable[[Path, bytes], None]


class Disk:
    """Takes the place of the write of every object: the `fails_at`th is cut short by ENOSPC."""

    def __init__(self, write: Write, code: int, fails_at: int = 0) -> None:
        self.count, self.hit = 0, 0
        self._write, self._code, self._fails_at = write, code, fails_at

    def __call__(self, path: Path, data: bytes) -> None:
        self.count += 1
        if self.count == self._fails_at:
            self.hit += 1
            path.write_bytes(data[: len(data) // 2])
            raise OSError(self._code, os.strerror(self._code), str(path))
        self._write(path, data)


def drafts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.draft") if path.is_file()]


def test_no_write_of_a_run_is_the_wrong_moment_for_a_full_disk(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, report_fault: Report
) -> None:
    """Promised: an error that names the file; nothing half-written; the next run completes the
    study, calls again nothing that was answered, and the ledger holds every dollar."""
    server = serve()
    config = declare(tmp_path / "whole", items=ITEMS)
    counting = Disk(disk.write_synced, errno.ENOSPC)
    with monkeypatch.context() as patch:
        patch.setattr(disk, "write_synced", counting)
        run_stages(config)
    assert counting.count > 12
    total, places = Loss(), some(range(1, counting.count + 1), 8 if IS_LONG else 3)
    for place in places:
        server.requests = []
        config = declare(tmp_path / str(place), items=ITEMS)
        full = Disk(disk.write_synced, errno.ENOSPC, place)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "write_synced", full)
            with pytest.raises(ItemevalAssetsError) as told:
                run_stages(config)
        assert full.hit == 1
        assert told.value.exit_code == 2
        assert f"cannot write {results_dir(config)}" in str(told.value)
        assert "No space left on device; check that the disk has space" in str(told.value)
        assert drafts(results_dir(config)) == []
        run_stages(config)
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
    report_fault(
        "disk full at the k-th write of a run",
        "exit 2 names the file; nothing half-written; the next run completes",
        injected=len(places),
        loss=total,
    )


def test_a_disk_that_is_full_while_logs_are_moved_or_files_exported(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, report_fault: Report
) -> None:
    """Promised: the same where bytes go past the tables: a log that is archived, an export."""
    server, total = serve(), Loss()
    faults: list[tuple[Any, str]] = [(Path, "replace"), (shutil, "move")]
    for number, (owner, name) in enumerate(faults):
        server.requests = []
        config = declare(tmp_path / str(number), items=ITEMS)
        hits: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, failing(getattr(owner, name), hits))
            with pytest.raises(StoreError, match=r"cannot write .*No space left"):
                run_stages(config)
        assert hits and drafts(results_dir(config)) == []
        run_stages(config)
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
    report_fault(
        "disk full while a log is archived, a file exported",
        "exit 2 names the file; the next run completes",
        injected=len(faults),
        loss=total,
    )


def failing(whole: Callable[..., Any], hits: list[str]) -> Callable[..., Any]:
    """`whole(source, target)`, which finds no room for a log or a draft; `hits` says for which."""

    def fails(source: Any, target: Any, *rest: Any) -> Any:
        if str(target).endswith((".eval", ".draft")):
            hits.append(str(target))
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return whole(source, target, *rest)

    return fails


@contextmanager
def read_only(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """A folder that nothing can be written to: for root, too, whom no mode of a file binds."""
    opened, made = io.open, os.mkdir

    def refuse(path: Any) -> None:
        if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder):
            raise OSError(errno.EROFS, "Read-only file system", str(path))

    def open_(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if set(mode) & set("wax+"):
            refuse(file)
        return opened(file, mode, *args, **options)

    def mkdir(path: Any, *args: Any, **options: Any) -> None:
        refuse(path)
        made(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(io, "open", open_)
        patch.setattr(builtins, "open", open_)
        patch.setattr(os, "mkdir", mkdir)
        yield


def test_a_study_directory_that_cannot_be_written(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    report_fault: Report,
) -> None:
    """Promised: exit 2, a message with the path, no traceback, and no call is made."""
    server = serve()
    config = declare(tmp_path, items=ITEMS)
    with read_only(monkeypatch, results_dir(config)):
        assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert f"cannot write {results_dir(config)}" in told and "Traceback" not in told
    assert "Read-only file system" in told
    assert server.count() == 0
    run_stages(config)
    report_fault(
        "study directory read-only",
        "exit 2 names the path; no call is made",
        injected=1,
        loss=loss_of(config, server, items=ITEMS),
    )


@pytest.mark.parametrize("at", ["studies", "studies/toy", "studies/toy/solutions.parquet"])
def test_a_file_where_a_folder_should_be(tmp_path: Path, serve: Serve, at: str) -> None:
    """Promised: an error that names the path; no call is made."""
    server = serve()
    config = declare(tmp_path, items=ITEMS)
    (tmp_path / at).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / at).write_text("in the way")
    with pytest.raises(ItemevalAssetsError, match=str(tmp_path / "studies")) as told:
        run_stages(config)
    assert told.value.exit_code == 2
    assert (tmp_path / at).read_text() == "in the way"
    if at != "studies/toy/solutions.parquet":
        assert server.count() == 0
