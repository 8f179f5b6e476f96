"""Objects in a bucket.

Writes that others may overtake are compare-and-swap: S3 stores them only where the object is
still the one that was read (If-Match), or still absent (If-None-Match).
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from itemeval_assets.core.errors import ItemevalAssetsError, StoreError
from itemeval_assets.settings import S3Settings
from itemeval_assets.storage.locking.leases import LIFETIME_S, Leases
from itemeval_assets.storage.own_files import LOCKS, is_own
from itemeval_assets.storage.s3.bucket import (
    Bucket,
    NotModified,
    StoredObject,
    s3_client,
    split_s3,
)
from itemeval_assets.storage.s3.reader import read_pieces

from .kept import Kept
from .stats import ObjectStat
from .workspaces import Workspaces

_MOST_SWAPS = 200
# In the place of an ETag: who reads the object asks for it.
_UNKNOWN = ""
_LONGEST_PAUSE_S = 1.0


@cache
def open_s3(location: str) -> "S3Backend":
    """The backend of `s3://bucket/prefix`; one per process, for its locks are the process's.

    Who looks takes a copy: it shares all but what it has seen.
    """
    bucket, prefix = split_s3(location)
    return S3Backend(bucket, prefix, s3_client(), S3Settings().lease_s)


class S3Backend(Bucket):
    """A prefix of a bucket. See `Backend` for what each method promises.

    One that has looked knows the ETag of every object by one listing, and of what it wrote since.
    """

    # A request waits for the network, tens of milliseconds: many wait together.
    at_once = 16

    def __init__(self, bucket: str, prefix: str, client: Any, lease_s: float = LIFETIME_S) -> None:
        super().__init__(bucket, prefix, client)
        self._locks = Leases(self, lease_s)
        self._workspaces = Workspaces(self)
        self._kept = Kept[StoredObject]()
        self._seen: dict[str, str] | None = None

    def look(self) -> None:
        start = len(self._prefix)
        self._seen = {entry["Key"][start:]: entry["ETag"] for entry in self._pages("", {})}

    def look_away(self) -> None:
        self._seen = None

    @property
    def has_looked(self) -> bool:
        return self._seen is not None

    def read(self, key: str) -> bytes | None:
        found = self._latest(key)
        return None if found is None else found.data

    def exists(self, key: str) -> bool:
        if self._workspaces.path_of(key):
            return True
        return super().exists(key) if self._seen is None else key in self._seen

    def _as_seen(self, key: str) -> StoredObject | None:
        """An object as it was at the last look: without a request where it is known."""
        if self._seen is None:
            return self._latest(key)
        mark, kept = self._seen.get(key), self._kept.get(key)
        if mark is None:
            return None
        return kept if kept and kept.etag == mark else self._latest(key)

    def _latest(self, key: str) -> StoredObject | None:
        """An object as it is now; one that has not changed since is not sent again."""
        kept = self._kept.get(key)
        try:
            found = self._get(key, {"IfNoneMatch": kept.etag} if kept else {})
        except NotModified:
            return kept
        self._keep(key, found)
        return found

    def _keep(self, key: str, found: StoredObject | None) -> None:
        if found is None:
            self._kept.forget(key)
        else:
            self._kept.keep(key, found, len(found.data))
        self._note(key, found.etag if found else None)

    def _note(self, key: str, etag: str | None) -> None:
        """What the look would have seen, had it been now."""
        if self._seen is not None:
            if etag is None:
                self._seen.pop(key, None)
            else:
                self._seen[key] = etag

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        wanted = list(keys)
        if sum(map(self._takes_a_request, wanted)) > 1:
            found = self._read_at_once(wanted)
        else:
            found = map(self._as_seen, wanted)
        return (None if stored is None else stored.data for stored in found)

    def _takes_a_request(self, key: str) -> bool:
        """Whether an object as it was at the last look is not at hand."""
        if self._seen is None:
            return True
        mark, kept = self._seen.get(key), self._kept.get(key)
        return mark is not None and (kept is None or kept.etag != mark)

    def _read_at_once(self, keys: list[str]) -> Iterator[StoredObject | None]:
        wanted = iter(keys)
        with ThreadPoolExecutor(self.at_once) as pool:
            ahead = deque(pool.submit(self._as_seen, key) for key in islice(wanted, self.at_once))
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(pool.submit(self._as_seen, key) for key in islice(wanted, 1))

    def write(self, key: str, data: bytes) -> None:
        self._keep(key, StoredObject(data, self.put(key, data)))

    def update(
        self,
        key: str,
        change: Callable[[bytes | None], bytes | None],
        *,
        is_claimed: bool = False,
    ) -> None:
        fitting: list[StoredObject | None] = []
        if not is_claimed and self._is_updated_at_hand(key, change, fitting):
            return
        for attempt in range(_MOST_SWAPS):
            stored = self._as_seen(key) if is_claimed and not attempt else self._latest(key)
            if any(stored is found for found in fitting):
                return
            data = change(stored.data if stored else None)
            if data is None or self._is_swapped(key, data, stored):
                return
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.01 * 2**attempt)))
        raise StoreError(
            f"cannot write {self.uri(key)}: {_MOST_SWAPS} times another writer was faster; run "
            "again, with fewer runs at a time"
        )

    def _is_updated_at_hand(
        self,
        key: str,
        change: Callable[[bytes | None], bytes | None],
        fitting: list[StoredObject | None],
    ) -> bool:
        """Change the version that is at hand, mostly the latest: to ask would be one request more.

        At hand is also that the last look saw none. What comes of an older version is said by no
        write: then the latest is to be asked for. One that needs no change is `fitting`.
        """
        kept = self._kept.get(key)
        if kept is None and (self._seen is None or key in self._seen):
            return False
        try:
            data = change(kept.data if kept else None)
        except ItemevalAssetsError:
            return False
        if data is None:
            fitting.append(kept)
        return data is not None and self._is_swapped(key, data, kept)

    def _is_swapped(self, key: str, data: bytes, stored: StoredObject | None) -> bool:
        written = self.swap(key, data, stored.etag if stored else None)
        if written:
            self._keep(key, StoredObject(data, written))
        return written is not None

    def create(self, key: str, data: bytes) -> bool:
        return self.swap(key, data, None) is not None

    def folders(self, prefix: str) -> list[str]:
        found = self._pages(prefix, {"Delimiter": "/"}, "CommonPrefixes")
        names = (entry["Prefix"].rstrip("/").rpartition("/")[2] for entry in found)
        return sorted(name for name in names if prefix or name != LOCKS)

    def list(self, prefix: str) -> list[str]:
        if self._seen is None:
            return sorted(self.stats(prefix))
        folder = f"{prefix}/" if prefix else ""
        return sorted(
            key for key in self._seen if key.startswith(folder) and not is_own(key, prefix)
        )

    def stats(self, prefix: str = "") -> dict[str, ObjectStat]:
        entries = {
            entry["Key"].removeprefix(self._prefix): entry for entry in self._pages(prefix, {})
        }
        if self._seen is not None and not prefix:
            self._seen = {key: entry["ETag"] for key, entry in entries.items()}
        return {
            key: ObjectStat(entry["ETag"], entry["LastModified"])
            for key, entry in entries.items()
            if not is_own(key, prefix)
        }

    def walk(self) -> Iterator[tuple[str, bool]]:
        return iter(())

    def delete(self, key: str) -> None:
        super().delete(key)
        self._keep(key, None)

    def upload(self, path: Path, key: str, *, give_away: bool = False) -> None:
        with self._telling("write", key):
            self.client.upload_file(str(path), self.bucket, self._prefix + key)
        self._note(key, _UNKNOWN)

    def move(self, source: str, target: str) -> None:
        """See `Backend.move`. S3 has no rename: for a moment there are both."""
        if path := self._workspaces.path_of(source):
            # What lies on this machine goes to its place at once.
            etag = self.swap(target, path.read_bytes(), None)
            self._workspaces.moved(source, target, etag)
            self._note(target, etag or _UNKNOWN)
            return
        with self._telling("move", source):
            if self.head(target) is None:
                place = self._at(target)
                self.client.copy(self._at(source), place["Bucket"], place["Key"])
            self.client.delete_object(**self._at(source))
        self._note(target, _UNKNOWN)
        self._note(source, None)

    def move_folder(self, source: str, target: str) -> None:
        for key in self.list(source):
            self.move(key, target + key.removeprefix(source))

    def open(self, key: str) -> BinaryIO:
        head = self.head(key)
        if head is None:
            raise StoreError(f"there is no object {self.uri(key)}")

        def fetch(start: int, end: int) -> bytes:
            # What is replaced meanwhile would be neither the old object nor the new one.
            asked = {"Range": f"bytes={start}-{end - 1}", "IfMatch": head["ETag"]}
            found = self._get(key, asked)
            if found is None:
                raise StoreError(f"{self.uri(key)} was deleted while it was read")
            return found.data

        return read_pieces(head["ContentLength"], fetch)

    def local_copy(self, key: str) -> Path:
        if path := self._workspaces.path_of(key):
            return path
        copy = self._workspaces.copy_of(key, self._seen.get(key) if self._seen else None)
        if copy is None:
            self._note(key, None)  # somebody has moved it since the look
            raise StoreError(f"there is no object {self.uri(key)}")
        return copy

    def workspace(self, folder: str) -> AbstractContextManager[Path]:
        return self._workspaces.open(folder)

    def adopt(self, folder: str) -> None:
        if self._workspaces.adopt(folder) and self._seen is not None:
            self.look()

    @contextmanager
    def lock(
        self,
        key: str,
        holder: str,
        on_wait: Callable[[str], None] | None = None,
        *,
        is_unique: bool = False,
    ) -> Iterator[None]:
        def tell(_: str, other: str) -> None:
            if on_wait and other:
                on_wait(other)

        with self._locks.hold([key], holder, tell):
            yield

    def lock_each(
        self, keys: Sequence[str], holder: str, on_wait: Callable[[str, str], None]
    ) -> AbstractContextManager[None]:
        return self._locks.hold(keys, holder, on_wait)

    def is_held(self, key: str) -> bool:
        return self._locks.is_held(key)

    def holds_locks(self) -> bool:
        return self._locks.are_alive()
