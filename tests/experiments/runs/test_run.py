"""Whole runs on Dagster: what they leave behind, and what failures and restarts do to them."""

import os
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from itemeval_assets.core.errors import ConfigError, RunFailed, StoreError
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    ExperimentRunSettings,
    FileReference,
    SemVer,
    experiment,
)
from itemeval_assets.experiments.outputs.outcomes import Outcome
from itemeval_assets.experiments.outputs.shard_output import ShardOutput
from itemeval_assets.experiments.publish.specs import publish
from itemeval_assets.experiments.work import shards as work
from itemeval_assets.experiments.work.partitions import partition_of_run
from itemeval_assets.experiments.work.shard_store import Saver, ShardStore
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.s3.bucket import s3_client
from tests.commands import processes_in, run_script, wait_until
from tests.experiments import toys
from tests.experiments.toys import Number, Simulation, simulate_energy, simulations, square

LEVELS = ["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id"]
FIELDS = ["temperature", "pressure", "material", "is_hot"]
FOUR = ExperimentRunSettings(shard_size=4)


@pytest.fixture
def energy(folder):
    return BaseExperiment(simulate_energy, storage_settings=folder)


@pytest.fixture
def squares(folder):
    return BaseExperiment(square, storage_settings=folder)


@pytest.mark.parametrize(
    ("storage", "count"),
    [("folder", 100), ("bucket", 100), pytest.param("folder", 1000, marks=pytest.mark.long)],
    indirect=["storage"],
)
def test_many_specs_of_which_three_fail(storage, instance, tmp_path, count):
    bad = [3, count // 2, count - 1]
    weather = tmp_path / "weather.epw"
    weather.write_text("sunny")
    toys.failing.update({float(n): ValueError(f"no {n}") for n in bad})
    energy = BaseExperiment(runnable=simulate_energy)
    specs = simulations(count, weather=weather)
    settings = ExperimentRunSettings(executor="in_process", shard_size=count // 4)
    run, ref = energy.allocate(specs, version="bumpmajor", run_settings=settings, instance=instance)
    scalars = ref.result()

    keys = [key.removeprefix(f"{run.prefix}/") for key in run.backend.list(run.prefix)]
    outside = [key for key in keys if not key.startswith("results/report/")]
    assert outside == [
        "artifacts/weather/weather.epw",
        "completion.yml",
        "experiment_io_spec.yml",
        "final/error_bars.pq",
        "final/errors.pq",
        "final/hourly.pq",
        "final/result_file_refs.pq",
        "final/scalars.pq",
        "input_artifacts.yml",
        "manifest.yml",
        *(f"scatter-gather/input/0000{n}.jsonl" for n in range(4)),
        *(f"scatter-gather/output/0000{n}.zip" for n in range(4)),
        "specs.pq",
    ]
    assert len(keys) - len(outside) == count - 3

    ran = [n for n in range(count) if n not in bad]
    assert list(scalars.index.names) == [*LEVELS, *FIELDS]
    assert list(scalars.columns) == ["energy", "efficiency"]
    assert scalars.index.get_level_values("sort_index").tolist() == ran
    assert scalars["energy"].tolist() == [2.0 * n for n in ran]
    assert set(scalars.index.get_level_values("root_workflow_run_id")) == {ref.dagster_run_id}

    files = run.load_results("result_file_refs")
    assert files.index.equals(scalars.index)
    first = scalars.index.get_level_values("workflow_run_id")[0]
    assert files["report"].iloc[0] == run.backend.uri(f"{run.prefix}/results/report/{first}.txt")

    hourly = run.load_results("hourly")
    assert list(hourly.index.names) == [*LEVELS, *FIELDS, "sort_subindex"]
    assert len(hourly) == 2 * (count - 3)

    errors = run.load_results("errors")
    assert errors.index.get_level_values("sort_index").tolist() == bad
    assert errors["message"].tolist() == [f"no {n}" for n in bad]
    assert set(errors["error_type"]) == {"ValueError"}
    status = run.status()
    assert (status.status, status.specs, status.failed) == ("incomplete", count, 3)
    assert ref.status().dagster == "SUCCESS"
    assert ref.status().shards_done == ref.status().shards == 4


def test_results_are_found_as_the_published_examples_find_them(storage, instance, tmp_path):
    experiment = BaseExperiment(runnable=simulate_energy)
    for bump in ("bumpmajor", "bumpminor", "bumppatch"):
        _, ref = experiment.allocate(simulations(3), version=bump, instance=instance)
        ref.result()
    versions = experiment.list_versions()
    assert [repr(v.version) for v in versions] == [
        "SemVer(major=1, minor=0, patch=0)",
        "SemVer(major=1, minor=1, patch=0)",
        "SemVer(major=1, minor=1, patch=1)",
    ]
    results = experiment.latest_results
    assert results["scalars"].startswith(f"{storage.BUCKET_PREFIX}/simulate_energy/v1.1.1/")
    assert results["scalars"].endswith("/final/scalars.pq")
    results = experiment.latest_results_for_version(SemVer(major=1, minor=0, patch=0))
    assert "/v1.0.0/" in results["scalars"] and "errors" not in results
    if storage.location.startswith("s3://"):
        s3_client().download_file(storage.BUCKET, results["scalars"], str(tmp_path / "scalars.pq"))
        frame = pd.read_parquet(tmp_path / "scalars.pq")
    else:
        frame = pd.read_parquet(Path(storage.location) / results["scalars"])
    assert list(frame.index.names) == [*LEVELS, *FIELDS]
    assert frame.equals(versions[0].latest_run.load_results())
    assert versions[0].latest_run.status().status == "complete"


def test_one_spec_has_results_as_well(squares, instance):
    run, ref = squares.allocate(Number(x=7), instance=instance)
    assert ref.result()["square"].tolist() == [49]
    assert run.backend.exists(run.place.workflow_spec)


def test_failed_specs_alone_are_run_again(energy, instance):
    toys.failing[2.0] = OSError("flaky")
    run, ref = energy.allocate(simulations(10), run_settings=FOUR, instance=instance)
    first = ref.result()
    assert len(first) == 9
    toys.calls.clear()
    toys.failing.clear()
    second = energy.resume(run, instance=instance).result()
    assert toys.calls == {"2.0": 1}
    assert second.index.get_level_values("sort_index").tolist() == list(range(10))
    assert second.drop(second.index[2]).equals(first)
    assert run.status().status == "complete"
    assert "errors" not in run.list_results_files()
    toys.calls.clear()
    energy.resume(run, instance=instance).result()
    assert toys.calls == {}


def test_when_every_spec_fails_the_run_does_too_and_says_why(energy, instance):
    toys.failing.update({float(n): ValueError(f"no {n}") for n in range(3)})
    run, ref = energy.allocate(simulations(3), instance=instance)
    with pytest.raises(RunFailed, match=r"every spec failed; the first with ValueError: no 0"):
        ref.result()
    assert run.status().status == "failed"
    assert len(run.load_results("errors")) == 3 and len(run.load_results()) == 0
    record = instance.get_run_by_id(ref.dagster_run_id)
    assert record is not None and record.status == dg.DagsterRunStatus.FAILURE
    toys.failing.clear()
    assert len(energy.resume(run, instance=instance).result()) == 3


def test_a_gather_that_dies_is_all_that_is_repeated(energy, instance, monkeypatch):
    upload = LocalBackend.upload

    def full(self, path, key):
        if key.endswith("scalars.pq"):
            raise StoreError("the disk is full")
        upload(self, path, key)

    monkeypatch.setattr(LocalBackend, "upload", full)
    run, ref = energy.allocate(simulations(5), instance=instance)
    with pytest.raises(RunFailed, match="the disk is full"):
        ref.result()
    assert run.status().status == "unfinished"
    assert ref.status().dagster == "FAILURE"
    monkeypatch.undo()
    toys.calls.clear()
    assert len(energy.resume(run, instance=instance).result()) == 5
    assert toys.calls == {} and run.status().status == "complete"


def test_an_interrupted_shard_keeps_what_was_finished(energy, instance):
    toys.failing[5.0] = KeyboardInterrupt()
    run, ref = energy.allocate(simulations(8), run_settings=FOUR, instance=instance)
    with pytest.raises(BaseException):  # noqa: B017 (what Dagster makes of it is its own matter)
        ref.result()
    assert set(toys.calls) == {f"{n}.0" for n in range(6)}
    toys.calls.clear()
    toys.failing.clear()
    assert len(energy.resume(run, instance=instance).result()) == 8
    assert set(toys.calls) == {"5.0", "6.0", "7.0"}


KILLED = """
import os
from itemeval_assets.experiments import BaseExperiment, ExperimentRunSettings
from tests.experiments import toys

class Killer(ValueError):
    def __str__(self):
        os._exit(9)

toys.failing[5.0] = Killer()
energy = BaseExperiment(toys.simulate_energy)
energy.allocate(toys.simulations(8), run_settings=ExperimentRunSettings(shard_size=4))
"""


def test_a_killed_process_repeats_no_spec_it_has_saved(energy, instance, tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    code, _, said = run_script(script, folder=tmp_path)
    assert code == 9, said
    # Who tells of its end outlives it.
    wait_until(lambda: not processes_in(tmp_path))
    run = energy.latest_run
    assert run.status().status == "unfinished"
    assert "ended during spec 5 (temperature=5.0, " in script.with_suffix(".err").read_text()
    found = energy.resume(run, instance=instance).result()
    assert len(found) == 8
    # The one that was at work is run apart.
    assert set(toys.calls) == {"6.0", "7.0"}


SCRIPT = """
from itemeval_assets.experiments import BaseExperiment
from tests.experiments.toys import Number, square

BaseExperiment(square).allocate([Number(x=x) for x in {numbers}])
"""


@pytest.mark.parametrize(
    ("numbers", "status", "says"),
    [([1, 2, 3], "complete", ""), ([-1, -2], "failed", "every spec failed")],
)
def test_a_script_that_ends_early_still_runs_to_the_end(
    squares, tmp_path, monkeypatch, numbers, status, says
):
    monkeypatch.delenv("DAGSTER_HOME")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(numbers=numbers))
    code, printed, said = run_script(script)
    assert (code, printed) == (0, "")
    assert says in said and bool(says) == bool(said)
    assert squares.latest_run.status().status == status


def test_other_processes_run_the_shards(squares, tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME")
    settings = ExperimentRunSettings(executor="multiprocess", max_concurrent=2, shard_size=2)
    specs = [Number(x=n) for n in (1, 2, -3, 4)]
    run, ref = squares.allocate(specs, run_settings=settings)
    found = ref.result(timeout=300)
    assert found["square"].tolist() == [1, 4, 16]
    assert os.getpid() not in set(found["process"])
    assert run.status().failed == 1


def test_publishing_alone_leaves_the_run_to_dagster(squares, instance):
    run, ref = squares.allocate([Number(x=2)], start=False, instance=instance)
    partition = partition_of_run(run)
    assert partition == run.experiment_id.removeprefix("square-numbers/")
    assert instance.get_dynamic_partitions("experiment_square_numbers") == [partition]
    assert ref.status().dagster == "NOT_STARTED"
    with pytest.raises(ConfigError, match=partition):
        ref.result()
    assert squares.resume(run, instance=instance).result()["square"].tolist() == [4]


def test_a_folder_of_its_own_name_is_named_in_the_partition(folder, instance):
    other = BaseExperiment(square, run_name="other_squares", storage_settings=folder)
    run, ref = other.allocate([Number(x=2)], instance=instance)
    assert ref.result()["square"].tolist() == [4]
    assert run.experiment_id.startswith("other_squares/v1.0.0/")
    assert partition_of_run(run) == run.experiment_id
    assert run.manifest().experiment_name == "scythe_experiment_square-numbers"


def test_waiting_has_an_end(squares, instance, monkeypatch):
    monkeypatch.setattr("itemeval_assets.experiments.runs.launch._work", lambda *_: None)
    run, ref = squares.allocate([Number(x=2)], instance=instance)
    with pytest.raises(TimeoutError, match=f"{run.experiment_id} is not finished after 0"):
        ref.result(timeout=0.01)
    assert ref.status().dagster == "QUEUED"


class Anything(ExperimentOutputSpec):
    value: int | str | None = None
    pair: tuple[int, str] = (1, "a")
    file: FileReference | None = None


class Odd(ExperimentInputSpec):
    n: int | None = None
    kind: int | str = 0
    pair: tuple[int, ...] = ()

    @property
    def computed_features(self):
        return {"mixed": self.n if self.n else "none"}


@experiment
def anything(spec: Odd) -> Anything:
    if spec.kind == "wrong type":
        return 7  # type: ignore[return-value]
    if spec.kind == "no file":
        return Anything(file="/no/such/file")
    if spec.kind == "clash":
        return Anything(dataframes={"frame": pd.DataFrame({"n": [1]})})
    return Anything(value=spec.kind)


def test_values_of_mixed_types_and_wrong_outputs_harm_nobody_else(storage, instance):
    kinds = [1, "a", "wrong type", "no file", "clash", 2]
    specs = [Odd(n=n if n % 2 else None, kind=kind) for n, kind in enumerate(kinds)]
    run, ref = BaseExperiment(anything).allocate(specs, run_settings=FOUR, instance=instance)
    found = ref.result()
    assert found["value"].tolist() == ["1", "a", "2"]
    assert found.index.get_level_values("mixed").tolist() == ["none", "1", "5"]
    errors = run.load_results("errors").reset_index()
    assert errors["sort_index"].tolist() == [2, 3, 4]
    assert all(
        part in message
        for part, message in zip(["int", "/no/such/file", "'n'"], errors["message"], strict=True)
    )
    assert [spec.kind for spec in run.specs()] == kinds


def test_two_runs_of_one_experiment_at_once_are_two_runs(storage, instance):
    found = BaseExperiment(square)
    refs = [found.allocate([Number(x=n)], version="keep", instance=instance)[1] for n in range(3)]
    assert [ref.result()["square"].tolist() for ref in refs] == [[0], [1], [4]]
    assert len(found.list_versions()[0].list_runs()) == 3


def test_the_types_of_a_reader_may_be_its_own(folder, instance):
    _, ref = BaseExperiment(square).allocate([Number(x=3)], instance=instance)
    ref.result()
    by_name = BaseExperiment("square-numbers")
    assert by_name.load_results()["square"].tolist() == [9]
    assert by_name.latest_run.specs_frame()["x"].tolist() == [3]


def test_simulation_specs_refuse_what_they_do_not_know():
    with pytest.raises(ValueError, match=r"did you mean 'temperature'"):
        Simulation(temprature=1, pressure=1, material="x")  # type: ignore[call-arg]


def test_a_run_is_in_the_history_of_the_dagster_home(squares):
    run, ref = squares.allocate([Number(x=2)])
    ref.result()
    with dg.DagsterInstance.get() as home:
        found = home.get_run_by_id(run.manifest().workflow_run_id)
        assert found is not None and found.status == dg.DagsterRunStatus.SUCCESS
        partition = partition_of_run(run)
        assert home.get_dynamic_partitions("experiment_square_numbers") == [partition]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"", marks=pytest.mark.long),
        pytest.param(b"damaged", marks=pytest.mark.long),
        None,
    ],
    ids=["empty", "other", "cut short"],
)
def test_a_damaged_object_of_a_shard_is_named_and_its_specs_are_run_again(
    storage, instance, damage
):
    found = BaseExperiment(simulate_energy)
    run, ref = found.allocate(simulations(8), run_settings=FOUR, instance=instance)
    first = ref.result()
    key = run.place.shard_output(1)
    run.backend.update(key, lambda data: (data or b"")[:-30] if damage is None else damage)
    toys.calls.clear()
    ref = found.resume(run, instance=instance)
    assert ref.result().equals(first)
    assert set(toys.calls) == {"4.0", "5.0", "6.0", "7.0"}
    told = [entry.user_message for entry in instance.all_logs(ref.dagster_run_id)]
    assert f"{run.backend.uri(key)} was unreadable, and is removed: its specs are run again" in told


@pytest.mark.parametrize("damage", [b"", b"\0junk", b"status: com"], ids=["empty", "junk", "cut"])
def test_a_damaged_record_of_the_end_is_told_and_made_up_for(squares, instance, caplog, damage):
    run, ref = squares.allocate([Number(x=1), Number(x=-2)], instance=instance)
    first, ended = ref.result(), run.status()
    run.backend.update(run.place.completion, lambda _: damage)
    assert run.status() == ended.model_copy(update={"finished_at": None})
    assert squares.load_results().equals(first)
    assert f"{run.backend.uri(run.place.completion)} is no Completion" in caplog.text
    assert "delete the object, or resume the run" in caplog.text
    assert "pydantic" not in caplog.text
    assert squares.resume(run, instance=instance).result().equals(first)
    caplog.clear()
    assert run.status().finished_at is not None
    assert not caplog.text


def test_a_shard_that_is_gone_is_no_result_without_its_specs(squares, instance, monkeypatch):
    run, ref = squares.allocate([Number(x=n) for n in range(8)], run_settings=FOUR)
    ref.result()
    run.backend.delete(run.place.shard_output(1))
    with pytest.raises(StoreError, match=r"00001.zip is missing; .* call resume\(\)"):
        work.gather_run(run)
    assert len(squares.resume(run, instance=instance).result()) == 8


def test_dagster_logs_how_far_a_shard_is(squares, instance, monkeypatch):
    monkeypatch.setattr(work, "_TELL_EVERY_S", 0.0)
    _, ref = squares.allocate([Number(x=n) for n in (1, -2, 3)], instance=instance)
    ref.result()
    told = [entry.user_message for entry in instance.all_logs(ref.dagster_run_id)]
    assert "shard 0: 3 of 3 specs, 1 failed" in told


def test_to_save_again_writes_what_is_new_alone(storage, monkeypatch):
    written: list[int] = []
    count = 30
    run = publish(BaseExperiment(simulate_energy), simulations(count), "keep", FOUR)
    store = ShardStore(run.backend, run.place, 0)
    encode = ShardOutput.encode

    def counted(self):
        data = encode(self)
        written.append(len(data))
        return data

    monkeypatch.setattr(ShardOutput, "encode", counted)
    one = Outcome(0, {"sort_index": 0}, {"text": os.urandom(2000).hex()})
    with Saver(store) as saver:
        for n in range(count):
            saver.take(replace(one, sort_index=n, took_s=60.0))
    assert len(written) == count + 1
    assert max(written[:-1]) < 1.2 * written[0]
    assert store.keys() == [run.place.shard_output(0)]
    assert [outcome.sort_index for outcome in store.read().outcomes] == list(range(count))
