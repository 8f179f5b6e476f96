"""Locks in a bucket, where no operating system knows who is alive.

A lock is an object that names a lease; a lease is an object that its process writes anew
every few seconds. A lease that has not been written for long enough is dead, and so are the
locks that name it. Its age is told by the clock of the server alone, so that those of the
machines may differ. A process that was stopped, or whose machine slept, for as long has lost
its lease for good: it may wake, but others may have taken its locks.
"""

import json
import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.storage.own_files import LOCKS
from itemeval_assets.storage.s3.bucket import Bucket

from .processes import is_gone, this_process

# A process that S3 does not hear from for so long may be taken for dead; see `S3Settings`.
LIFETIME_S = 60.0
_BEATS_PER_LIFETIME = 6
_POLL_S = 1.0
_REMIND_S = 60.0
# Those of this process: what else bears its name was given up while S3 was out of reach.
_OWN: set[str] = set()


class Leases:
    """The locks of one process under one prefix of a bucket; safe between its threads."""

    def __init__(self, objects: Bucket, lifetime_s: float = LIFETIME_S) -> None:
        self._objects = objects
        self.lifetime_s = lifetime_s
        self._lease = ""
        self._count = 0
        self._guard = threading.Lock()
        self._beating = threading.Event()
        self._last_beat = _now()
        self._is_lost = False

    @contextmanager
    def hold(
        self, key: str, holder: str, on_wait: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        """Hold a lock while the block runs; `on_wait(holder)` is told who else has it."""
        with self._leased() as lease:
            mark = json.dumps({"holder": holder, "lease": lease}).encode()
            self._take(key, mark, on_wait)
            try:
                yield
            finally:
                self._release(key, mark)

    def is_held(self, key: str) -> bool:
        """Whether somebody alive holds a lock."""
        found = self._objects.get(_lock_key(key))
        return found is not None and self._is_alive(self._mark(key, found.data)["lease"])

    def forget(self, key: str) -> None:
        """Remove what is left of a lock that nobody takes any more."""
        self._objects.delete(_lock_key(key))

    def are_alive(self) -> bool:
        """Whether nobody can have taken this process for dead since it took its locks."""
        self._is_lost = self._is_lost or _since(self._last_beat) >= self.lifetime_s
        return not self._is_lost

    def _take(self, key: str, mark: bytes, on_wait: Callable[[str], None] | None) -> None:
        told = -math.inf
        while True:
            found = self._objects.get(_lock_key(key))
            stored = self._mark(key, found.data) if found else {"lease": None}
            if not self._is_alive(stored["lease"]):
                if self._objects.swap(_lock_key(key), mark, found.etag if found else None):
                    return
                # The request may have been repeated after its answer got lost.
                found = self._objects.get(_lock_key(key))
                if found and found.data == mark:
                    return
                continue
            if on_wait and time.monotonic() - told >= _REMIND_S:
                on_wait(str(stored["holder"]))
                told = time.monotonic()
            time.sleep(_POLL_S)

    def _mark(self, key: str, data: bytes) -> dict[str, Any]:
        """What a lock says. One that says nothing readable might be anybody's."""
        try:
            mark = load_json(data)
            return {"holder": mark["holder"], "lease": mark["lease"]}
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self._objects.uri(_lock_key(key))} is not a lock of itemeval_assets; delete it "
                "while no run of this study is in progress"
            ) from error

    def _release(self, key: str, mark: bytes) -> None:
        found = self._objects.get(_lock_key(key))
        if found and found.data == mark:
            free = json.dumps({"holder": None, "lease": None}).encode()
            self._objects.swap(_lock_key(key), free, found.etag)

    def _is_alive(self, lease: str | None) -> bool:
        if lease is None:
            return False
        found = self._objects.get(_lease_key(lease))
        if found is None or is_gone(process := found.data.decode()):
            return False
        if process == this_process() and lease not in _OWN:
            return False
        head = self._objects.head(_lease_key(lease))
        return head is not None and _age_s(head) < self.lifetime_s

    @contextmanager
    def _leased(self) -> Iterator[str]:
        """The lease of this process, which lives while it holds any lock."""
        with self._guard:
            if self._count == 0:
                self._begin()
            self._count += 1
            lease = self._lease
        try:
            yield lease
        finally:
            with self._guard:
                self._count -= 1
                if self._count == 0:
                    self._beating.set()
                    _OWN.discard(lease)
                    self._objects.delete(_lease_key(lease))

    def _begin(self) -> None:
        self._lease, self._beating = uuid.uuid4().hex, threading.Event()
        self._beat(self._lease)
        self._is_lost = False
        _OWN.add(self._lease)
        threading.Thread(
            target=self._keep_beating, args=(self._lease, self._beating), daemon=True
        ).start()

    def _keep_beating(self, lease: str, ended: threading.Event) -> None:
        # A lease that was lost is not renewed: whoever trusts it again would call beside others.
        while not ended.wait(self.lifetime_s / _BEATS_PER_LIFETIME) and self.are_alive():
            try:
                self._beat(lease)
            except StoreError:
                # S3 may be away for a while: `are_alive` says when that was too long.
                continue

    def _beat(self, lease: str) -> None:
        begun = _now()
        self._objects.put(_lease_key(lease), this_process().encode())
        self._last_beat = begun


# time.monotonic() stands still on Linux while the machine sleeps.
_UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _now() -> tuple[float, float]:
    return time.clock_gettime(_UPTIME), time.time()


def _since(moment: tuple[float, float]) -> float:
    """The seconds since then by the clock that says more of them: a virtual machine that is
    halted has all its clocks halted, until somebody sets the time."""
    return max(now - then for now, then in zip(_now(), moment, strict=True))


def _lock_key(key: str) -> str:
    return f"{LOCKS}/{key}.json"


def _lease_key(lease: str) -> str:
    return f"{LOCKS}/leases/{lease}"


def _age_s(head: dict[str, Any]) -> float:
    """How long ago an object was written, by the clock of the server that has it."""
    told: datetime = parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"])
    return (told - head["LastModified"]).total_seconds()
