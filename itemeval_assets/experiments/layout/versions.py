"""Versions of experiments: three numbers, ordered."""

import re
from functools import total_ordering
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

VersionBump = Literal["bumpmajor", "bumpminor", "bumppatch", "keep"]
_BUMPS: tuple[str, ...] = ("bumpmajor", "bumpminor", "bumppatch", "keep")
_TEXT = re.compile(r"v?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.(0|[1-9]\d*))?", re.ASCII)
_FOLDER = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)


@total_ordering
class SemVer(BaseModel):
    """A version: `str` gives `v1.2.3`, the name of its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    major: int = Field(ge=0)
    minor: int = Field(default=0, ge=0)
    patch: int = Field(default=0, ge=0)

    @classmethod
    def FromString(cls, version: str) -> "SemVer":
        """The version of `v1.2.3`; the `v`, and numbers at the end, may be missing.

        Raises ValueError for anything else.
        """
        found = _TEXT.fullmatch(version.strip())
        if found is None:
            raise ValueError(f"{version!r} is no version; write it as v1.2.3")
        return cls._of(found)

    @classmethod
    def from_folder(cls, name: str) -> "SemVer | None":
        """The version whose folder has this name, or None: foreign folders are no error."""
        found = _FOLDER.fullmatch(name)
        return None if found is None else cls._of(found)

    @classmethod
    def _of(cls, found: re.Match[str]) -> "SemVer":
        major, minor, patch = (int(number or 0) for number in found.groups())
        return cls(major=major, minor=minor, patch=patch)

    def next_major_version(self) -> "SemVer":
        return SemVer(major=self.major + 1)

    def next_minor_version(self) -> "SemVer":
        return SemVer(major=self.major, minor=self.minor + 1)

    def next_patch_version(self) -> "SemVer":
        return SemVer(major=self.major, minor=self.minor, patch=self.patch + 1)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, SemVer):
            return NotImplemented
        return self._numbers < other._numbers

    @property
    def _numbers(self) -> tuple[int, int, int]:
        return self.major, self.minor, self.patch

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"


FIRST_VERSION = SemVer(major=1)


def next_version(
    wanted: SemVer | VersionBump, latest: SemVer | None, newest: SemVer | None = None
) -> SemVer:
    """The version of the next run; v1.0.0 where there is none yet, whatever is bumped.

    `latest` is the highest published version, which `keep` keeps; `newest` the highest one that
    has a folder (default: `latest`), which the others go beyond. Raises ValueError for a word
    that is no bump.
    """
    if isinstance(wanted, SemVer):
        return wanted
    if wanted not in _BUMPS:
        raise ValueError(f"version {wanted!r}: give one of {', '.join(_BUMPS)}, or a SemVer")
    if wanted == "keep":
        return latest or FIRST_VERSION
    taken = newest or latest
    if taken is None:
        return FIRST_VERSION
    bumps = {
        "bumpmajor": taken.next_major_version,
        "bumpminor": taken.next_minor_version,
        "bumppatch": taken.next_patch_version,
    }
    return bumps[wanted]()
