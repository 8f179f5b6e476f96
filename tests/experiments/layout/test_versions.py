"""The order of versions, their text, and what comes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.experiments import SemVer
from itemeval_assets.experiments.layout.versions import next_version

numbers = st.integers(0, 10**6)
versions = st.builds(SemVer, major=numbers, minor=numbers, patch=numbers)


@given(versions)
def test_text_leads_back(version):
    assert SemVer.FromString(str(version)) == version
    assert SemVer.FromString(str(version)[1:]) == version
    assert SemVer.from_folder(str(version)) == version


@given(versions, versions)
def test_versions_are_ordered_as_their_numbers(one, other):
    key = (one.major, one.minor, one.patch), (other.major, other.minor, other.patch)
    assert (one < other, one <= other, one == other) == (
        key[0] < key[1],
        key[0] <= key[1],
        key[0] == key[1],
    )
    assert (hash(one) == hash(other)) or one != other


@given(versions)
def test_each_bump_is_later_and_the_next_of_its_kind(version):
    major, minor, patch = version.major, version.minor, version.patch
    assert version.next_major_version() == SemVer(major=major + 1)
    assert version.next_minor_version() == SemVer(major=major, minor=minor + 1)
    assert version.next_patch_version() == SemVer(major=major, minor=minor, patch=patch + 1)
    assert version < version.next_patch_version() < version.next_minor_version()
    assert version.next_minor_version() < version.next_major_version()


def test_numbers_at_the_end_may_be_missing_in_text_but_not_in_a_folder():
    assert SemVer.FromString("v1.2") == SemVer.FromString("1.2.0") == SemVer(major=1, minor=2)
    assert SemVer.from_folder("v1.2") is None


@pytest.mark.parametrize(
    "text", ["", "v", "x", "v1.2.3.4", "1.2.3-rc1", "v-1.0.0", "v01.0.0", "v١"]
)
def test_other_text_is_no_version(text):
    assert SemVer.from_folder(text) is None
    with pytest.raises(ValueError, match="is no version; write it as v1"):
        SemVer.FromString(text)


@pytest.mark.parametrize("bump", ["bumpmajor", "bumpminor", "bumppatch", "keep"])
def test_the_first_version_is_the_same_whatever_is_bumped(bump):
    assert next_version(bump, None) == SemVer(major=1)


def test_bumps_go_beyond_versions_that_were_never_published():
    latest, newest = SemVer(major=1, minor=2, patch=3), SemVer(major=4)
    found = {b: str(next_version(b, latest, newest)) for b in ("bumpmajor", "bumpminor", "keep")}
    assert found == {"bumpmajor": "v5.0.0", "bumpminor": "v4.1.0", "keep": "v1.2.3"}
    assert next_version(latest, newest) == latest


def test_an_unknown_bump_is_refused():
    with pytest.raises(ValueError, match=r"'major'.*bumpmajor"):
        next_version("major", None)  # type: ignore[arg-type]
