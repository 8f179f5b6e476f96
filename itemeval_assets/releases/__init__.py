"""Releases: a study published as a version of the experiment that bears its name."""

from .publish import Release, publish_release, storage_for

__all__ = ["Release", "publish_release", "storage_for"]
