"""What every backend promises, of a disk and of a bucket alike."""

import errno
from pathlib import Path

import pytest
from filelock import FileLock

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.objects.backends import Backend, open_backend
from itemeval_assets.storage.study.store import ResultsStore


@pytest.fixture
def backend(store: ResultsStore) -> Backend:
    return store.backend


def test_an_object_is_read_as_it_was_written(backend: Backend) -> None:
    assert backend.read("a/b") is None and not backend.exists("a/b")
    backend.update("a/b", lambda found: (found or b"") + b"1")
    backend.update("a/b", lambda found: (found or b"") + b"2")
    backend.update("a/b", lambda found: None)
    assert backend.read("a/b") == b"12" and backend.exists("a/b")
    assert not backend.exists("a")


def test_an_error_while_merging_changes_nothing(backend: Backend) -> None:
    backend.update("a", lambda _: b"1")
    with pytest.raises(ZeroDivisionError):
        backend.update("a", lambda _: b"1" * (1 // 0))
    assert backend.read("a") == b"1"


def test_what_exists_is_not_created(backend: Backend) -> None:
    assert backend.create("a/b", b"1")
    assert not backend.create("a/b", b"2")
    assert backend.read("a/b") == b"1"


def test_deleting_needs_nothing_to_be_there(backend: Backend) -> None:
    backend.delete("a/b")
    backend.update("a/b", lambda _: b"1")
    backend.delete("a/b")
    assert backend.read("a/b") is None


def test_keys_and_folders(backend: Backend) -> None:
    draft = f"a/.{'0' * 32}.draft"  # of a killed writer
    for key in ("x", "a/2", "a/1/z", draft, ".locks/y", "ab/1"):
        backend.update(key, lambda _: b"")
    assert backend.list("a") == ["a/1/z", "a/2"]
    assert backend.list("a/1") == ["a/1/z"]
    assert backend.list("nowhere") == []
    assert backend.folders("") == ["a", "ab"]
    assert backend.folders("a") == ["1"]


def test_what_somebody_named_with_a_dot_is_an_object_like_any_other(backend: Backend) -> None:
    for key in ("a/.hidden", "a/.folder/x", "a/.locks/x"):
        backend.update(key, lambda _: b"1")
    assert backend.list("a") == ["a/.folder/x", "a/.hidden", "a/.locks/x"]
    assert backend.list("") == backend.list("a")
    assert backend.folders("a") == [".folder", ".locks"]
    backend.move_folder("a", "b")
    assert (backend.list("a"), backend.list("b/.folder")) == ([], ["b/.folder/x"])


def test_names_may_hold_any_letter(backend: Backend) -> None:
    key = "a folder/Grüße #1?.txt"
    backend.update(key, lambda _: b"1")
    assert backend.list("a folder") == [key]
    assert backend.local_copy(key).read_bytes() == b"1"
    backend.move(key, "b/100% + é.txt")
    assert backend.list("") == ["b/100% + é.txt"]


def test_a_move_never_overwrites(backend: Backend) -> None:
    backend.update("a", lambda _: b"1")
    backend.move("a", "b/c")
    assert (backend.read("a"), backend.read("b/c")) == (None, b"1")
    backend.update("a", lambda _: b"older")
    backend.move("a", "b/c")
    assert (backend.read("a"), backend.read("b/c")) == (None, b"1")


def test_a_file_becomes_an_object(backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12")
    backend.upload(tmp_path / "file", "a/b")
    assert backend.read("a/b") == b"12"


def test_files_of_a_workspace_become_objects(backend: Backend) -> None:
    with backend.workspace("logs/running") as folder:
        (folder / "x.eval").write_bytes(b"1")
    backend.adopt("logs/running")
    assert backend.read("logs/running/x.eval") == b"1"


def test_a_lock_is_held_by_one(backend: Backend) -> None:
    assert not backend.is_held("x")
    with backend.lock("x", "me"), backend.lock("y", "me"):
        assert backend.is_held("x") and backend.holds_locks()
    assert not backend.is_held("x")
    with backend.lock("once", "me", is_unique=True):
        assert backend.is_held("once")
    assert not backend.is_held("once")


def test_a_lock_of_its_own_leaves_nothing_behind_whatever_ends_it(tmp_path: Path) -> None:
    backend = open_backend(str(tmp_path))
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), backend.lock("of/me", "me", is_unique=True):
            raise error
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_copy_of_nothing(backend: Backend) -> None:
    with pytest.raises(StoreError, match=r"there is no .*a/b"):
        backend.local_copy("a/b")


def test_a_folder_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    open_backend("~/results").update("a", lambda _: b"1")
    assert (tmp_path / "results" / "a").read_bytes() == b"1"


def test_pieces_of_an_object_are_read(backend: Backend) -> None:
    data = bytes(range(256)) * 2000
    backend.update("a/b", lambda _: data)
    with backend.open("a/b") as file:
        assert file.read(3) == data[:3]
        assert file.seek(-5, 2) == len(data) - 5 and file.read() == data[-5:] and file.read() == b""
        assert file.seek(100_000) == 100_000 and file.read(200_000) == data[100_000:300_000]
        assert file.seek(7, 1) == 300_007 and file.read(1) == data[300_007:300_008]
        assert file.seek(10**9) == 10**9 and file.read() == b""
    with pytest.raises(StoreError, match=r"there is no .*gone"):
        backend.open("a/gone")


def test_pieces_are_of_one_object(s3_location: str) -> None:
    ours = open_backend(s3_location)
    ours.update("a", lambda _: b"1" * 200_000)
    with ours.open("a") as file:
        assert file.read(1) == b"1"
        ours.update("a", lambda _: b"2" * 200_000)
        with pytest.raises(StoreError, match="another writer has replaced it"):
            file.seek(150_000)
            file.read(1)
        ours.delete("a")
        with pytest.raises(StoreError, match="was deleted"):
            file.read(1)


def test_on_a_disk_that_nobody_can_write_no_lock_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a read-only copy of a study whose run was killed."""
    backend = open_backend(str(tmp_path))
    with backend.lock("reservations/x", "holder"):
        pass
    assert list(tmp_path.rglob("x*"))

    def refuse(lock: FileLock, **given: float) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert not backend.is_held("reservations/x")


@pytest.mark.parametrize("root", ["file", "file/below"])
def test_a_file_is_not_looked_into_as_if_it_were_an_empty_folder(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=str(tmp_path / root)):
        open_backend(str(tmp_path / root)).folders("")
    with pytest.raises(StoreError, match=str(tmp_path / "file")):
        open_backend(str(tmp_path)).folders("file")
    assert open_backend(str(tmp_path / "nowhere")).folders("") == []
