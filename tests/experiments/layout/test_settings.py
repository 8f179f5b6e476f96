"""Which setting means a bucket, which a folder, and which is refused."""

from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentRunSettings,
    ExperimentStorageSettings,
    ScytheStorageSettings,
)
from tests.experiments.toys import Number, square


@pytest.mark.parametrize(
    ("bucket", "location"),
    [("my-research-bucket", "s3://my-research-bucket"), ("s3://a.b.c/", "s3://a.b.c")],
)
def test_a_bucket_is_a_name_or_an_s3_uri(bucket, location):
    assert ExperimentStorageSettings(BUCKET=bucket).location == location


@pytest.mark.parametrize("bucket", ["./results", "./results/all", ".", "../x", "/data/x"])
def test_a_path_that_begins_as_one_is_a_folder(bucket, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    location = ExperimentStorageSettings(BUCKET=bucket).location
    assert location == str((tmp_path / bucket).resolve())


def test_home_and_file_urls_are_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ExperimentStorageSettings(BUCKET="~/x").location == str(tmp_path / "x")
    assert ExperimentStorageSettings(BUCKET=f"file://{tmp_path}/y").location == f"{tmp_path}/y"


def test_without_a_setting_it_is_a_folder_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ScytheStorageSettings()
    assert settings.location == str(Path("experiments").resolve())
    assert settings.BUCKET_PREFIX == "scythe"


def test_the_environment_sets_both(monkeypatch):
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", "my-bucket")
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET_PREFIX", "/a//b/")
    settings = ScytheStorageSettings()
    assert (settings.BUCKET, settings.BUCKET_PREFIX) == ("my-bucket", "a/b")


OTHERS = ("https", "gs", "s3a", "S3", "az")


@pytest.mark.parametrize(
    ("bucket", "says"),
    [
        ("My_Bucket", "write ./My_Bucket"),
        ("x", "no bucket name"),
        ("s3://bucket/path", "write 'bucket', and the path 'path' in BUCKET_PREFIX"),
        ("bucket/pre/fix", r"'pre/fix' in BUCKET_PREFIX; for a folder write \./bucket/pre/fix"),
        *((f"{scheme}://a/b", "not a supported location") for scheme in OTHERS),
        ("", "no bucket name"),
    ],
)
def test_a_bucket_that_s3_would_refuse_is_refused(bucket, says):
    with pytest.raises(ConfigError, match=says):
        ExperimentStorageSettings(BUCKET=bucket)


def test_a_prefix_may_not_leave_the_bucket():
    with pytest.raises(ConfigError, match=r"'\.\.'"):
        ExperimentStorageSettings(BUCKET="./x", BUCKET_PREFIX="a/../../b")


def test_a_wrong_environment_is_an_error_that_names_the_variable(monkeypatch):
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", "NO")
    with pytest.raises(ConfigError, match=r"SCYTHE_STORAGE_BUCKET: .*'NO'"):
        BaseExperiment("some_experiment")


def test_run_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXPERIMENT_SHARD_SIZE", "7")
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXPERIMENT_EXECUTOR", "multiprocess")
    settings = ExperimentRunSettings()
    assert (settings.shard_size, settings.executor) == (7, "multiprocess")


def test_a_wrong_run_setting_is_an_error_that_names_the_variable(monkeypatch, folder):
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXPERIMENT_SHARD_SIZE", "0")
    with pytest.raises(ConfigError, match=r"ITEMEVAL_ASSETS_EXPERIMENT_SHARD_SIZE: .*greater"):
        BaseExperiment(square).allocate([Number()])
    assert BaseExperiment(square).backend.list("") == []


def test_settings_given_in_code_are_told_as_those_of_the_environment():
    misspelt: dict[str, Any] = {"max_concurent": 1}
    wrong: dict[str, Any] = {"executor": "foo"}
    with pytest.raises(ConfigError, match=r"ExperimentRunSettings has no setting 'max_concurent'"):
        ExperimentRunSettings(**misspelt)
    with pytest.raises(
        ConfigError, match=r"ExperimentRunSettings\(executor=...\): Input should be"
    ):
        ExperimentRunSettings(**wrong)
    with pytest.raises(
        ConfigError, match=r"ExperimentStorageSettings\(BUCKET=...\): 'gs://b' is not"
    ):
        ExperimentStorageSettings(BUCKET="gs://b")


def test_settings_of_another_class_are_refused(folder):
    squares = BaseExperiment(square)
    given: Any = {"executor": "in_process"}
    with pytest.raises(ConfigError, match=r"run_settings is a dict; give ExperimentRunSettings"):
        squares.allocate([Number(x=1)], run_settings=given)
    with pytest.raises(ConfigError, match=r"storage_settings is a dict; give ExperimentStorage"):
        BaseExperiment(square, storage_settings=given)
    assert squares.list_versions() == []


def test_a_run_that_no_dagster_would_know_of_is_not_published(folder, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME")
    squares = BaseExperiment(square)
    with pytest.raises(ConfigError, match=r"start=False leaves the run to Dagster.* DAGSTER_HOME"):
        squares.allocate([Number(x=1)], start=False)
    assert squares.list_versions() == []
