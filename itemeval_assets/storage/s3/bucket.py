"""The objects of a bucket: of Amazon's S3, or of any server that speaks its protocol."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.settings import S3Settings

from .errors import MISSING, OVERTAKEN, code_of, telling

_CUT_SHORT = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
_MOST_READS = 4
# As many as anything of ours asks at a time: a connection more would be closed after its request.
_CONNECTIONS = 32
_UNCHANGED = ("304", "NotModified")


class NotModified(Exception):
    """The object still has the ETag that was named."""


class StoredObject(NamedTuple):
    """An object as it was read, and the mark that changes when it does."""

    data: bytes
    etag: str


def s3_client() -> Any:
    """A boto3 client of the environment: see `S3Settings`. Who reads from S3 loads no Dagster."""
    settings = S3Settings()
    client = boto3.Session(profile_name=settings.profile_name).client(
        "s3",
        region_name=settings.region_name,
        endpoint_url=settings.endpoint_url,
        config=Config(
            retries={"max_attempts": settings.max_attempts, "mode": "standard"},
            max_pool_connections=_CONNECTIONS,
            user_agent=f"itemeval_assets/{version('itemeval-assets')}",
        ),
    )
    client.meta.events.register_last("before-call.s3", _send_at_once)
    return client


def _send_at_once(params: dict[str, Any], **_: Any) -> None:
    """Send an object with its request: to ask whether it may come takes one round trip more."""
    params["headers"].pop("Expect", None)


def split_s3(location: str) -> tuple[str, str]:
    """Bucket and prefix of an S3 URI. Raises ConfigError where it has no bucket."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not location.startswith("s3://") or not bucket:
        raise ConfigError(f"{location!r} is no S3 location; write s3://bucket/prefix")
    return bucket, prefix.strip("/")


class Bucket:
    """Objects under a prefix of a bucket, each with an ETag.

    Every method raises StoreError that names the object when the bucket refuses.
    """

    def __init__(self, bucket: str, prefix: str, client: Any) -> None:
        self.bucket = bucket
        self.client = client
        self._prefix = f"{prefix}/" if prefix else ""

    def get(self, key: str, unless: str | None = None) -> StoredObject | None:
        """An object with its ETag; None where there is none, or where its ETag is `unless`."""
        try:
            return self._get(key, {"IfNoneMatch": unless} if unless else {})
        except NotModified:
            return None

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
        """Whether there is such an object. Does not fetch it."""
        return self.head(key) is not None

    def put(self, key: str, data: bytes) -> str:
        """Write an object whatever there was; its ETag."""
        with self._telling("write", key):
            return self.client.put_object(**self._at(key), Body=data)["ETag"]

    def swap(self, key: str, data: bytes, etag: str | None) -> str | None:
        """Write an object if its ETag is still `etag` (null: if there is none still).

        Its new ETag; None, and nothing written, where somebody was faster. The client repeats a
        request whose answer got lost: who was faster may then have been this write itself.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        with self._telling("write", key):
            try:
                return self.client.put_object(**self._at(key), Body=data, **condition)["ETag"]
            except ClientError as error:
                if not (code_of(error) in OVERTAKEN or (etag and code_of(error) in MISSING)):
                    raise
                was_repeated = error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
        found = self.get(key) if was_repeated else None
        return found.etag if found and found.data == data else None

    def delete(self, key: str) -> None:
        """Remove an object. It need not exist."""
        with self._telling("delete", key):
            self.client.delete_object(**self._at(key))

    def uri(self, key: str) -> str:
        """What a person opens."""
        return f"s3://{self.bucket}/{self._prefix}{key}"

    def _get(self, key: str, asked: dict[str, str]) -> StoredObject | None:
        with self._telling("read", key):
            for attempt in range(1, _MOST_READS + 1):
                try:
                    found = self.client.get_object(**self._at(key), **asked)
                    return StoredObject(found["Body"].read(), found["ETag"])
                except ClientError as error:
                    if code_of(error) in MISSING:
                        return None
                    if code_of(error) in _UNCHANGED:
                        raise NotModified from None
                    raise
                except _CUT_SHORT:
                    # The client repeats requests by itself, but not the reading of their bodies.
                    if attempt == _MOST_READS:
                        raise
        raise AssertionError("unreachable")

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
