"""A bucket that answers 500 and 503, slowly, or not at all, at any request of a run."""

import shutil
from pathlib import Path

import pytest

from itemeval_assets.core.errors import StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.objects.s3 import open_s3
from itemeval_assets.storage.study.store import open_store
from tests.s3_server import S3Server
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled

from .conftest import Report
from .study_runs import TIMES, Loss, declare, loss_of, run_stages, some, table_contents

ITEMS = 1


def in_bucket(folder: Path, location: str) -> Path:
    return declare(folder, items=ITEMS, extra={"cache": False, "output_dir": location})


class FailsAt:
    """Statuses that are injected from the `place`th request on."""

    def __init__(self, s3: S3Server, place: int, statuses: list[int]) -> None:
        self._s3, self._place, self._statuses = s3, place, statuses
        self.hit = False

    def append(self, request: tuple[str, str]) -> None:
        """Take the place of `faults.seen`, which is told of each request."""
        self._place -= 1
        if self._place == 0:
            self.hit = True
            self._s3.faults.statuses[:] = self._statuses

    def __len__(self) -> int:
        return 0


def requests_of_a_run(folder: Path, location: str, s3: S3Server) -> tuple[Path, int]:
    config = in_bucket(folder, location)
    load_study(config)
    before = s3.requests
    run_stages(config)
    return config, s3.requests - before


def test_an_error_at_any_request_is_asked_again(
    tmp_path: Path,
    serve: Serve,
    s3: S3Server,
    s3_location: str,
    monkeypatch: pytest.MonkeyPatch,
    report_fault: Report,
) -> None:
    """Promised: the run completes as if nothing had been; no call is paid twice."""
    server = serve()
    config, count = requests_of_a_run(tmp_path / "whole", f"{s3_location}/whole", s3)
    wanted, total = table_contents(config), loss_of(config, server, items=ITEMS)
    places, hits = some(range(1, count), 2 * TIMES), 0
    for number, place in enumerate(places):
        server.requests = []
        config = in_bucket(tmp_path / str(place), f"{s3_location}/{place}")
        statuses = [[500], [503], [503, 500]][number % 3]
        fault = FailsAt(s3, place, statuses)
        with monkeypatch.context() as patch:
            patch.setattr(s3.faults, "seen", fault)
            run_stages(config)
        assert s3.faults.statuses == []
        hits += fault.hit  # no two runs make quite as many requests
        assert table_contents(config) == wanted
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
    report_fault(
        "S3: 500 and 503 at the k-th request of a run",
        "the run completes, rows as ever",
        injected=hits,
        loss=total,
    )


@pytest.mark.long
def test_a_bucket_that_goes_away_at_any_request_for_good(
    tmp_path: Path,
    serve: Serve,
    s3: S3Server,
    s3_location: str,
    monkeypatch: pytest.MonkeyPatch,
    report_fault: Report,
) -> None:
    """Promised: an error that names the object; once the bucket is back, the next run completes
    the study, and no answer is paid twice."""
    monkeypatch.setenv("ITEMEVAL_ASSETS_S3_MAX_ATTEMPTS", "1")
    open_s3.cache_clear()
    server = serve()
    config, count = requests_of_a_run(tmp_path / "whole", f"{s3_location}/gone", s3)
    wanted, total, places = table_contents(config), Loss(), some(range(2, count // 2), TIMES)
    for place in places:
        server.requests = []
        config = in_bucket(tmp_path / str(place), f"{s3_location}/gone{place}")
        fault = FailsAt(s3, place, [503] * 10_000)
        with monkeypatch.context() as patch:
            patch.setattr(s3.faults, "seen", fault)
            try:
                with pytest.raises(StoreError, match=r"cannot .* s3://"):
                    run_stages(config)
            finally:
                s3.faults.statuses.clear()
        run_stages(config)
        assert table_contents(config) == wanted
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
    open_s3.cache_clear()
    report_fault(
        "S3: away for good from the k-th request of a run",
        "exit 2 names the object; the next run completes",
        injected=len(places),
        loss=total,
    )


@pytest.mark.long
def test_a_slow_bucket(
    tmp_path: Path, serve: Serve, s3: S3Server, s3_location: str, report_fault: Report
) -> None:
    """Promised: slower, and nothing else."""
    server, before = serve(), s3.requests
    config = in_bucket(tmp_path, s3_location)
    s3.faults.delay_s = 0.02
    try:
        run_stages(config)
    finally:
        s3.faults.delay_s = 0.0
    assert_reconciled(config)
    report_fault(
        "S3: every request slow",
        "the run completes",
        injected=s3.requests - before,
        loss=loss_of(config, server, items=ITEMS),
    )


def test_a_lock_in_a_bucket_that_is_none_of_ours(s3_location: str, tmp_path: Path) -> None:
    """Promised: exit 2 names the object and says what to do; nobody's lock is taken."""
    backend = open_store(load_study(in_bucket(tmp_path, s3_location))).backend
    for content in (b"", b"\xff\x00", b"[]", b"7", b'{"x": {}}', b'{"lease": null}'):
        backend.update(".locks/held.json", lambda _, content=content: content)
        with (
            pytest.raises(
                StoreError, match=r"\.locks/held\.json is not a lock of itemeval_assets; delete"
            ),
            backend.lock("claims/x", "me"),
        ):
            pass
        with pytest.raises(StoreError, match="not a lock of itemeval_assets"):
            backend.is_held("claims/x")
    shutil.rmtree(tmp_path)


def test_a_log_in_a_bucket_that_is_cut(s3_location: str, tmp_path: Path, serve: Serve) -> None:
    """Promised: exit 2 names the object, and no copy of it; no call is made."""
    server = serve()
    config = in_bucket(tmp_path, s3_location)
    run_stages(config)
    backend, made = open_store(load_study(config)).backend, server.count()
    (log,) = backend.list("logs/generate")
    (solutions,) = backend.list("solutions.parquet")
    backend.update(log, lambda data: (data or b"")[:200])
    backend.delete(solutions)
    with pytest.raises(StoreError, match=f"^{backend.uri(log)} is not a readable .eval log"):
        run_stages(config)
    assert server.count() == made
