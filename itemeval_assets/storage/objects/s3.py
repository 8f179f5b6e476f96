"""Objects in a bucket: of Amazon's S3, or of any server that speaks its protocol.

Writes that others may overtake are compare-and-swap: S3 stores them only where the object is
still the one that was read (If-Match), or still absent (If-None-Match).
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.settings import S3Settings
from itemeval_assets.storage.locking.conditional import StoredObject
from itemeval_assets.storage.locking.leases import LIFETIME_S, Leases
from itemeval_assets.storage.own_files import LOCKS, is_own

from .kept import Kept
from .s3_errors import MISSING, OVERTAKEN, code_of, telling
from .s3_reader import read_pieces
from .workspaces import Workspaces

__all__ = ["S3Backend", "StoredObject", "open_s3", "s3_client", "split_s3"]

CUT_SHORT = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
MOST_READS = 4
# A request waits for the network, tens of milliseconds: many wait together.
READS_AT_ONCE = 16
MOST_SWAPS = 200
LONGEST_PAUSE_S = 1.0


UNCHANGED = ("304", "NotModified")


class NotModified(Exception):
    """The object still has the ETag that was named."""


def s3_client() -> Any:
    """A boto3 client of the environment: see `S3Settings`. Who reads from S3 loads no Dagster."""
    settings = S3Settings()
    return boto3.Session(profile_name=settings.profile_name).client(
        "s3",
        region_name=settings.region_name,
        endpoint_url=settings.endpoint_url,
        config=Config(retries={"max_attempts": settings.max_attempts, "mode": "standard"}),
    )


@cache
def open_s3(location: str) -> "S3Backend":
    """The backend of `s3://bucket/prefix`; one per process, for its locks are the process's."""
    bucket, prefix = split_s3(location)
    return S3Backend(bucket, prefix, s3_client(), S3Settings().lease_s)


def split_s3(location: str) -> tuple[str, str]:
    """Bucket and prefix of an S3 URI. Raises ConfigError where it has no bucket."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not location.startswith("s3://") or not bucket:
        raise ConfigError(f"{location!r} is no S3 location; write s3://bucket/prefix")
    return bucket, prefix.strip("/")


class S3Backend:
    """A prefix of a bucket. See `Backend` for what each method promises."""

    def __init__(self, bucket: str, prefix: str, client: Any, lease_s: float = LIFETIME_S) -> None:
        self.bucket = bucket
        self.client = client
        self._prefix = f"{prefix}/" if prefix else ""
        self._locks = Leases(self, lease_s)
        self._workspaces = Workspaces(self)
        self._kept = Kept[StoredObject]()

    def read(self, key: str) -> bytes | None:
        found = self._latest(key)
        return None if found is None else found.data

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

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        wanted = iter(keys)
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            ahead = deque(pool.submit(self.read, key) for key in islice(wanted, READS_AT_ONCE))
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(pool.submit(self.read, key) for key in islice(wanted, 1))

    def get(self, key: str, unless: str | None = None) -> StoredObject | None:
        """An object with its ETag; None where there is none, or where its ETag is `unless`."""
        try:
            return self._get(key, {"IfNoneMatch": unless} if unless else {})
        except NotModified:
            return None

    def _get(self, key: str, asked: dict[str, str]) -> StoredObject | None:
        with self._telling("read", key):
            for attempt in range(1, MOST_READS + 1):
                try:
                    found = self.client.get_object(**self._at(key), **asked)
                    return StoredObject(found["Body"].read(), found["ETag"])
                except ClientError as error:
                    if code_of(error) in MISSING:
                        return None
                    if code_of(error) in UNCHANGED:
                        raise NotModified from None
                    raise
                except CUT_SHORT:
                    # The client repeats requests by itself, but not the reading of their bodies.
                    if attempt == MOST_READS:
                        raise
        raise AssertionError("unreachable")

    def head(self, key: str) -> dict[str, Any] | None:
        """What S3 says of an object without sending it; None where there is none."""
        with self._telling("look at", key):
            try:
                return self.client.head_object(**self._at(key))
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None
                raise

    def exists(self, key: str) -> bool:
        return self.head(key) is not None

    def put(self, key: str, data: bytes) -> str:
        """Write an object whatever there was; its ETag."""
        with self._telling("write", key):
            return self.client.put_object(**self._at(key), Body=data)["ETag"]

    def swap(self, key: str, data: bytes, etag: str | None) -> str | None:
        """Write an object if its ETag is still `etag` (null: if there is none still).

        Its new ETag; None, and nothing written, where somebody was faster.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        with self._telling("write", key):
            try:
                return self.client.put_object(**self._at(key), Body=data, **condition)["ETag"]
            except ClientError as error:
                if code_of(error) in OVERTAKEN or (etag and code_of(error) in MISSING):
                    return None
                raise

    def update(self, key: str, change: Callable[[bytes | None], bytes | None]) -> None:
        for attempt in range(MOST_SWAPS):
            stored = self._latest(key)
            data = change(stored.data if stored else None)
            if data is None:
                return
            if written := self.swap(key, data, stored.etag if stored else None):
                self._keep(key, StoredObject(data, written))
                return
            time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 0.01 * 2**attempt)))
        raise StoreError(
            f"cannot write {self.uri(key)}: {MOST_SWAPS} times another writer was faster; "
            "run again with fewer runs at once"
        )

    def create(self, key: str, data: bytes) -> bool:
        # The client repeats a request whose answer got lost: then what is there may be our own.
        return self.swap(key, data, None) is not None or self.read(key) == data

    def delete(self, key: str) -> None:
        with self._telling("delete", key):
            self.client.delete_object(**self._at(key))

    def folders(self, prefix: str) -> list[str]:
        found = self._pages(prefix, {"Delimiter": "/"}, "CommonPrefixes")
        names = (entry["Prefix"].rstrip("/").rpartition("/")[2] for entry in found)
        return sorted(name for name in names if prefix or name != LOCKS)

    def list(self, prefix: str) -> list[str]:
        keys = (entry["Key"].removeprefix(self._prefix) for entry in self._pages(prefix, {}))
        return sorted(key for key in keys if not is_own(key, prefix))

    def walk(self) -> Iterator[tuple[str, bool]]:
        return iter(())

    def upload(self, path: Path, key: str, *, give_away: bool = False) -> None:
        with self._telling("write", key):
            self.client.upload_file(str(path), self.bucket, self._prefix + key)

    def move(self, source: str, target: str) -> None:
        """See `Backend.move`. S3 has no rename: for a moment there are both."""
        with self._telling("move", source):
            if not self.exists(target):
                place = self._at(target)
                self.client.copy(self._at(source), place["Bucket"], place["Key"])
            self.client.delete_object(**self._at(source))

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
        return self._workspaces.copy_of(key)

    def workspace(self, folder: str) -> AbstractContextManager[Path]:
        return self._workspaces.open(folder)

    def adopt(self, folder: str) -> None:
        self._workspaces.adopt(folder)

    @contextmanager
    def lock(
        self,
        key: str,
        holder: str,
        on_wait: Callable[[str], None] | None = None,
        *,
        is_unique: bool = False,
    ) -> Iterator[None]:
        with self._locks.hold(key, holder, on_wait):
            yield
        if is_unique:
            self._locks.forget(key)

    def is_held(self, key: str) -> bool:
        return self._locks.is_held(key)

    def holds_locks(self) -> bool:
        return self._locks.are_alive()

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{self._prefix}{key}"

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._prefix + key}

    def _pages(
        self, prefix: str, options: dict[str, str], kind: str = "Contents"
    ) -> Iterator[dict[str, Any]]:
        folder = f"{self._prefix}{prefix}/" if prefix else self._prefix
        with self._telling("list", prefix):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=folder, **options):
                yield from page.get(kind, [])

    @contextmanager
    def _telling(self, action: str, key: str) -> Iterator[None]:
        with telling(action, self.uri(key), self.client.meta.endpoint_url):
            yield
