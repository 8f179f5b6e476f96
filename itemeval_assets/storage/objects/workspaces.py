"""Folders on this machine for the logs of a study that lies in a bucket.

inspect_ai writes its logs here, at the speed of a disk and whatever becomes of the network,
and a thread sends each one to the bucket as it grows. What a killed process has left behind
is sent by the next one on this machine.
"""

import hashlib
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.own_files import LOG, NOTES
from itemeval_assets.storage.s3.bucket import Bucket

from .disk import reason_of

_SEND_EVERY_S = 2.0
# Where a log takes long to send, sending takes at most this part of the time.
_SENDING_SHARE = 0.1
_DELETES_AT_ONCE = 16


class Workspaces:
    """The folders of all processes of this machine for one prefix of a bucket."""

    def __init__(self, objects: Bucket) -> None:
        self._objects = objects
        self._copies: tempfile.TemporaryDirectory[str] | None = None
        self._etags: dict[str, str] = {}
        self._guard = threading.Lock()
        self._senders: list[_Sender] = []

    @contextmanager
    def open(self, folder: str) -> Iterator[Path]:
        """See `Backend.workspace`. What cannot be sent stays on the disk, and is sent later."""
        place = self._place(folder) / uuid.uuid4().hex
        lock = FileLock(_lock_of(place))
        try:
            place.mkdir(parents=True)
            lock.acquire()
        except OSError as error:
            raise StoreError(
                f"cannot write {place.parent}, where logs are kept until they are in the bucket: "
                f"{reason_of(error)}, or set XDG_CACHE_HOME to another folder"
            ) from error
        sender = _Sender(self._objects, place, folder)
        self._senders.append(sender)
        try:
            with sender.sending():
                yield place
        finally:
            self._senders.remove(sender)
            if sender.has_sent_all:
                _remove(place)
            lock.release()

    def adopt(self, folder: str) -> bool:
        """See `Backend.adopt`. Whether there was anything to bring home."""
        has_adopted = False
        for place in sorted(path for path in self._place(folder).glob("*") if path.is_dir()):
            lock = FileLock(_lock_of(place))
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            try:
                _Sender(self._objects, place, folder).send_changed()
                _remove(place)
                has_adopted = True
            finally:
                lock.release()
        return has_adopted

    def path_of(self, key: str) -> Path | None:
        """Where the file lies that is to become this object, while its workspace is open."""
        return next((path for sender in self._senders if (path := sender.path_of(key))), None)

    def moved(self, source: str, target: str, etag: str | None) -> None:
        """A file of an open workspace is an object elsewhere now; null: it was there already."""
        for sender in self._senders:
            if path := sender.path_of(source):
                copy = self._copy_path(target)
                copy.parent.mkdir(parents=True, exist_ok=True)
                sender.give(path, copy)
                if etag:
                    self._etags[target] = etag

    def copy_of(self, key: str, etag: str | None = None) -> Path | None:
        """See `Backend.local_copy`; None where there is none. One that has not changed is fetched
        once.

        `etag`: that of the object, where it is known without a request.
        """
        path = self._copy_path(key)
        if etag and self._etags.get(key) == etag:
            return path
        found = self._objects.get(key, unless=self._etags.get(key))
        if found is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found.data)
            self._etags[key] = found.etag
        elif not path.exists() or not self._objects.exists(key):
            return None
        return path

    def _copy_path(self, key: str) -> Path:
        with self._guard:
            if self._copies is None:
                self._copies = tempfile.TemporaryDirectory(prefix="itemeval_assets_")
        root = Path(self._copies.name)
        path = Path(os.path.normpath(root / key))
        if not path.is_relative_to(root):
            raise StoreError(f"{self._objects.uri(key)}: a name with `..` is not fetched")
        return path

    def _place(self, folder: str) -> Path:
        digest = hashlib.sha256(self._objects.uri(folder).encode()).hexdigest()[:16]
        return user_cache_path("itemeval_assets") / "unsent" / digest


class _Sender:
    """Sends the files of one folder to the bucket whenever they have changed."""

    def __init__(self, objects: Bucket, place: Path, folder: str) -> None:
        self._objects, self._place, self._folder = objects, place, folder
        self._sent: dict[Path, tuple[int, int]] = {}
        self._ended = threading.Event()
        self.has_sent_all = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send in the background while the block runs; at its end, all that is left."""
        thread = threading.Thread(target=self._keep_sending, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
            try:
                self.send_changed()
                # What is an object elsewhere by now, or is needed no more.
                gone = [self._key(path) for path in self._sent if not path.exists()]
                with ThreadPoolExecutor(_DELETES_AT_ONCE) as pool:
                    list(pool.map(self._objects.delete, gone))
                self.has_sent_all = True
            except StoreError as error:
                raise StoreError(
                    f"{error}.\nNo answer is lost: the logs are kept in {self._place}, and the "
                    "next run of this study on this machine uploads them and continues from there"
                ) from error

    def send_changed(self) -> None:
        # inspect renames a finished draft to its log: what is read is never half a log. Notes go
        # after the log that they belong to.
        for path in (*sorted(self._place.glob(f"*{LOG}")), *sorted(self._place.glob(f"*{NOTES}"))):
            with suppress(FileNotFoundError):  # it is in its own place by now
                found = path.stat()
                mark = (found.st_mtime_ns, found.st_size)
                if self._sent.get(path) != mark:
                    # Who gives the file away meanwhile does not wait for the network.
                    self._objects.put(self._key(path), path.read_bytes())
                    self._sent[path] = mark

    def path_of(self, key: str) -> Path | None:
        """The file that is sent as this object, if it is here."""
        path = self._place / key.removeprefix(f"{self._folder}/")
        return path if key == self._key(path) and path.exists() else None

    def _key(self, path: Path) -> str:
        return f"{self._folder}/{path.name}"

    def give(self, path: Path, target: Path) -> None:
        """Let go of a file that is an object elsewhere. What was sent of it goes at the end."""
        shutil.move(path, target)

    def _keep_sending(self) -> None:
        pause_s = _SEND_EVERY_S
        while not self._ended.wait(pause_s):
            begun = time.monotonic()
            try:
                self.send_changed()
            except StoreError:
                # The calls go on without the network; the end of the block says if it stays away.
                continue
            finally:
                pause_s = max(_SEND_EVERY_S, (time.monotonic() - begun) / _SENDING_SHARE)


def _remove(place: Path) -> None:
    shutil.rmtree(place)
    _lock_of(place).unlink(missing_ok=True)


def _lock_of(place: Path) -> Path:
    return place.with_suffix(".lock")
