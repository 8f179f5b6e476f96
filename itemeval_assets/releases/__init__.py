"""Releases: a study published as a version of the experiment that bears its name."""

from .publish import publish_release, storage_for

__all__ = ["publish_release", "storage_for"]
