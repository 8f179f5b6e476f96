"""Objects as files of a folder of this machine."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISDIR
from typing import BinaryIO, NamedTuple

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.locking.os_locks import OsLocks
from itemeval_assets.storage.own_files import LOCKS, draft_name, is_own

from .kept import Kept
from .stats import ObjectStat


class _StoredFile(NamedTuple):
    """An object as it was read, and the mark of its file: every write makes a new one."""

    data: bytes
    mark: tuple[int, ...]


class LocalBackend:
    """A directory. A lock per key orders writers; a rename makes each write atomic.

    See `Backend` for what each method promises.
    """

    # The disk is at hand: one access after the other takes no longer.
    at_once = 1

    def __init__(self, root: Path) -> None:
        self.root = root
        self._locks = OsLocks(root)
        self._kept = Kept[_StoredFile]()

    has_looked = False

    def look(self) -> None:
        """Nothing to do: to ask the disk takes no time."""

    def look_away(self) -> None:
        """Nothing to do: everything tells of the present."""

    def read(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            kept = self._kept.get(key)
            if kept and kept.mark == _mark(path.stat()):
                return kept.data
            return self._load(key, path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {self.uri(key)}: {reason_of(error)}") from error

    def _load(self, key: str, path: Path) -> bytes:
        with path.open("rb") as file:
            found = _StoredFile(file.read(), _mark(os.fstat(file.fileno())))
        self._kept.keep(key, found, len(found.data))
        return found.data

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        return map(self.read, keys)

    def exists(self, key: str) -> bool:
        return (self._path(key)).is_file()

    def write(self, key: str, data: bytes) -> None:
        self.update(key, lambda _: data)

    def update(
        self,
        key: str,
        change: Callable[[bytes | None], bytes | None],
        *,
        is_claimed: bool = False,
    ) -> None:
        with self._writing(key), self._locks.hold(key):
            data = change(self.read(key))
            if data is not None:
                with self._draft(key) as draft:
                    write_synced(draft, data)
                    written = _StoredFile(data, _mark(draft.stat()))
                    draft.replace(self._path(key))
                self._kept.keep(key, written, len(data))

    def create(self, key: str, data: bytes) -> bool:
        with self._writing(key), self._draft(key) as draft:
            write_synced(draft, data)
            try:
                os.link(draft, self._path(key))
            except FileExistsError:
                return False
            return True

    def delete(self, key: str) -> None:
        with self._writing(key):
            (self._path(key)).unlink(missing_ok=True)

    def folders(self, prefix: str) -> list[str]:
        self._require_folder(prefix)
        found = (path for path in self._path(prefix).glob("*") if path.is_dir())
        return sorted(path.name for path in found if prefix or path.name != LOCKS)

    def list(self, prefix: str) -> list[str]:
        files = (path for path in self._path(prefix).rglob("*") if path.is_file())
        keys = (path.relative_to(self.root).as_posix() for path in files)
        return sorted(key for key in keys if not is_own(key, prefix))

    def stats(self, prefix: str = "") -> dict[str, ObjectStat]:
        found = {}
        for key in self.list(prefix):
            with suppress(FileNotFoundError):  # somebody has just removed it
                file = self._path(key).stat()
                changed = datetime.fromtimestamp(file.st_mtime, UTC)
                # An edit in place may keep size and time of change; not that of the inode.
                mark = "-".join(map(str, (*_mark(file), file.st_ctime_ns)))
                found[key] = ObjectStat(mark, changed)
        return found

    def walk(self) -> Iterator[tuple[str, bool]]:
        root = str(self.root)
        for folder, folders, files in os.walk(root):
            above = f"{folder.removeprefix(root).lstrip('/')}/".lstrip("/")
            folders[:] = [name for name in folders if not name.startswith(".")]
            for names, is_file in ((folders, False), (files, True)):
                for name in names:
                    yield above + name, is_file

    def upload(self, path: Path, key: str, *, give_away: bool = False) -> None:
        with self._writing(key), self._draft(key) as draft:
            # Within a file system, to move is to rename: nothing is copied.
            (shutil.move if give_away else shutil.copyfile)(path, draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(self._path(key))

    def move(self, source: str, target: str) -> None:
        with self._writing(target):
            (self._path(target)).parent.mkdir(parents=True, exist_ok=True)
            if self.exists(target):
                (self._path(source)).unlink()
            else:
                (self._path(source)).replace(self._path(target))

    def move_folder(self, source: str, target: str) -> None:
        folder = self._path(source)
        with self._writing(source):
            if folder.is_dir() and not self._path(target).exists():
                folder.rename(self._path(target))
            for key in self.list(source):
                self.move(key, target + key.removeprefix(source))
            if folder.is_dir():
                shutil.rmtree(folder)  # what is left are empty folders, and drafts of the killed

    def open(self, key: str) -> BinaryIO:
        path = self.local_copy(key)
        try:
            return path.open("rb")
        except OSError as error:
            raise StoreError(f"cannot read {self.uri(key)}: {reason_of(error)}") from error

    def local_copy(self, key: str) -> Path:
        if not self.exists(key):
            raise StoreError(f"there is no file {self.uri(key)}")
        return self._path(key)

    @contextmanager
    def workspace(self, folder: str) -> Iterator[Path]:
        with self._writing(folder):
            (self._path(folder)).mkdir(parents=True, exist_ok=True)
        yield self._path(folder)

    def adopt(self, folder: str) -> None:
        """Nothing to do: a workspace here is the folder itself."""

    @contextmanager
    def lock(
        self,
        key: str,
        holder: str,
        on_wait: Callable[[str], None] | None = None,
        *,
        is_unique: bool = False,
    ) -> Iterator[None]:
        with ExitStack() as stack:
            if is_unique:
                stack.callback(self._locks.forget, key)
            with self._writing(key):
                stack.enter_context(self._locks.hold(key, holder, on_wait))
            yield

    @contextmanager
    def lock_each(
        self, keys: Sequence[str], holder: str, on_wait: Callable[[str, str], None]
    ) -> Iterator[None]:
        with ExitStack() as stack:
            for key in keys:
                waited: list[str] = []

                def tell(other: str, key: str = key, to: list[str] = waited) -> None:
                    to.append(other)
                    on_wait(key, other)

                stack.enter_context(self.lock(key, holder, tell))
                if waited:
                    on_wait(key, "")
            yield

    def is_held(self, key: str) -> bool:
        with self._writing(key):
            return self._locks.is_held(key)

    def holds_locks(self) -> bool:
        """Yes: the operating system takes no lock from a living process."""
        return True

    def uri(self, key: str) -> str:
        return str(self.root / key)

    def _path(self, key: str) -> Path:
        """Where an object lies. Raises StoreError for a key that would lead out of the folder."""
        if key.startswith("/") or ".." in key.split("/"):
            raise StoreError(f"{key!r} would lead out of {self.root}; nothing is read or written")
        return self.root / key

    def _require_folder(self, prefix: str) -> None:
        """Raise StoreError for a file where a folder is looked into; there need be neither."""
        path = self._path(prefix)
        try:
            is_folder = S_ISDIR(path.stat().st_mode)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot read {path}: {reason_of(error)}") from error
        if not is_folder:
            raise StoreError(f"{path} is no folder, but a file; name a folder")

    @contextmanager
    def _draft(self, key: str) -> Iterator[Path]:
        """A file beside the object, to be renamed to it."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(draft_name())
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        self._path(key)
        try:
            yield
        except OSError as error:
            raise StoreError(f"cannot write {self.uri(key)}: {reason_of(error)}") from error


def reason_of(error: OSError) -> str:
    """What is wrong with a file or folder, and what to do."""
    if isinstance(error, IsADirectoryError):
        return "a folder is in its place; move it away"
    if isinstance(error, NotADirectoryError | FileExistsError):
        return "a file is in the place of one of its folders; move it away"
    said = error.strerror or str(error)
    return f"{said}; check that the disk has space and that you may read and write there"


def _mark(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_mtime_ns, found.st_size


def write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
