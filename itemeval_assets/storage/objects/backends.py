"""Where bytes live. One interface, so that a study can lie on a disk or in a bucket.

`update` is the only way to change an object that others may change too: it reads, lets
the caller merge, and writes only what nobody has overtaken.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from itemeval_assets.core.text.locations import scheme_of

from .disk import LocalBackend
from .stats import ObjectStat


def open_backend(location: str) -> "Backend":
    """The backend of a folder, or of `s3://bucket/prefix`. Touches neither."""
    if not scheme_of(location):
        return LocalBackend(Path(location).expanduser())
    from .s3 import open_s3

    return copy.copy(open_s3(location))


class Backend(Protocol):
    """Objects under `/`-separated keys. Readers see an old object or a new one, never a part.

    Every method raises StoreError that names the object when the disk or the bucket refuses.

    `at_once`: how many requests that do not depend on each other are best made together.
    """

    at_once: int

    def look(self) -> None:
        """Learn what there is now, with one request for a thousand objects of a bucket.

        From then on `read_many`, `exists` and `list` tell of that moment, and of what this
        backend has written since; `read` and `update` tell of the present.
        """
        ...

    def look_away(self) -> None:
        """Forget the last look: everything tells of the present again."""
        ...

    @property
    def has_looked(self) -> bool:
        """Whether there was a look, and it is not forgotten."""
        ...

    def read(self, key: str) -> bytes | None:
        """The object, or None when there is none."""
        ...

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """Objects one after the other, in the order of their keys; never all in memory."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such an object. Does not fetch it."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Write an object, whatever there was."""
        ...

    def update(
        self,
        key: str,
        change: Callable[[bytes | None], bytes | None],
        *,
        is_claimed: bool = False,
    ) -> None:
        """Replace the object by `change(object)`; None leaves it. Concurrent updates all count.

        `change` may be called more than once, each time with what is stored by then. `is_claimed`:
        nobody else should write it now, so the object is first taken to be as at the last look.
        """
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write an object where there is none; False, and nothing written, where there is one."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object. It need not exist."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below a folder, sorted; that of locks left out."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Keys below a folder, sorted; drafts and locks of the store left out."""
        ...

    def stats(self, prefix: str = "") -> dict[str, ObjectStat]:
        """What is known of the objects below a folder without reading them, by key.

        Of all objects it is a look, too, for who had looked before.
        """
        ...

    def walk(self) -> Iterator[tuple[str, bool]]:
        """Every file and folder by its key, and whether it is a file; hidden folders left out.

        Nothing in a bucket: what has no folders has none in the place of an object.
        """
        ...

    def upload(self, path: Path, key: str, *, give_away: bool = False) -> None:
        """Write a file of this machine as an object; given away, it need not stay."""
        ...

    def move(self, source: str, target: str) -> None:
        """Rename an object. Where the target exists already, it stays and the source goes."""
        ...

    def move_folder(self, source: str, target: str) -> None:
        """Bring all objects of a folder under another one; afterwards `source` may be an object.

        Who is interrupted calls again, and the move goes on.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """An object as a file; of a large one in a bucket only what is read is fetched."""
        ...

    def local_copy(self, key: str) -> Path:
        """A file on this machine with the content of an object, to be read only."""
        ...

    def workspace(self, folder: str) -> AbstractContextManager[Path]:
        """A folder on this machine whose files become objects of `folder`, as they grow.

        At the end of the block all of them are there.
        """
        ...

    def adopt(self, folder: str) -> None:
        """Bring home the files of workspaces that killed processes of this machine left."""
        ...

    def lock(
        self,
        key: str,
        holder: str,
        on_wait: Callable[[str], None] | None = None,
        *,
        is_unique: bool = False,
    ) -> AbstractContextManager[None]:
        """The sole right to something while the block runs; who dies, loses it.

        `on_wait(holder)` is told, at once and each minute, who else holds it. `is_unique`: nobody
        else ever takes this lock, so that nothing of it need stay.
        """
        ...

    def lock_each(
        self, keys: Sequence[str], holder: str, on_wait: Callable[[str, str], None]
    ) -> AbstractContextManager[None]:
        """Locks taken in this order, and held together while the block runs.

        `on_wait(key, holder)` is told as for a single lock, and with no holder when the wait is
        over.
        """
        ...

    def is_held(self, key: str) -> bool:
        """Whether somebody alive holds a lock."""
        ...

    def holds_locks(self) -> bool:
        """Whether the locks that this process took are certainly still its own."""
        ...

    def uri(self, key: str) -> str:
        """What a person or pandas opens."""
        ...
