"""Where results lie: in a folder, or in a bucket. Here is how the address of each store is told."""

import re

# The bucket and a prefix, by the scheme of its store.
_BUCKETS = {"s3://": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*/?")}
ACCEPTED = "a folder, or a bucket as s3://bucket/prefix"
# What somebody writes who means a bucket: it would be the name of a folder.
_SLIP = re.compile(r"(s3a?|gs|gcs|file|https?):|s3//", re.IGNORECASE)


def scheme_of(location: str) -> str | None:
    """The scheme of the store of a bucket, or None for a folder."""
    return next((scheme for scheme in _BUCKETS if location.startswith(scheme)), None)


def is_location(text: str) -> bool:
    """Whether results may lie there: what has no scheme, nor looks like one, is a folder."""
    scheme = scheme_of(text)
    if scheme is None:
        return "://" not in text and not _SLIP.match(text)
    return bool(_BUCKETS[scheme].fullmatch(text.removeprefix(scheme)))
