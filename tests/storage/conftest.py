"""Every rule of the store holds on a disk and in a bucket: most tests here run on both."""

from pathlib import Path

import pytest

from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.study.store import ResultsStore
from tests.storage.writers import Place


@pytest.fixture(params=["disk", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a study lies; can be sent to other processes."""
    if request.param == "disk":
        return Place(str(tmp_path / "toy"))
    return Place(request.getfixturevalue("s3_location"))


@pytest.fixture
def store(place: Place) -> ResultsStore:
    return place.store()


@pytest.fixture
def disk(tmp_path: Path) -> ResultsStore:
    """A store whose files a test looks at."""
    return ResultsStore(LocalBackend(tmp_path / "toy"), "toy")


@pytest.fixture
def bucket(s3_location: str) -> ResultsStore:
    """A store in a bucket, with `s3_location` as its location."""
    return ResultsStore(open_backend(s3_location), "toy")
