"""A bucket: what goes wrong with one, and what a lock there is worth."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.storage.locking import leases, processes
from itemeval_assets.storage.objects import workspaces
from itemeval_assets.storage.objects.s3 import S3Backend
from itemeval_assets.storage.s3.bucket import split_s3
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore
from tests.rows import solution, table
from tests.s3_server import S3Server
from tests.studies import write_study

PARTITION = Partition(("g1",))


def backend(location: str, **client: Any) -> S3Backend:
    """A backend as another machine has one, with a client of its own."""
    return S3Backend(*split_s3(location), boto3.client("s3", **client))


def rows(*items: str) -> Any:
    return table("solutions", [solution(item) for item in items])


def test_a_location_is_a_bucket_and_a_prefix() -> None:
    assert split_s3("s3://bucket") == split_s3("s3://bucket/") == ("bucket", "")
    assert split_s3("s3://bucket/some/prefix/") == ("bucket", "some/prefix")
    for wrong in ("s3://", "s3:///prefix", "bucket/prefix"):
        with pytest.raises(ConfigError, match="s3://bucket/prefix"):
            split_s3(wrong)


def test_listing_goes_on_after_the_first_page(
    bucket: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    for number in range(25):
        bucket.backend.update(f"many/{number:02}", lambda _: b"x")
    assert bucket.backend.list("many") == [f"many/{number:02}" for number in range(25)]
    assert bucket.backend.folders("") == ["many"]


def test_reading_a_partition_asks_for_one_object(bucket: ResultsStore, s3: S3Server) -> None:
    for condition in ("g1", "g2", "g3"):
        own = table("solutions", [solution("q1", condition_id=condition)])
        bucket.upsert("solutions", Partition((condition,)), own)
    before = s3.requests
    assert bucket.read("solutions", [Partition(("g2",))]).num_rows == 1
    assert s3.requests == before + 1


def test_a_write_that_was_overtaken_merges_anew(s3_location: str) -> None:
    ours, theirs = backend(s3_location), backend(s3_location)
    seen: list[bytes | None] = []

    def change(found: bytes | None) -> bytes:
        seen.append(found)
        if len(seen) == 1:
            theirs.update("x", lambda _: b"theirs")
        return (found or b"") + b"+ours"

    ours.update("x", change)
    assert seen == [None, b"theirs"]
    assert ours.read("x") == b"theirs+ours"


def test_an_update_of_what_is_at_hand_takes_one_request(s3_location: str, s3: S3Server) -> None:
    ours, theirs = backend(s3_location), backend(s3_location)
    ours.write("numbers", b"1")

    def requests(change: Callable[[bytes | None], bytes | None]) -> list[str]:
        s3.faults.seen.clear()
        ours.update("numbers", change)
        return [method for method, _ in s3.faults.seen]

    assert requests(lambda data: (data or b"") + b"2") == ["PUT"]
    theirs.update("numbers", lambda data: (data or b"") + b"3")
    assert requests(lambda data: (data or b"") + b"4") == ["PUT", "GET", "PUT"]
    assert ours.read("numbers") == theirs.read("numbers") == b"1234"
    # Nothing is said of an older version: neither that it needs no change, nor that it is wrong.
    theirs.write("numbers", b"5")
    assert requests(lambda data: None if data == b"1234" else b"6") == ["GET", "PUT"]
    theirs.write("numbers", b"7")
    assert requests(_refused_if(b"6", then=b"8")) == ["GET", "PUT"]
    theirs.delete("numbers")
    assert requests(lambda data: data or b"9") == ["PUT", "GET", "PUT"]
    with pytest.raises(StoreError, match="never"):
        ours.update("numbers", _refused_if(b"9", then=b""))
    assert theirs.read("numbers") == b"9"


def _refused_if(refused: bytes, then: bytes) -> Callable[[bytes | None], bytes]:
    def change(data: bytes | None) -> bytes:
        if data == refused:
            raise StoreError("never")
        return then

    return change


def test_only_one_creates(s3_location: str) -> None:
    assert backend(s3_location).create("x", b"first")
    assert not backend(s3_location).create("x", b"second")
    assert backend(s3_location).read("x") == b"first"


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_stumbles_is_asked_again(
    bucket: ResultsStore, s3: S3Server, status: int
) -> None:
    bucket.upsert("solutions", PARTITION, rows("q1"))
    s3.faults.statuses += [status, status]
    bucket.upsert("solutions", PARTITION, rows("q2"))
    assert s3.faults.statuses == []
    assert bucket.read("solutions")["item_id"].to_pylist() == ["q1", "q2"]


def test_a_server_that_does_not_recover_is_an_error_and_nothing_is_lost(
    bucket: ResultsStore, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.upsert("solutions", PARTITION, rows("q1"))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    s3.faults.statuses += [503] * 50
    with pytest.raises(StoreError, match=r"cannot read s3://.*g1\.parquet: .*SlowDown"):
        bucket.upsert("solutions", PARTITION, rows("q2"))
    s3.faults.statuses.clear()
    assert bucket.read("solutions")["item_id"].to_pylist() == ["q1"]


def test_no_such_bucket(s3_location: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no bucket 'nowhere'; create it"):
        backend("s3://nowhere/prefix").update("x", lambda _: b"1")
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(StoreError, match="cannot write s3://nowhere/x: there is no bucket"):
        backend("s3://nowhere/").upload(tmp_path / "file", "x")
    with pytest.raises(StoreError, match="cannot list s3://nowhere/x: there is no bucket"):
        backend("s3://nowhere").list("x")


def test_no_credentials(s3_location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = boto3.Session()
    nobody = S3Backend(*split_s3(s3_location), session.client("s3"))
    with pytest.raises(StoreError, match="no credentials for S3 are found; set AWS_ACCESS_KEY_ID"):
        nobody.read("x")


def test_an_endpoint_that_is_not_there(s3_location: str) -> None:
    config = Config(retries={"max_attempts": 1}, connect_timeout=1)
    lost = backend(s3_location, endpoint_url="http://127.0.0.1:9", config=config)
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 does not answer as S3 does"):
        lost.read("x")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "need to get, put, list and delete"),
        ("InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "check AWS_SECRET_ACCESS_KEY"),
        ("ExpiredToken", "have expired"),
        ("Strange", "S3 answers Strange: in words"),
    ],
)
def test_refusals_say_what_to_do(
    s3_location: str, monkeypatch: pytest.MonkeyPatch, code: str, advice: str
) -> None:
    refused = backend(s3_location)

    def refuse(**_: Any) -> None:
        answer: Any = {"Error": {"Code": code, "Message": "in words"}}
        raise ClientError(answer, "GetObject")

    monkeypatch.setattr(refused.client, "get_object", refuse)
    with pytest.raises(StoreError, match=f"cannot read {s3_location}/x: .*{advice}"):
        refused.read("x")


def test_a_dead_machine_loses_its_locks_and_a_living_one_does_not(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = backend(s3_location), backend(s3_location)
    monkeypatch.setattr(leases, "is_gone", lambda process: False)  # another machine's
    monkeypatch.setattr(leases, "_POLL_S", 0.01)
    waits: list[str] = []
    with theirs.lock("claims/x", "their run"):
        assert ours.is_held("claims/x")
        ours._locks.lifetime_s = -1.0
        assert not ours.is_held("claims/x")
        with ours.lock("claims/x", "our run", waits.append):
            assert waits == []
            ours._locks.lifetime_s = 60.0
            assert ours.is_held("claims/x") and theirs.is_held("claims/x")
    # What is not theirs any more, they do not set free; and it is free now.
    assert not ours.is_held("claims/x")


def test_a_lock_of_another_machine_is_not_taken_while_it_lives(s3_location: str) -> None:
    ours, theirs = backend(s3_location), backend(s3_location)
    with theirs.lock("claims/x", "their run"):
        mark = theirs.read(".locks/held.json")
        with pytest.raises(TimeoutError), ours.lock("claims/x", "our run", _give_up):
            raise AssertionError("two had the lock")
        assert theirs.read(".locks/held.json") == mark


def test_a_lock_that_could_not_be_set_free_does_not_stay(
    s3_location: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = backend(s3_location)
    with pytest.raises(StoreError), ours.lock("claims/x", "run"):
        monkeypatch.setattr(time, "sleep", lambda _: None)
        s3.faults.statuses += [503] * 100
    s3.faults.statuses.clear()
    assert len(ours.list(".locks/leases")) == 1
    assert not ours.is_held("claims/x")


def test_many_locks_are_taken_and_set_free_with_one_request_each(
    s3_location: str, s3: S3Server
) -> None:
    ours, keys = backend(s3_location), [f"claims/{number}" for number in range(100)]
    with ours.lock("reservations/x", "run"):  # the lease lives
        before = s3.requests
        with ours.lock_each(keys, "run", _never_wait):
            assert s3.requests == before + 1
            assert ours.is_held("claims/0") and ours.is_held("claims/99")
            assert s3.requests == before + 1
        assert s3.requests == before + 2
        assert not ours.is_held("claims/0") and ours.is_held("reservations/x")


def test_locks_that_others_have_written_since_are_read_anew(s3_location: str, s3: S3Server) -> None:
    ours, theirs = backend(s3_location), backend(s3_location)

    def requests(do: Callable[[], object]) -> list[str]:
        s3.faults.seen.clear()
        do()
        return [method for method, path in s3.faults.seen if path.endswith("held.json")]

    with ours.lock("reservations/x", "run"), ExitStack() as their_locks, ExitStack() as our_locks:
        their_locks.enter_context(theirs.lock("claims/a", "their run"))
        lock = ours.lock("claims/b", "run")
        assert requests(lambda: our_locks.enter_context(lock)) == ["PUT", "GET", "PUT"]
        assert theirs.is_held("claims/a") and theirs.is_held("claims/b")
        their_locks.close()
        assert requests(our_locks.close) == ["PUT", "GET", "PUT"]
        assert not theirs.is_held("claims/a") and not theirs.is_held("claims/b")
        # Nobody is waited for who has let go since.
        their_locks.enter_context(theirs.lock("claims/a", "their run"))
        assert ours.is_held("claims/a")
        their_locks.close()
        with ours.lock("claims/a", "run", _give_up):
            assert theirs.is_held("claims/a")


def test_a_lock_whose_answer_never_came_does_not_stay(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = backend(s3_location), backend(s3_location)
    swap = ours.swap
    lost = [True]

    def without_answer(key: str, data: bytes, etag: str | None) -> str | None:
        written = swap(key, data, etag)
        if lost.pop():
            lost.append(False)
            raise StoreError("its answer is lost")
        lost.append(False)
        return written

    with ours.lock("reservations/x", "run"):
        monkeypatch.setattr(ours, "swap", without_answer)
        with pytest.raises(StoreError, match="answer"), ours.lock("claims/a", "run"):
            raise AssertionError("nobody knows whether it has the lock")
        assert not theirs.is_held("claims/a") and theirs.is_held("reservations/x")


def test_a_lock_that_was_taken_from_a_sleeper_is_not_taken_back(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it last knew of the locks is older than who has taken them."""
    monkeypatch.setattr(leases, "is_gone", lambda process: False)  # another machine's
    ours, theirs = backend(s3_location), backend(s3_location)
    with ExitStack() as stolen:
        with ours.lock("reservations/x", "run"):
            with ours.lock("claims/a", "run"):
                theirs._locks.lifetime_s = -1.0
                stolen.enter_context(theirs.lock("claims/a", "their run", _give_up))
                theirs._locks.lifetime_s = 60.0
                ours._locks._last_beat = (0.0, 0.0)  # it wakes long after
                assert not ours.holds_locks()
            assert theirs.is_held("claims/a") and ours.is_held("claims/a")
            with pytest.raises(TimeoutError), ours.lock("claims/a", "run", _give_up):
                raise AssertionError("two had the lock")
        held = json.loads(theirs.read(".locks/held.json") or b"{}")
        assert [hold["holder"] for hold in held.values()] == ["their run"]


def test_locks_are_taken_in_order_up_to_the_first_that_another_has(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no two runs ever wait for each other."""
    monkeypatch.setattr(leases, "_POLL_S", 0.01)
    ours, theirs = backend(s3_location), backend(s3_location)
    told: list[tuple[str, str]] = []
    free_it = ExitStack()
    free_it.enter_context(theirs.lock("b", "their run"))

    def wait(key: str, holder: str) -> None:
        told.append((key, holder))
        if holder:
            assert theirs.is_held("a") and not theirs.is_held("c")
            free_it.close()

    with ours.lock_each(["a", "b", "c"], "our run", wait):
        assert told == [("b", "their run"), ("b", "")]
        assert all(theirs.is_held(key) for key in "abc")
    assert not any(theirs.is_held(key) for key in "abc")


def test_who_was_taken_for_dead_while_it_waited_takes_nothing_back(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_POLL_S", 0.01)
    monkeypatch.setattr(leases, "is_gone", lambda process: False)  # another machine's
    ours, theirs = backend(s3_location), backend(s3_location)
    blocked, stolen = ExitStack(), ExitStack()
    blocked.enter_context(theirs.lock("b", "their run"))

    def wait(key: str, holder: str) -> None:
        if holder:
            theirs._locks.lifetime_s = -1.0
            stolen.enter_context(theirs.lock("a", "their other run"))
            theirs._locks.lifetime_s = 60.0
            blocked.close()

    with ours.lock_each(["a", "b"], "our run", wait):
        held = json.loads(theirs.read(".locks/held.json") or b"{}")
        assert sorted((hold["holder"], hold["keys"]) for hold in held.values()) == [
            ("our run", ["b"]),
            ("their other run", ["a"]),
        ]
    assert theirs.is_held("a")
    stolen.close()


def test_a_request_that_was_repeated_has_taken_its_lock(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answer got lost: the second one says that somebody was faster."""
    ours = backend(s3_location)
    swap = ours.swap

    def twice(key: str, data: bytes, etag: str | None) -> str | None:
        swap(key, data, etag)
        return swap(key, data, etag)

    monkeypatch.setattr(ours, "swap", twice)
    with ours.lock("x", "run"):
        assert ours.is_held("x")
    assert not ours.is_held("x")


def test_a_write_whose_answer_got_lost_is_not_made_twice(
    bucket: ResultsStore, s3: S3Server
) -> None:
    """The client repeats it, and hears that somebody was faster: it was itself."""
    numbers = lambda: json.loads(bucket.backend.read("count.json") or b"[]")  # noqa: E731
    add = lambda found: json.dumps([*json.loads(found or b"[]"), 1]).encode()  # noqa: E731
    for made in (1, 2, 3):
        s3.faults.lost.append("count.json")
        bucket.backend.update("count.json", add)
        assert not s3.faults.lost and numbers() == [1] * made
    s3.faults.lost.append("begun.json")
    assert bucket.backend.create("begun.json", b"by this one")
    assert not bucket.backend.create("begun.json", b"by this one")


def test_a_part_of_a_reservation_is_given_back_once(bucket: ResultsStore, s3: S3Server) -> None:
    reservations = Reservations(bucket)
    with reservations.held("run"):
        reservations.reserve("run", 100.0, lambda others: None)
        s3.faults.lost.append("reservations.json")
        reservations.release("run", 40.0)
        assert reservations.amounts() == {"run": 60.0}


def test_a_lease_ends_with_the_last_lock(s3_location: str) -> None:
    ours = backend(s3_location)
    with ours.lock("claims/x", "run"), ours.lock("claims/y", "run", is_unique=True):
        assert ours.holds_locks()
        assert len(ours.list(".locks/leases")) == 1
    assert ours.list(".locks") == [".locks/held.json"]
    assert ours.read(".locks/held.json") == b"{}"


@pytest.mark.parametrize("clock", ["clock_gettime", "time"])
def test_a_lease_that_was_not_renewed_in_time_is_lost_for_good(
    s3_location: str, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    """Whatever stopped: the process, the machine, or the virtual machine it is."""
    ours = backend(s3_location)
    whole = getattr(time, clock)
    with ours.lock("claims/x", "run"):
        assert ours.holds_locks()
        with monkeypatch.context() as patch:
            patch.setattr(leases.time, clock, lambda *which: whole(*which) + 60.0)
            assert not ours.holds_locks()
        assert not ours.holds_locks()
    with ours.lock("claims/x", "run"):
        assert ours.holds_locks()


def test_a_lease_is_renewed(s3_location: str) -> None:
    ours = backend(s3_location)
    ours._locks.lifetime_s = 0.6
    with ours.lock("claims/x", "run"):
        [lease] = ours.list(".locks/leases")
        ours.delete(lease)
        deadline = time.monotonic() + 30
        while not ours.exists(lease):
            assert time.monotonic() < deadline


def test_a_process_that_slept_does_not_renew_what_it_has_lost(s3_location: str) -> None:
    ours = backend(s3_location)
    ours._locks.lifetime_s = 6.0  # it beats once a second
    with ours.lock("claims/x", "run"):
        ours._locks._last_beat = (0.0, 0.0)  # it wakes long after
        [lease] = ours.list(".locks/leases")
        ours.delete(lease)
        time.sleep(1.5)
        assert not ours.exists(lease) and not ours.holds_locks()


def test_the_age_of_a_lease_is_told_by_the_server(s3_location: str) -> None:
    ours = backend(s3_location)
    ours.put("x", b"")
    head = ours.head("x")
    assert head is not None
    assert 0 <= leases._age_s(head) < 60
    head["LastModified"] = datetime(2020, 1, 1, tzinfo=UTC)
    assert leases._age_s(head) > 10_000


def test_only_ended_processes_of_this_machine_are_gone() -> None:
    here = processes.this_process()
    machine, pid, _ = here.split(":")
    assert not processes.is_gone(here)
    assert processes.is_gone(f"{machine}:{pid}:1.0")
    assert processes.is_gone(f"{machine}:{2**22 + 1}:1.0")
    assert not processes.is_gone(f"elsewhere:{pid}:1.0")
    assert not processes.is_gone("")


def test_a_workspace_is_sent_while_it_grows(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "_SEND_EVERY_S", 0.01)
    ours, theirs = backend(s3_location), backend(s3_location)
    with ours.workspace("logs/running") as folder:
        (folder / "a.eval").write_bytes(b"one")
        _wait_for(lambda: theirs.read("logs/running/a.eval") == b"one")
        (folder / "a.eval").write_bytes(b"one, two")
        (folder / "draft.tmp").write_bytes(b"not yet")
        _wait_for(lambda: theirs.read("logs/running/a.eval") == b"one, two")
        (folder / "b.eval").write_bytes(b"last")
    assert theirs.list("logs") == ["logs/running/a.eval", "logs/running/b.eval"]
    assert not folder.exists()


def test_what_cannot_be_sent_is_kept_and_sent_by_the_next(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, later = backend(s3_location), backend(s3_location)

    def broken(*_: Any) -> str:
        raise StoreError("the network is down")

    monkeypatch.setattr(ours, "put", broken)
    kept = "no folder"
    with pytest.raises(StoreError) as caught, ours.workspace("logs/running") as folder:
        (folder / "a.eval").write_bytes(b"paid for")
        kept = str(folder)
    assert "the network is down" in str(caught.value) and kept in str(caught.value)
    assert later.list("logs") == []
    later.adopt("logs/running")
    assert later.read("logs/running/a.eval") == b"paid for"
    assert not folder.exists()


def test_the_workspace_of_a_living_process_is_not_adopted(s3_location: str) -> None:
    ours, theirs = backend(s3_location), backend(s3_location)
    with ours.workspace("logs/running") as folder:
        theirs.adopt("logs/running")
        assert folder.exists()


def test_a_copy_follows_its_object(s3_location: str, s3: S3Server) -> None:
    ours = backend(s3_location)
    ours.put("logs/a", b"one")
    assert ours.local_copy("logs/a").read_bytes() == b"one"
    ours.put("logs/a", b"two")
    assert ours.local_copy("logs/a").read_bytes() == b"two"
    assert ours.local_copy("logs/a").read_bytes() == b"two"
    ours.delete("logs/a")
    for key in ("logs/a", "logs/never"):
        with pytest.raises(StoreError, match=f"there is no object {s3_location}/{key}"):
            ours.local_copy(key)


def _never_wait(key: str, holder: str) -> None:
    raise AssertionError(f"{key} is free, and not held by {holder}")


def _give_up(holder: str) -> None:
    assert holder == "their run"
    raise TimeoutError


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_commands_that_only_read_a_bucket_load_no_dagster(s3_location: str, tmp_path: Path) -> None:
    config = write_study(tmp_path, items=1, extra={"output_dir": s3_location})
    code = (
        "import sys; from itemeval_assets.cli.main import run_cli; "
        f"code = run_cli(['status', {str(config)!r}]); "
        "print(code, [name for name in sys.modules if name.startswith('dagster')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
