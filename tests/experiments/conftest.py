"""A place to publish to: a folder, and a bucket."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from itemeval_assets.experiments import ExperimentStorageSettings
from tests.experiments import toys


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExperimentStorageSettings:
    """A local folder, also in the environment."""
    return _storage(str(tmp_path / "bucket"), "scythe", monkeypatch)


@pytest.fixture(params=["folder", "bucket"])
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ExperimentStorageSettings:
    """A local folder and an S3 bucket in turn, also in the environment."""
    if request.param == "folder":
        return _storage(str(tmp_path / "bucket"), "scythe", monkeypatch)
    location: str = request.getfixturevalue("s3_location")
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    return _storage(bucket, prefix, monkeypatch)


def _storage(
    bucket: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> ExperimentStorageSettings:
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", bucket)
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET_PREFIX", prefix)
    return ExperimentStorageSettings()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What the toys remember of their calls ends with the test."""
    yield
    toys.calls.clear()
    toys.failing.clear()
