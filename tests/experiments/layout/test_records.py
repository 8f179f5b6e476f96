"""The documents of a run, as YAML."""

import pytest
import yaml

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments.layout.records import (
    Completion,
    ExperimentRunManifest,
    read_record,
    to_yaml,
)

MANIFEST = {
    "workflow_run_id": "f764ef33-a377-4572-a398-a2dc56a0810f",
    "experiment_id": "simulate_energy/v1.0.0/2025-07-23_12-59-51",
    "experiment_name": "scythe_experiment_simulate_energy",
    "specs_uri": "s3://bucket/scythe/simulate_energy/v1.0.0/2025-07-23_12-59-51/specs.pq",
    "io_spec": "s3://bucket/scythe/x/v1.0.0/2025-07-23_12-59-51/experiment_io_spec.yml",
    "input_artifacts": "s3://bucket/scythe/x/v1.0.0/2025-07-23_12-59-51/input_artifacts.yml",
}


def test_a_manifest_is_its_keys_and_nothing_else():
    manifest = read_record(ExperimentRunManifest, yaml.safe_dump(MANIFEST).encode(), "x")
    assert yaml.safe_load(to_yaml(manifest)) == MANIFEST


def test_a_manifest_of_another_writer_may_lack_artifacts_and_hold_more():
    given = {k: v for k, v in MANIFEST.items() if k != "input_artifacts"} | {"more": 1}
    assert read_record(ExperimentRunManifest, to_yaml(given), "x").input_artifacts is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"- a", "it has no keys"),
        (b"{", "the bracket of line 1 is not closed"),
        (b"\xff", "unacceptable character"),
        (b"experiment_id: x", "workflow_run_id: Field required; "),
    ],
)
def test_a_broken_document_is_an_error_that_names_the_object(data, reason):
    with pytest.raises(StoreError) as caught:
        read_record(ExperimentRunManifest, data, "s3://b/k")
    assert str(caught.value).startswith(f"s3://b/k is no ExperimentRunManifest: {reason}")
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("succeeded", "failed", "status", "has_results"),
    [(3, 0, "complete", True), (2, 1, "incomplete", True), (0, 3, "failed", False)],
)
def test_the_counts_decide_how_a_run_ended(succeeded, failed, status, has_results):
    ended = Completion.of(succeeded, failed)
    assert (ended.status, ended.specs, ended.has_results) == (status, 3, has_results)
    assert read_record(Completion, to_yaml(ended), "x") == ended


def test_a_run_without_an_end_has_no_results():
    assert not Completion(specs=3).has_results
