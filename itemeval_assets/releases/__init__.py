"""Releases: a study published as a version of the experiment that bears its name.

`content` is what a release holds, `versions` which version it gets, `frames`, `results` and
`documents` what is written, `publish` does it, through experiments.
"""

from .publish import Release, publish_release, storage_for

__all__ = ["Release", "publish_release", "storage_for"]
