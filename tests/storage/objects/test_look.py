"""A look: what it knows it does not ask for, and where others were faster it sees them."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.objects import workspaces
from itemeval_assets.storage.objects.s3 import S3Backend
from itemeval_assets.storage.objects.together import together
from itemeval_assets.storage.s3.bucket import s3_client, split_s3
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.rows import solution, table
from tests.s3_server import S3Server
from tests.studies import write_study

PARTITION = Partition(("g1",))


@pytest.fixture
def ours(s3_location: str) -> S3Backend:
    return S3Backend(*split_s3(s3_location), s3_client())


@pytest.fixture
def theirs(s3_location: str) -> S3Backend:
    return S3Backend(*split_s3(s3_location), s3_client())


def test_a_look_tells_what_there_is_without_a_request(
    ours: S3Backend, theirs: S3Backend, s3: S3Server
) -> None:
    theirs.update("a/1", lambda _: b"1")
    ours.read("a/1")
    ours.look()
    before = s3.requests
    assert [*ours.read_many(["a/1", "a/2"])] == [b"1", None]
    assert ours.exists("a/1") and not ours.exists("a/2") and ours.list("a") == ["a/1"]
    ours.write("a/2", b"2")
    ours.delete("a/1")
    assert [*ours.read_many(["a/1", "a/2"])] == [None, b"2"]
    assert ours.list("a") == ["a/2"]
    assert s3.requests == before + 2


def test_what_others_change_is_seen_by_the_next_look_and_by_every_read(
    ours: S3Backend, theirs: S3Backend
) -> None:
    ours.update("a", lambda _: b"1")
    ours.look()
    theirs.update("a", lambda _: b"2")
    theirs.update("b", lambda _: b"2")
    assert [*ours.read_many(["a", "b"])] == [b"1", None]
    assert ours.read("b") == b"2" and ours.exists("b")
    ours.look()
    assert [*ours.read_many(["a", "b"])] == [b"2", b"2"]
    theirs.delete("b")
    ours.look_away()
    assert not ours.exists("b") and [*ours.read_many(["b"])] == [None]


def test_a_write_under_a_claim_still_sees_who_was_faster(
    ours: S3Backend, theirs: S3Backend, s3: S3Server
) -> None:
    """A listing is no promise: the swap tells, and the merge is made anew."""
    ours.look()
    seen: list[bytes | None] = []

    def change(found: bytes | None) -> bytes:
        seen.append(found)
        return (found or b"") + b"+ours"

    before = s3.requests
    ours.update("new", change, is_claimed=True)
    assert s3.requests == before + 1
    theirs.update("new", lambda found: (found or b"") + b"+theirs")
    theirs.update("other", lambda _: b"theirs")
    for key in ("new", "other"):
        ours.update(key, change, is_claimed=True)
    assert theirs.read("new") == b"+ours+theirs+ours" and theirs.read("other") == b"theirs+ours"
    assert seen == [None, b"+ours", b"+ours+theirs", None, b"theirs"]


def test_what_a_look_has_not_seen_is_written_with_one_request(
    ours: S3Backend, theirs: S3Backend, s3: S3Server
) -> None:
    ours.look()

    def requests(key: str, change: Callable[[bytes | None], bytes | None]) -> list[str]:
        s3.faults.seen.clear()
        ours.update(key, change)
        return [method for method, _ in s3.faults.seen]

    assert requests("a", lambda found: (found or b"") + b"1") == ["PUT"]
    theirs.write("b", b"theirs")
    assert requests("b", lambda found: (found or b"") + b"+ours") == ["PUT", "GET", "PUT"]
    assert theirs.read("a") == b"1" and theirs.read("b") == b"theirs+ours"
    # What needs no change is not changed again where it is still the latest.
    found: list[bytes | None] = []
    for key in ("a", "nothing"):
        assert requests(key, found.append) == ["GET"]
    assert found == [b"1", None]
    theirs.write("a", b"2")
    assert requests("a", found.append) == ["GET"] and found[2:] == [b"1", b"2"]
    # What this one has deleted is written anew with one request, too.
    ours.delete("a")
    assert requests("a", lambda found: found or b"3") == ["PUT"]


def test_all_that_is_known_of_the_objects_is_a_look(ours: S3Backend, theirs: S3Backend) -> None:
    theirs.write("a/1", b"1")
    ours.look()
    theirs.write("a/2", b"2")
    assert [*ours.stats("a")] == ["a/1", "a/2"] and ours.list("a") == ["a/1"]
    assert [*ours.stats()] == ours.list("a") == ["a/1", "a/2"]
    ours.look_away()
    ours.stats()
    assert not ours.has_looked


def test_who_owns_a_study_is_known_by_the_look(
    tmp_path: Path, s3_location: str, s3: S3Server
) -> None:
    """Where two configs begin at the same time, the second one sees whose it is all the same."""
    config = write_study(tmp_path, extra={"output_dir": s3_location})
    another = config.with_name("another.yaml")
    another.write_text(config.read_text())
    one, two = load_study(config), load_study(another)
    mine, other = open_store(one, look=True), open_store(two, look=True)
    other.take_ownership(two)
    s3.faults.seen.clear()
    assert not mine.is_owned() and not mine.is_older()
    assert s3.faults.seen == []
    with pytest.raises(StoreError, match="made by another config"):
        mine.take_ownership(one)
    assert mine.is_owned()
    other.take_ownership(two)


def test_the_ledger_is_derived_from_what_there_is_by_then(s3_location: str) -> None:
    mine, other = (
        ResultsStore(S3Backend(*split_s3(s3_location), s3_client()), "toy") for _ in range(2)
    )
    mine.look()
    other.upsert("solutions", PARTITION, table("solutions", [solution("q1")]))
    found: list[int] = []

    def make(stored: object) -> object:
        found.append(mine.read("solutions").num_rows)
        return mine.read("ledger", [])

    mine.derive("ledger", make)  # type: ignore[arg-type]
    assert found == [1]


def test_a_finished_log_goes_to_its_place_at_once(
    ours: S3Backend, theirs: S3Backend, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.look()
    with ours.workspace("logs/running") as folder:
        (folder / "a.eval").write_bytes(b"paid for")
        before = s3.requests
        ours.move("logs/running/a.eval", "logs/generate/a.eval")
        assert ours.local_copy("logs/generate/a.eval").read_bytes() == b"paid for"
        assert s3.requests == before + 1
    assert s3.requests == before + 1
    assert theirs.list("logs") == ours.list("logs") == ["logs/generate/a.eval"]


def test_what_was_sent_of_a_log_goes_once_it_is_in_its_place(
    ours: S3Backend, theirs: S3Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "_SEND_EVERY_S", 0.01)
    with ours.workspace("logs/running") as folder:
        (folder / "a.eval").write_bytes(b"paid for")
        while theirs.list("logs") != ["logs/running/a.eval"]:
            pass
        ours.move("logs/running/a.eval", "logs/generate/a.eval")
    assert theirs.list("logs") == ["logs/generate/a.eval"]


def test_a_finished_log_does_not_wait_for_one_that_is_being_sent(
    ours: S3Backend, theirs: S3Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "_SEND_EVERY_S", 0.01)
    is_sending, goes_on = threading.Event(), threading.Event()
    put = ours.put

    def waiting(key: str, data: bytes) -> str:
        is_sending.set()
        assert goes_on.wait(60)
        return put(key, data)

    monkeypatch.setattr(ours, "put", waiting)
    with ours.workspace("logs/running") as folder:
        (folder / "a.eval").write_bytes(b"long")
        assert is_sending.wait(60)
        (folder / "b.eval").write_bytes(b"paid for")
        # Also the one that is on its way.
        for name in ("a", "b"):
            ours.move(f"logs/running/{name}.eval", f"logs/generate/{name}.eval")
        assert theirs.list("logs") == ["logs/generate/a.eval", "logs/generate/b.eval"]
        goes_on.set()
    assert theirs.list("logs") == ["logs/generate/a.eval", "logs/generate/b.eval"]


def test_an_object_goes_with_its_request(s3: S3Server, s3_location: str) -> None:
    store = S3Backend(*split_s3(s3_location), s3_client())
    store.write("a", b"x")
    store.create("b", b"x")
    store.update("a", lambda _: b"y")
    store.upload(Path(__file__), "c")
    assert len(s3.faults.seen) >= 4
    # Clients of other tests may ask the same server first.
    assert [path for path in s3.faults.asked_first if path.startswith(f"/{store.bucket}/")] == []


def test_a_log_that_others_have_moved_since_the_look_is_known_to_be_gone(
    ours: S3Backend, theirs: S3Backend
) -> None:
    """So a run tells the log of another one that has just ended from one that it cannot read."""
    theirs.put("logs/running/a.eval", b"paid for")
    ours.look()
    theirs.move("logs/running/a.eval", "logs/generate/a.eval")
    assert ours.exists("logs/running/a.eval")
    with pytest.raises(StoreError, match=r"there is no object s3://.*/logs/running/a\.eval"):
        ours.local_copy("logs/running/a.eval")
    assert not ours.exists("logs/running/a.eval")


def test_what_is_brought_home_is_seen(
    ours: S3Backend, theirs: S3Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise StoreError("the network is down")

    with monkeypatch.context() as patch:
        patch.setattr(theirs, "put", broken)
        with pytest.raises(StoreError), theirs.workspace("logs/running") as folder:
            (folder / "a.eval").write_bytes(b"paid for")
    ours.look()
    assert ours.list("logs/running") == []
    ours.adopt("logs/running")
    assert ours.list("logs/running") == ["logs/running/a.eval"]


def test_many_logs_go_to_their_places_together(ours: S3Backend, theirs: S3Backend) -> None:
    names = [f"{number:02}.eval" for number in range(40)]
    with ours.workspace("logs/running") as folder:
        for name in names:
            (folder / name).write_text(name)
        together(ours, lambda name: ours.move(f"logs/running/{name}", f"logs/grade/{name}"), names)
    assert theirs.list("logs") == [f"logs/grade/{name}" for name in names]
    found = together(ours, lambda name: ours.local_copy(f"logs/grade/{name}").read_text(), names)
    assert found == names


def test_a_log_never_takes_the_place_of_another(ours: S3Backend, theirs: S3Backend) -> None:
    theirs.put("logs/generate/a.eval", b"theirs")
    with ours.workspace("logs/running") as folder:
        (folder / "a.eval").write_bytes(b"ours")
        assert ours.local_copy("logs/running/a.eval") == folder / "a.eval"
        ours.move("logs/running/a.eval", "logs/generate/a.eval")
    assert theirs.list("logs") == ["logs/generate/a.eval"]
    assert ours.local_copy("logs/generate/a.eval").read_bytes() == b"theirs"


def test_work_that_is_done_together_ends_with_its_first_error(
    ours: S3Backend, tmp_path: Path
) -> None:
    assert together(ours, lambda number: number + 1, range(50)) == list(range(1, 51))
    begun: list[int] = []

    def fail(number: int) -> None:
        begun.append(number)
        raise StoreError(f"{number}")

    with pytest.raises(StoreError, match=r"^0$"):
        together(ours, fail, range(10_000))
    assert len(begun) < 10_000
