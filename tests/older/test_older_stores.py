"""Stores that the code of commit 01bb9e3 wrote (`make`): they are read, and go on.

A study of two models, two scorers and a judge, with a cell of each stage that errored, and rows
that were replaced; its release; an experiment with a spec that failed.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import boto3
import pandas as pd
import pytest

import itemeval_assets as ie
from itemeval_assets.experiments import BaseExperiment, ExperimentStorageSettings
from tests.model_server import ModelServer
from tests.s3_server import empty_bucket
from tests.whole.looking import assert_reconciled

from .kept import BUCKET, MODELS, declare, specs
from .simulation import kept_melting

HERE = Path(__file__).parent
SPENT = 0.00884
EVENTS = 15


class Kept(NamedTuple):
    """What is kept of one kind of store, and a server that answers every call."""

    folder: Path
    config: Path
    output_dir: str
    storage: ExperimentStorageSettings
    server: ModelServer


@pytest.fixture(params=["disk", "bucket"])
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kept]:
    with tarfile.open(HERE / f"01bb9e3_{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    output_dir, bucket = "studies", str(tmp_path / "experiments")
    if request.param == "bucket":
        output_dir, bucket = f"s3://{BUCKET}/studies", BUCKET
        _upload(tmp_path / "bucket", request.getfixturevalue("s3").endpoint, monkeypatch)
    storage = ExperimentStorageSettings(BUCKET=bucket)
    with ModelServer() as server:
        monkeypatch.setenv("TEST_BASE_URL", server.base_url)
        monkeypatch.setenv("TEST_API_KEY", "sk-of-the-test")
        yield Kept(tmp_path, declare(tmp_path, output_dir), output_dir, storage, server)


def _upload(folder: Path, endpoint: str, environment: pytest.MonkeyPatch) -> None:
    """Into the bucket of that name, which is the one of the environment from here on."""
    environment.setenv("AWS_ENDPOINT_URL", endpoint)
    environment.setenv("AWS_ACCESS_KEY_ID", "testing")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    environment.setenv("AWS_REGION", "us-east-1")
    environment.setenv("SCYTHE_STORAGE_BUCKET", BUCKET)
    empty_bucket(BUCKET)
    client = boto3.client("s3", region_name="us-east-1")
    for path in (path for path in folder.rglob("*") if path.is_file()):
        client.upload_file(str(path), BUCKET, path.relative_to(folder).as_posix())


def test_a_study_is_read_as_it_lies(kept: Kept) -> None:
    found = ie.status(kept.config)
    assert found.usd == pytest.approx(SPENT)
    assert [part.done for part in found.generate] == [2, 3]
    assert sum(part.errored for part in found.generate) == 1
    events = ie.table(kept.config, "gradings_long")
    cells = ie.cells(kept.config)
    assert len(events) == EVENTS and len(cells) == 18
    # Verdicts of scorers are older than their rules, and done again for nothing.
    assert cells["state"].value_counts().to_dict() == {"stale": 10, "done": 4, "errored": 4}
    assert len(ie.table(kept.config, "solutions")) == 6
    assert ie.estimate(kept.config).remaining.calls == 3
    assert kept.server.requests == []


@pytest.mark.parametrize(
    "kept", ["disk", pytest.param("bucket", marks=pytest.mark.long)], indirect=True
)
def test_a_study_goes_on_and_nothing_is_called_twice(kept: Kept) -> None:
    """What errored, then nothing, then a model more; the release rises with it."""
    before = ie.table(kept.config, "gradings_long")
    done = ie.run(kept.config)
    assert (done.calls, done.errored, done.failed_checks) == (3, 0, [])
    after = ie.table(kept.config, "gradings_long")
    judged = before[(before["grade_kind"] == "judge") & before["score"].notna()]
    assert len(after) == 18 and len(judged.merge(after, how="inner")) == len(judged) == 4
    asked = len(kept.server.requests)
    assert ie.run(kept.config).calls == 0 and len(kept.server.requests) == asked

    declare(
        kept.folder,
        kept.output_dir,
        solvers={"models": [*MODELS, "openai-api/test/gamma"], "max_tokens": 100, "max_retries": 0},
    )
    more = ie.run(kept.config, max_usd=1.0)
    assert (more.calls, more.errored, more.failed_checks) == (6, 0, [])
    assert {request.model for request in kept.server.requests[asked:]} == {"gamma", "judge"}
    assert_reconciled(kept.config)
    exported = ie.export(kept.config)
    assert exported.rows == len(ie.table(kept.config, "gradings_long")) == 27
    assert exported.usd == pytest.approx(ie.table(kept.config, "ledger")["usd"].sum())

    published = BaseExperiment("kept", storage_settings=kept.storage)
    assert [str(found.version) for found in published.list_versions()] == ["v1.0.0"]
    released = ie.release(kept.config)
    assert (released.version, released.cells, released.events) == ("v1.1.0", 27, 27)
    assert [str(found.version) for found in published.list_versions()] == ["v1.0.0", "v1.1.0"]
    assert len(published.load_results("gradings_long")) == 27


def test_a_release_is_read(kept: Kept) -> None:
    run = BaseExperiment("kept", storage_settings=kept.storage).latest_run
    assert run.status().status == "incomplete"
    assert run.load_results().shape[0] == len(run.load_results("gradings_long")) == EVENTS
    assert len(run.load_results("errors")) == 4 and len(run.specs_frame()) == 18
    assert run.manifest().experiment_name == "kept"
    files = [path.name for path in run.download(kept.folder / "copy")]
    assert {"STUDY_CARD.md", "release.json"} <= set(files)


def test_an_experiment_is_read_and_resumed(kept: Kept) -> None:
    experiment = BaseExperiment(kept_melting, storage_settings=kept.storage)
    run = experiment.latest_run
    assert run.status().status == "incomplete"
    melted = run.load_results()
    assert melted["temperature"].tolist() == [4000.0, 4000.0]
    assert [spec.material for spec in run.specs()] == ["iron", "lead", "gold"]
    assert run.load_results("errors")["message"].tolist() == ["no lead today"]

    assert experiment.resume(run).result()["temperature"].tolist() == [4000.0, 2000.0, 4000.0]
    assert run.status().status == "complete"
    steps = run.load_results("steps")
    assert steps["heat"].tolist() == [1.0, 2.0, 0.5, 1.0, 1.0, 2.0]
    reports = run.load_results("result_file_refs")["report"]
    assert len(reports) == 3 and reports.notna().all()

    again, ref = experiment.allocate(specs(kept.folder), version="bumpminor")
    assert again.experiment_id.split("/")[1] == "v1.1.0"
    pd.testing.assert_series_equal(
        ref.result()["temperature"].reset_index(drop=True),
        run.load_results()["temperature"].reset_index(drop=True),
    )
