"""Releases: a study published as a version of the experiment that bears its name."""

from .publish import publish_release, storage_for
from .versions import asked_version

__all__ = ["asked_version", "publish_release", "storage_for"]
