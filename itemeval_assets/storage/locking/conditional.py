"""What leases and workspaces need of a bucket: objects that are written only as expected."""

from typing import Any, NamedTuple, Protocol

__all__ = ["ConditionalObjects", "StoredObject"]


class StoredObject(NamedTuple):
    """An object as it was read, and the mark that changes when it does."""

    data: bytes
    etag: str


class ConditionalObjects(Protocol):
    """Objects of a bucket, each with an ETag. Every method raises StoreError of the bucket."""

    def read(self, key: str) -> bytes | None:
        """The object; None where there is none."""
        ...

    def get(self, key: str, unless: str | None = None) -> StoredObject | None:
        """An object with its ETag; None where there is none, or where its ETag is `unless`."""
        ...

    def head(self, key: str) -> dict[str, Any] | None:
        """What S3 says of an object without sending it; None where there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        ...

    def put(self, key: str, data: bytes) -> str:
        """Write an object whatever there was; its ETag."""
        ...

    def swap(self, key: str, data: bytes, etag: str | None) -> str | None:
        """Write an object if its ETag is still `etag` (null: if there is none still).

        Its new ETag; None, and nothing written, where somebody was faster.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object. It need not exist."""
        ...

    def uri(self, key: str) -> str:
        """What a person opens."""
        ...
