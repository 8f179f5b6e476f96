"""The Dagster side: definitions, a partition materialized as in the UI, metadata, the check."""

import re

import dagster as dg
import pytest

from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentRunSettings,
    ExperimentStorage,
    experiment_definitions,
)
from itemeval_assets.experiments.runs.assets import job_name, partitions_name
from itemeval_assets.experiments.work.partitions import partition_of_run
from tests.experiments import toys
from tests.experiments.toys import simulate_energy, simulations, square

KEY = dg.AssetKey("simulate_energy")
CHECK = dg.AssetCheckKey(KEY, "every_spec_succeeded")


class NoIOManager(dg.IOManager):
    """Fails the test when an op passes anything to another by value."""

    def handle_output(self, context, obj):
        raise AssertionError(f"{context.step_key} stores an output")

    def load_input(self, context):
        raise AssertionError(f"{context.name} loads an input")


@pytest.fixture
def published(folder, instance):
    """A run that is published and not started."""
    energy = BaseExperiment(simulate_energy, storage_settings=folder)
    settings = ExperimentRunSettings(shard_size=2)
    run, _ = energy.allocate(simulations(5), start=False, run_settings=settings, instance=instance)
    return run


def materialize(run, instance, storage=None, partition=None):
    definitions = dg.Definitions.merge(
        experiment_definitions([simulate_energy, square], storage),
        dg.Definitions(resources={"io_manager": NoIOManager()}),
    )
    return definitions.resolve_job_def(job_name(simulate_energy)).execute_in_process(
        instance=instance, partition_key=partition or partition_of_run(run), raise_on_error=False
    )


def failure_of(result):
    """The message of the one op that failed."""
    (failure,) = [e for e in result.all_node_events if e.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    return str(data.description)


def test_definitions_have_an_asset_a_check_and_a_job_each():
    definitions = experiment_definitions([simulate_energy, square])
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {
        "simulate_energy",
        "square_numbers",
    }
    assert graph.get(KEY).partitions_def == dg.DynamicPartitionsDefinition(
        name=partitions_name(simulate_energy)
    )
    assert CHECK in graph.asset_check_keys
    assert definitions.resolve_job_def("run_square_numbers")


def test_a_partition_can_be_materialized_without_allocate(published, instance):
    result = materialize(published, instance)
    assert result.success
    steps = {e.step_key for e in result.all_node_events if e.is_step_success}
    assert steps == {
        "simulate_energy.simulate_energy_scatter",
        *(f"simulate_energy.simulate_energy_shard[shard_0000{n}]" for n in range(3)),
        "simulate_energy.simulate_energy_gather",
        "simulate_energy_every_spec_succeeded",
    }
    assert len(published.load_results()) == 5
    assert published.status().status == "complete"


def test_the_materialization_has_counts_files_and_a_preview(published, instance):
    toys.failing[3.0] = ValueError("no 3")
    materialize(published, instance)
    event = instance.get_latest_materialization_event(KEY)
    found = event.asset_materialization
    assert found.partition == partition_of_run(published)
    values = {name: value.value for name, value in found.metadata.items()}
    assert (values["specs"], values["succeeded"], values["failed"]) == (5, 4, 1)
    assert values["dagster/row_count"] == 4
    assert values["final/scalars"] == published.backend.uri(published.place.final_file("scalars"))
    rows = [record.data for record in found.metadata["preview"].records]
    assert rows[1]["temperature"] == 1.0 and rows[1]["energy"] == 2.0
    errors = [record.data for record in found.metadata["errors"].records]
    assert [(row["sort_index"], row["message"]) for row in errors] == [(3, "no 3")]


@pytest.mark.parametrize("fails", [True, False])
def test_the_check_warns_of_failed_specs(published, instance, fails):
    if fails:
        toys.failing[3.0] = ValueError("no 3")
    result = materialize(published, instance)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("every_spec_succeeded", not fails)
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.partition == partition_of_run(published)
    assert ("errors" in check.metadata) == fails


def test_shards_that_are_done_are_not_started_again(published, instance):
    toys.failing[3.0] = ValueError("no 3")
    materialize(published, instance)
    toys.failing.clear()
    again = materialize(published, instance)
    steps = [str(e.step_key) for e in again.all_node_events if e.is_step_success]
    shards = [step for step in steps if "[" in step]
    assert shards == ["simulate_energy.simulate_energy_shard[shard_00001]"]
    (check,) = again.get_asset_check_evaluations()
    assert check.passed


def test_the_storage_may_be_a_resource(published, instance, folder, monkeypatch):
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", "./elsewhere")
    storage = ExperimentStorage(bucket=folder.BUCKET, bucket_prefix=folder.BUCKET_PREFIX)
    assert materialize(published, instance, storage).success


@pytest.mark.parametrize(
    ("partition", "says"),
    [
        ("latest", "write <version>/<timestamp>"),
        ("v1/2025-01-01_00-00-00", "write <version>/<timestamp>"),
        ("v1.0.0/2025-01-01_00-00-00", "no run '2025-01-01_00-00-00' in .*runs there: 20"),
        ("v9.0.0/2025-01-01_00-00-00", r"no version v9\.0\.0 in .*versions there: v1\.0\.0"),
    ],
)
def test_a_partition_that_is_no_run_fails_with_a_message(published, instance, partition, says):
    instance.add_dynamic_partitions(partitions_name(simulate_energy), [partition])
    result = materialize(published, instance, partition=partition)
    found = failure_of(result)
    assert re.search(says, found), found


def test_a_run_of_another_writer_is_left_as_it_is(published, instance):
    materialize(published, instance)
    results = published.load_results()
    for key in published.backend.list(published.place.exchange):
        published.backend.delete(key)
    published.backend.update(f"{published.place.shard_inputs}/specs_000000.pq", lambda _: b"x")
    assert "another program has written it" in failure_of(materialize(published, instance))
    assert published.load_results().equals(results)


def test_specs_that_are_gone_are_missed_by_the_name_of_their_folder(published, instance):
    for key in published.backend.list(published.place.shard_inputs):
        published.backend.delete(key)
    found = failure_of(materialize(published, instance))
    assert f"{published.backend.uri(published.place.shard_inputs)} is missing" in found
    assert "another program" not in found


def test_a_lost_input_is_an_error_that_names_it(published, instance):
    materialize(published, instance)
    published.backend.delete(published.place.shard_output(1))
    assert materialize(published, instance).success
    published.backend.delete(published.place.shard_output(1))
    published.backend.update(published.place.shard_input(1), lambda _: b"{}\n")
    found = failure_of(materialize(published, instance))
    uri = published.backend.uri(published.place.shard_input(1))
    assert f"{uri}: line 1 is no Simulation: temperature: Field required; " in found
    assert "pydantic" not in found
