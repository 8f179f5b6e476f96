"""What has not changed is not read again; what has, always is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from itemeval_assets.storage.objects.backends import Backend
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.objects.kept import Kept
from itemeval_assets.storage.objects.s3 import S3Backend, open_s3
from itemeval_assets.storage.s3.bucket import s3_client, split_s3

WRITES = 500


@pytest.fixture(params=["disk", "bucket"])
def another(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Backend]:
    """Makes one more backend of the same place, as another process has it."""
    if request.param == "disk":
        return lambda: LocalBackend(tmp_path / "study")
    location: str = request.getfixturevalue("s3_location")
    bucket, prefix = split_s3(location)
    return lambda: S3Backend(bucket, prefix, s3_client())


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of objects whose bytes came from the disk or the bucket."""
    found: list[str] = []
    load, get = LocalBackend._load, S3Backend._get

    def loading(self: LocalBackend, key: str, path: Path) -> bytes:
        found.append(key)
        return load(self, key, path)

    def getting(self: S3Backend, key: str, asked: dict[str, str]):
        got = get(self, key, asked)  # raises where the object has not changed
        found.append(key)
        return got

    monkeypatch.setattr(LocalBackend, "_load", loading)
    monkeypatch.setattr(S3Backend, "_get", getting)
    return found


def test_an_object_is_read_once_until_somebody_changes_it(
    another: Callable[[], Backend], loads: list[str]
) -> None:
    ours, theirs = another(), another()
    theirs.update("x", lambda _: b"one")
    loads.clear()
    assert [ours.read("x"), ours.read("x"), *ours.read_many(["x", "x"])] == [b"one"] * 4
    assert loads == ["x"]
    theirs.update("x", lambda _: b"two")
    assert (ours.read("x"), loads) == (b"two", ["x", "x"])
    theirs.delete("x")
    assert ours.read("x") is None
    theirs.update("x", lambda _: b"two")
    assert ours.read("x") == b"two"


def test_what_one_writes_one_need_not_read(
    another: Callable[[], Backend], loads: list[str]
) -> None:
    ours, theirs = another(), another()
    ours.update("x", lambda _: b"one")
    loads.clear()
    ours.update("x", lambda data: (data or b"") + b" two")
    assert (ours.read("x"), loads) == (b"one two", [])
    theirs.update("x", lambda data: (data or b"") + b" three")
    ours.update("x", lambda data: (data or b"") + b" four")
    assert another().read("x") == b"one two three four"


def test_no_write_of_others_is_missed_however_fast_they_are(tmp_path: Path) -> None:
    """All of one length, so that nothing but the file tells one version from the next."""
    ours, theirs = LocalBackend(tmp_path), LocalBackend(tmp_path)
    for number in range(WRITES):
        data = f"{number:06d}".encode()
        # Twice: the file system may give the second file the inode of the one that `ours` knows.
        for text in (b"------", data):
            theirs.update("x", lambda _, text=text: text)
        assert ours.read("x") == data
        ours.update("x", lambda stored: (stored or b"")[::-1])
        assert theirs.read("x") == data[::-1]


def test_a_bucket_is_one_backend_in_a_process(s3_location: str) -> None:
    assert open_s3(s3_location) is open_s3(s3_location)


def test_the_oldest_make_room() -> None:
    kept = Kept[str](most_bytes=10)
    kept.keep("a", "first", 4)
    kept.keep("b", "second", 4)
    assert kept.get("a") == "first"  # now b is the one that was used longest ago
    kept.keep("c", "third", 4)
    assert [kept.get(key) for key in "abc"] == ["first", None, "third"]
    kept.keep("c", "larger than all room", 11)
    assert [kept.get(key) for key in "abc"] == [None, None, None]
    kept.keep("a", "again", 10)
    kept.forget("a")
    kept.keep("b", "whole room", 10)
    assert [kept.get(key) for key in "ab"] == [None, "whole room"]
