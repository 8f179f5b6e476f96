"""Keys of the layout, and back from keys to what they are."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.experiments import SemVer
from itemeval_assets.experiments.layout.keys import (
    ExperimentPlace,
    RunPlace,
    is_experiment_name,
    timestamp_of,
)

RUN = ExperimentPlace("scythe", "simulate_energy").run(
    SemVer(major=1), datetime(2025, 7, 23, 12, 59, 51)
)


def test_the_keys_of_a_run_are_those_of_the_published_layout():
    prefix = "scythe/simulate_energy/v1.0.0/2025-07-23_12-59-51"
    assert RUN.experiment_id == "simulate_energy/v1.0.0/2025-07-23_12-59-51"
    assert {
        RUN.manifest,
        RUN.io_spec,
        RUN.input_artifacts,
        RUN.specs,
        RUN.workflow_spec,
        RUN.artifact("weather", "a b.epw"),
        RUN.shard_inputs,
        RUN.shard_outputs,
        RUN.final_file("scalars"),
        RUN.result_file("report", "abc", ".pdf"),
    } == {
        f"{prefix}/manifest.yml",
        f"{prefix}/experiment_io_spec.yml",
        f"{prefix}/input_artifacts.yml",
        f"{prefix}/specs.pq",
        f"{prefix}/workflow_spec.yml",
        f"{prefix}/artifacts/weather/a b.epw",
        f"{prefix}/scatter-gather/input",
        f"{prefix}/scatter-gather/output",
        f"{prefix}/final/scalars.pq",
        f"{prefix}/results/report/abc.pdf",
    }


def test_an_empty_prefix_leaves_no_slash_behind():
    assert ExperimentPlace("", "x").prefix == "x"


@given(st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda t: t.replace(microsecond=0)))
def test_a_timestamp_leads_back(time):
    assert timestamp_of(ExperimentPlace("p", "x").run(SemVer(major=1), time).timestamp) == time


@pytest.mark.parametrize(
    "folder", ["", "latest", "2025-07-23", "2025-13-01_00-00-00", "25-1-1_1-1-1"]
)
def test_other_folders_are_no_runs(folder):
    assert timestamp_of(folder) is None


@given(st.integers(0, 10**7))
def test_shard_numbers_lead_back(shard):
    assert RunPlace.shard_of(RUN.shard_input(shard)) == shard
    assert RunPlace.shard_of(RUN.shard_output(shard)) == shard


def test_only_parquet_directly_in_final_is_a_frame():
    assert RUN.final_name(RUN.final_file("error_bars.v2")) == "error_bars.v2"
    assert RUN.final_name(f"{RUN.final}/notes.txt") is None
    assert RUN.final_name(f"{RUN.final}/deeper/x.pq") is None
    assert RunPlace.shard_of(f"{RUN.shard_inputs}/README.md") is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a.b", "-a", "a b", "é", "a\n"])
def test_a_name_that_could_leave_its_folder_is_none(name):
    assert not is_experiment_name(name)
