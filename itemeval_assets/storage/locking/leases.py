"""Locks in a bucket, where no operating system knows who is alive.

One object has all locks, each under who holds it, so that a run takes those of all its partitions
with one compare-and-swap. Who holds a lock names a lease: an object that its process writes anew
every few seconds. A lease that has not been written for long enough is dead, and so are the
locks of it. Its age is told by the clock of the server alone, so that those of the
machines may differ. A process that was stopped, or whose machine slept, for as long has lost
its lease for good: it may wake, but others may have taken its locks.

Who writes the locks begins with the version that it has last read or written, which mostly is the
latest: the swap tells. Where it is not, it reads them. Nobody is waited for by an older version.
"""

import json
import math
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import takewhile
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
_LONGEST_PAUSE_S = 0.1
_REMIND_S = 60.0
# Those of this process: what else bears its name was given up while S3 was out of reach.
_OWN: set[str] = set()
_HELD = f"{LOCKS}/held.json"


@dataclass(frozen=True)
class _Hold:
    """The locks that one block of one process has."""

    holder: str
    lease: str
    process: str
    keys: list[str]

    def __post_init__(self) -> None:
        texts = [self.holder, self.lease, self.process, *self.keys]
        if not all(isinstance(text, str) for text in texts) or not isinstance(self.keys, list):
            raise TypeError("no hold of locks")


# Who holds what, and the mark of the object that says so: null where there is none.
_Version = tuple[Mapping[str, _Hold], str | None]


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
        # The latest version that is known; no mark: none is.
        self._known: _Version = ({}, None)
        # What this process has, by the name of its hold.
        self._own: dict[str, Sequence[str]] = {}

    @contextmanager
    def hold(
        self,
        keys: Sequence[str],
        holder: str,
        on_wait: Callable[[str, str], None] | None = None,
    ) -> Iterator[None]:
        """Hold locks while the block runs, taken in this order.

        `on_wait(key, holder)` is told who else has one, and with no holder when the wait is over.
        """
        with self._leased() as lease:
            own = _Hold(holder, lease, this_process(), [])
            name = uuid.uuid4().hex
            try:
                if not self._is_taken_as_known(name, own, keys):
                    self._take(name, own, keys, on_wait or _tell_nobody)
                self._own[name] = keys
                yield
            finally:
                self._release(name)

    def is_held(self, key: str) -> bool:
        """Whether somebody alive holds a lock."""
        if any(key in keys for keys in [*self._own.values()]) and self.are_alive():
            return True
        holds, _ = self._read()
        return any(key in hold.keys and self._is_alive(hold) for hold in holds.values())

    def are_alive(self) -> bool:
        """Whether nobody can have taken this process for dead since it took its locks."""
        self._is_lost = self._is_lost or _since(self._last_beat) >= self.lifetime_s
        return not self._is_lost

    def _is_taken_as_known(self, name: str, own: _Hold, keys: Sequence[str]) -> bool:
        """Take locks that all are free in the version at hand, if nobody has written since."""
        holds, etag = self._known
        if etag is None or any(not set(keys).isdisjoint(hold.keys) for hold in holds.values()):
            return False
        return self._write({**holds, name: replace(own, keys=[*keys])}, etag)

    def _take(
        self, name: str, own: _Hold, keys: Sequence[str], on_wait: Callable[[str, str], None]
    ) -> None:
        left, waits_for, told = list(keys), "", -math.inf
        while left:
            holds, etag = self._read()
            # What is there counts, not what a write was told: its answer may have got lost.
            had = holds[name].keys if name in holds else []
            left = [key for key in left if key not in had]
            living = self._living(name, holds, set(left))
            others = {key: hold.holder for hold in living.values() for key in hold.keys}
            free = list(takewhile(lambda key, others=others: key not in others, left))
            known = {other: hold for other, hold in holds.items() if other in living}
            own = replace(own, keys=[*had, *free])
            if free and self._write({**known, name: own}, etag):
                left = left[len(free) :]
            if waits_for and waits_for not in left:
                on_wait(waits_for, "")
                waits_for = ""
            if left and not free:
                if waits_for != left[0] or time.monotonic() - told >= _REMIND_S:
                    waits_for, told = left[0], time.monotonic()
                    on_wait(waits_for, others[waits_for])
                time.sleep(_POLL_S)

    def _living(self, name: str, holds: Mapping[str, _Hold], wanted: set[str]) -> dict[str, _Hold]:
        """The holds of others, without those that are certainly dead. Who is in nobody's way is
        not asked for."""
        alive: dict[str, bool] = {}
        for hold in holds.values():
            if hold.lease not in alive and not wanted.isdisjoint(hold.keys):
                alive[hold.lease] = self._is_alive(hold)
        return {
            other: hold
            for other, hold in holds.items()
            if other != name and alive.get(hold.lease, not is_gone(hold.process))
        }

    def _release(self, name: str) -> None:
        self._own.pop(name, None)
        holds, etag = self._known
        if name in holds and self._write(_without(name, holds), etag):
            return
        while True:
            holds, etag = self._read()
            # What is not ours any more is not set free.
            if name not in holds or self._write(_without(name, holds), etag):
                return

    def _read(self) -> _Version:
        """Who holds what, and the mark of the object. Unreadable locks might be anybody's."""
        found = self._objects.get(_HELD)
        if found is None:
            return {}, None
        try:
            stored = load_json(found.data)
            self._known = {name: _Hold(**hold) for name, hold in stored.items()}, found.etag
            return self._known
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{self._objects.uri(_HELD)} is not a lock of itemeval_assets; delete it "
                "while no run of this study is in progress"
            ) from error

    def _write(self, holds: Mapping[str, _Hold], etag: str | None) -> bool:
        """Whether nobody was faster. A request may have been repeated after its answer got lost:
        then the next look shows it."""
        stored = {name: asdict(hold) for name, hold in holds.items()}
        # Until its answer is there, nobody knows what a write has done.
        self._known = {}, None
        if written := self._objects.swap(_HELD, json.dumps(stored).encode(), etag):
            self._known = holds, written
            return True
        time.sleep(random.uniform(0, _LONGEST_PAUSE_S))
        return False

    def _is_alive(self, hold: _Hold) -> bool:
        if is_gone(hold.process):
            return False
        if hold.process == this_process() and hold.lease not in _OWN:
            return False
        head = self._objects.head(_lease_key(hold.lease))
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


def _without(name: str, holds: Mapping[str, _Hold]) -> dict[str, _Hold]:
    return {other: hold for other, hold in holds.items() if other != name}


def _tell_nobody(key: str, holder: str) -> None:
    """Nobody wants to know."""


def _lease_key(lease: str) -> str:
    return f"{LOCKS}/leases/{lease}"


def _age_s(head: dict[str, Any]) -> float:
    """How long ago an object was written, by the clock of the server that has it."""
    told: datetime = parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"])
    return (told - head["LastModified"]).total_seconds()
