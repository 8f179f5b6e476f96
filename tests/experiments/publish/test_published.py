"""Reading what is published: lists, the newest results, foreign objects, what is missing."""

import io
import subprocess
import sys
from datetime import datetime

import pandas as pd
import pytest

from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.experiments import (
    BaseExperiment,
    Completion,
    ExperimentNotFoundError,
    ExperimentRun,
    ExperimentRunNotFoundError,
    ExperimentStorageSettings,
    ExperimentVersionNotFoundError,
    ResultNotFoundError,
    SemVer,
    VersionedExperiment,
    list_experiments,
)
from itemeval_assets.experiments.layout.records import to_yaml
from itemeval_assets.storage.objects.disk import LocalBackend
from tests.experiments.toys import Number, square


@pytest.fixture
def experiment(storage):
    return BaseExperiment(square, storage_settings=storage)


def publish(experiment, version, day, completion=None, final=()):
    """A run as some writer would leave it."""
    run = ExperimentRun(
        VersionedExperiment(experiment, SemVer.FromString(version)), datetime(2025, 1, day)
    )
    manifest = {
        "workflow_run_id": "w",
        "experiment_id": run.experiment_id,
        "experiment_name": "x",
        "specs_uri": "s",
        "io_spec": "i",
    }
    put(run.backend, run.place.manifest, to_yaml(manifest))
    if completion is not None:
        put(run.backend, run.place.completion, to_yaml(completion))
    for name in final:
        put(run.backend, run.place.final_file(name), b"")
    return run


def put(backend, key, data):
    backend.update(key, lambda _: data)


ENDED, UNFINISHED = Completion.of(1, 0), Completion()


def test_versions_and_runs_are_in_order(experiment):
    for version, day in (("v1.10.0", 3), ("v1.9.0", 2), ("v1.9.0", 1), ("v0.0.1", 4)):
        publish(experiment, version, day)
    versions = experiment.list_versions()
    assert [str(found.version) for found in versions] == ["v0.0.1", "v1.9.0", "v1.10.0"]
    assert [run.timestamp.day for run in versions[1].list_runs()] == [1, 2]
    assert str(experiment.latest_version().version) == "v1.10.0"
    assert experiment.latest_run.experiment_id == "square-numbers/v1.10.0/2025-01-03_00-00-00"


def test_foreign_objects_are_passed_over(experiment):
    run = publish(experiment, "v1.0.0", 1, ENDED, ["scalars"])
    for key in (
        "README.md",
        "notes/a.txt",
        "v2/2025-01-01_00-00-00/manifest.yml",
        "v1.0.0/latest/manifest.yml",
        "v1.0.0/index.html",
        "v1.0.0/2025-99-01_00-00-00/manifest.yml",
    ):
        put(run.backend, f"{experiment.prefix}/{key}", b"x")
    put(run.backend, f"{run.place.final}/notes.txt", b"x")
    put(run.backend, f"{experiment.storage_settings.BUCKET_PREFIX}/a.b/v1.0.0/x", b"x")
    assert [str(found.version) for found in experiment.list_versions()] == ["v1.0.0"]
    assert experiment.list_versions()[0].list_runs() == [run]
    assert list(experiment.latest_results) == ["scalars"]
    assert list_experiments(experiment.storage_settings) == ["square-numbers"]


def test_a_run_without_a_manifest_is_not_published(experiment):
    publish(experiment, "v1.0.0", 1)
    run = publish(experiment, "v2.0.0", 2)
    run.backend.delete(run.place.manifest)
    put(run.backend, run.place.specs, b"x")
    assert str(experiment.latest_version().version) == "v1.0.0"
    assert str(experiment.resolve_next_version("bumpmajor")) == "v3.0.0"
    assert str(experiment.resolve_next_version("keep")) == "v1.0.0"


def test_the_latest_results_are_those_of_the_newest_run_that_has_some(experiment):
    old = publish(experiment, "v1.0.0", 1, ENDED, ["scalars", "error_bars"])
    assert experiment.latest_results == {
        name: f"{old.prefix}/final/{name}.pq" for name in ("error_bars", "scalars")
    }
    publish(experiment, "v1.0.0", 2, UNFINISHED)
    publish(experiment, "v2.0.0", 3, Completion.of(0, 4), ["scalars", "errors"])
    publish(experiment, "v3.0.0", 4, UNFINISHED, ["scalars"])
    assert experiment.latest_run_with_results == old
    new = publish(experiment, "v2.0.0", 5, Completion.of(3, 1), ["scalars", "errors"])
    assert experiment.latest_run_with_results == new
    assert experiment.latest_results_for_version(SemVer(major=1)) == old.list_results_files()
    with pytest.raises(ExperimentRunNotFoundError, match=r"2025-01-04_00-00-00 \(unfinished\)"):
        experiment.latest_results_for_version(SemVer(major=3))


def test_a_run_of_a_writer_who_records_no_end_is_complete_once_it_has_frames(experiment):
    assert publish(experiment, "v1.0.0", 1, None, ["scalars"]).status().status == "complete"
    assert publish(experiment, "v1.0.0", 2).status().status == "unfinished"


def test_specs_that_such_a_writer_lost_are_counted(experiment):
    def table(rows):
        data = io.BytesIO()
        pd.DataFrame({"x": range(rows)}).to_parquet(data)
        return data.getvalue()

    run = publish(experiment, "v1.0.0", 1)
    put(run.backend, run.place.specs, table(5))
    assert (run.status().status, run.status().specs) == ("unfinished", 5)
    for name, rows, wanted in (
        ("hourly", 40, ("complete", 5, None, None)),
        ("result_file_refs", 5, ("complete", 5, 5, 0)),
        ("scalars", 3, ("incomplete", 5, 3, 2)),
        ("scalars", 0, ("failed", 5, 0, 5)),
    ):
        put(run.backend, run.place.final_file(name), table(rows))
        found = run.status()
        assert (found.status, found.specs, found.succeeded, found.failed) == wanted
        assert found.finished_at is None


def test_no_results_yet_is_an_error_that_says_how_the_runs_stand(experiment):
    publish(experiment, "v1.0.0", 1, UNFINISHED)
    publish(experiment, "v1.0.0", 2, Completion.of(0, 2))
    with pytest.raises(ExperimentRunNotFoundError) as caught:
        _ = experiment.latest_results
    for part in ("2025-01-01_00-00-00 (unfinished)", "2025-01-02_00-00-00 (failed)"):
        assert part in str(caught.value)


def test_an_unknown_experiment_is_an_error_that_lists_the_known(experiment):
    publish(experiment, "v1.0.0", 1)
    unknown = BaseExperiment("sqare", storage_settings=experiment.storage_settings)
    assert unknown.list_versions() == [] and unknown.latest_version() is None
    for look in (lambda: unknown.latest_run, lambda: unknown.latest_results, unknown.load_results):
        with pytest.raises(ExperimentNotFoundError) as caught:
            look()
        place = unknown.backend.uri(experiment.storage_settings.BUCKET_PREFIX)
        assert place in str(caught.value)
        assert "experiments there: square-numbers" in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_unknown_version_is_an_error_that_lists_the_known(experiment):
    publish(experiment, "v1.0.0", 1)
    publish(experiment, "v1.2.0", 1)
    with pytest.raises(ExperimentVersionNotFoundError, match=r"versions there: v1\.2\.0, v1\.0\.0"):
        experiment.latest_results_for_version(SemVer(major=9))


def test_an_unknown_run_or_result_is_an_error_that_lists_the_known(experiment):
    run = publish(experiment, "v1.0.0", 1, ENDED, ["scalars"])
    with pytest.raises(ResultNotFoundError, match=r"'hourly' in .*/final; results there: scalars"):
        run.load_results("hourly")
    with pytest.raises(ExperimentRunNotFoundError, match=r"'x'.*2025-01-01_00-00-00 \(complete\)"):
        experiment.list_versions()[0].run_at("x")


def test_an_unreadable_result_is_an_error_that_names_it(experiment):
    run = publish(experiment, "v1.0.0", 1, ENDED, ["scalars"])
    with pytest.raises(StoreError, match=r"final/scalars\.pq is no readable Parquet"):
        run.load_results()


def test_a_name_alone_reads_but_does_not_run(experiment):
    publish(experiment, "v1.0.0", 1, ENDED, ["scalars"])
    by_name = BaseExperiment("square-numbers", storage_settings=experiment.storage_settings)
    assert by_name.latest_results == experiment.latest_results
    with pytest.raises(ConfigError, match="give BaseExperiment the function"):
        by_name.allocate([Number()])
    with pytest.raises(ConfigError, match="give BaseExperiment the function"):
        by_name.latest_run.specs()


def test_a_name_may_not_leave_the_prefix(storage):
    with pytest.raises(ConfigError, match=r"'\.\./x'"):
        BaseExperiment("../x", storage_settings=storage)
    with pytest.raises(ConfigError, match=r"'a/b'"):
        BaseExperiment(square, run_name="a/b", storage_settings=storage)


def test_a_missing_bucket_is_an_error_that_names_it(s3_location):
    settings = ExperimentStorageSettings(BUCKET="no-such-bucket-here")
    experiment = BaseExperiment(square, storage_settings=settings)
    with pytest.raises(StoreError, match="no bucket 'no-such-bucket-here'"):
        experiment.list_versions()


def test_a_download_has_the_layout_of_the_run(experiment, tmp_path):
    run = publish(experiment, "v1.0.0", 1, ENDED, ["scalars"])
    put(run.backend, run.place.result_file("report", "abc", ".txt"), b"r")
    put(run.backend, run.place.shard_input(0), b"s")
    files = run.download(tmp_path / "to")
    found = sorted(path.relative_to(tmp_path / "to").as_posix() for path in files)
    assert found == [
        "completion.yml",
        "final/scalars.pq",
        "manifest.yml",
        "results/report/abc.txt",
    ]
    assert (tmp_path / "to/results/report/abc.txt").read_bytes() == b"r"


def test_a_key_that_points_outside_is_not_downloaded(folder, tmp_path, monkeypatch):
    run = publish(BaseExperiment(square, storage_settings=folder), "v1.0.0", 1)
    monkeypatch.setattr(LocalBackend, "list", lambda self, prefix: [f"{prefix}/../manifest.yml"])
    with pytest.raises(StoreError, match="outside"):
        run.download(tmp_path / "to")
    assert not (tmp_path / "manifest.yml").exists()


def test_reading_needs_no_dagster(folder):
    run = publish(BaseExperiment(square), "v1.0.0", 1, ENDED, ["scalars"])
    code = (
        "import sys; from itemeval_assets.experiments import BaseExperiment;"
        "print(BaseExperiment('square-numbers').latest_run.experiment_id);"
        "print('dagster' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [run.experiment_id, "False"]


def test_the_first_rows_of_a_frame_are_those_of_the_whole(experiment):
    run = publish(experiment, "v1.0.0", 1, ENDED)
    index = pd.MultiIndex.from_product([["a"], range(50)], names=["experiment_id", "sort_index"])
    data = pd.DataFrame({"x": range(50)}, index=index).to_parquet()
    put(run.backend, run.place.final_file("scalars"), data)
    pd.testing.assert_frame_equal(run.head(rows=7), run.load_results().head(7))
    pd.testing.assert_frame_equal(run.head(rows=99), run.load_results())
