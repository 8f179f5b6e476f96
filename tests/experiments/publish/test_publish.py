"""Publishing a run: everything is checked first, and all of it is there, or nothing."""

import threading
from datetime import UTC, datetime

import jsonschema
import pytest
import yaml

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    ExperimentRunSettings,
    SemVer,
    SpecError,
    experiment,
)
from itemeval_assets.experiments.publish import publication
from itemeval_assets.experiments.publish.specs import publish
from itemeval_assets.storage.objects.disk import LocalBackend
from tests.experiments.toys import Number, Simulation, simulate_energy, simulations, square

SETTINGS = ExperimentRunSettings(shard_size=2)


@pytest.fixture
def energy(folder):
    return BaseExperiment(simulate_energy, storage_settings=folder)


def keys(run):
    return [key.removeprefix(f"{run.prefix}/") for key in run.backend.list(run.prefix)]


def document(run, key):
    data = run.backend.read(key)
    assert data is not None
    return yaml.safe_load(data)


def test_a_published_run_has_every_file_of_the_layout(storage, tmp_path):
    (tmp_path / "a.epw").write_text("sunny")
    specs = simulations(5, weather=tmp_path / "a.epw")
    run = publish(BaseExperiment(simulate_energy), specs, "bumpmajor", SETTINGS)
    assert keys(run) == [
        "artifacts/weather/a.epw",
        "completion.yml",
        "experiment_io_spec.yml",
        "input_artifacts.yml",
        "manifest.yml",
        "scatter-gather/input/00000.jsonl",
        "scatter-gather/input/00001.jsonl",
        "scatter-gather/input/00002.jsonl",
        "specs.pq",
    ]
    assert run.status().model_dump() == {
        "status": "unfinished",
        "specs": 5,
        "succeeded": None,
        "failed": None,
        "finished_at": None,
    }


def test_the_manifest_says_what_the_run_is_and_where_its_parts_are(storage):
    run = publish(BaseExperiment(simulate_energy), simulations(2), "bumpmajor", SETTINGS)
    found = document(run, run.place.manifest)
    root = run.specs()[0].root_workflow_run_id
    uri = run.backend.uri(run.prefix)
    assert found == {
        "workflow_run_id": root,
        "experiment_id": f"simulate_energy/v1.0.0/{run.place.timestamp}",
        "experiment_name": "scythe_experiment_simulate_energy",
        "specs_uri": f"{uri}/specs.pq",
        "io_spec": f"{uri}/experiment_io_spec.yml",
        "input_artifacts": f"{uri}/input_artifacts.yml",
    }
    assert uri.startswith(("s3://", "/"))


def test_the_io_spec_is_a_json_schema_of_both_types(energy):
    run = publish(energy, simulations(2), "bumpmajor", SETTINGS)
    schema = run.io_spec()
    jsonschema.Draft202012Validator.check_schema(schema)
    good = {
        "input": {"temperature": 1.0, "pressure": 2.0, "material": "steel"},
        "output": {"energy": 1.0, "efficiency": None, "report": "s3://b/k"},
    }
    jsonschema.validate(good, schema)
    bad = {**good, "input": {**good["input"], "temperature": -1.0}}
    with pytest.raises(jsonschema.ValidationError, match="minimum"):
        jsonschema.validate(bad, schema)
    assert "in kelvin" in str(schema)


def test_one_spec_has_its_document_as_well(energy):
    run = publish(energy, simulations(1)[0], "bumpmajor", SETTINGS)
    found = document(run, run.place.workflow_spec)
    assert found["temperature"] == 0.0 and found["experiment_id"] == run.experiment_id
    assert "workflow_spec.yml" not in keys(publish(energy, simulations(2), "keep", SETTINGS))


def test_the_run_has_copies_of_the_specs_that_know_it(energy):
    given = simulations(4)
    given[1].sort_index = 99
    before = [spec.model_dump() for spec in given]
    run = publish(energy, given, "bumpmajor", SETTINGS)
    found = run.specs()
    assert [spec.model_dump() for spec in given] == before
    assert [spec.sort_index for spec in found] == [0, 1, 2, 3]
    assert {spec.experiment_id for spec in found} == {run.experiment_id}
    assert {spec.root_workflow_run_id for spec in found} == {run.manifest().workflow_run_id}
    assert len({spec.workflow_run_id for spec in found}) == 4
    assert [spec.temperature for spec in found] == [0.0, 1.0, 2.0, 3.0]
    assert list(run.specs_frame().columns[:4]) == list(ExperimentInputSpec.model_fields)


@pytest.mark.parametrize(
    ("bumps", "versions"),
    [
        (["bumpmajor"] * 3, ["v1.0.0", "v2.0.0", "v3.0.0"]),
        (["bumpminor", "bumpminor", "bumppatch"], ["v1.0.0", "v1.1.0", "v1.1.1"]),
        (["keep", "keep", SemVer(major=7), "keep"], ["v1.0.0", "v1.0.0", "v7.0.0", "v7.0.0"]),
        ([SemVer(major=3), "bumppatch"], ["v3.0.0", "v3.0.1"]),
    ],
)
def test_the_version_is_the_one_asked_for(folder, bumps, versions):
    found = BaseExperiment(square, storage_settings=folder)
    runs = [publish(found, [Number()], bump, SETTINGS) for bump in bumps]
    assert [str(run.versioned_experiment.version) for run in runs] == versions
    assert len({run.experiment_id for run in runs}) == len(runs)


def test_an_unknown_bump_is_refused(folder):
    with pytest.raises(SpecError, match="'major'"):
        publish(BaseExperiment(square), [Number()], "major", SETTINGS)  # type: ignore[arg-type]


def test_a_second_run_in_the_same_second_gets_the_next_one(folder, monkeypatch):
    seconds = iter([1, 1, 1, 2])

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2025, 1, 1, 0, 0, next(seconds), tzinfo=UTC)

    monkeypatch.setattr(publication, "datetime", Clock)
    monkeypatch.setattr(publication.time, "sleep", lambda _: None)
    found = BaseExperiment(square, storage_settings=folder)
    first = publish(found, [Number(x=1)], SemVer(major=1), SETTINGS)
    second = publish(found, [Number(x=2)], SemVer(major=1), SETTINGS)
    assert (first.timestamp.second, second.timestamp.second) == (1, 2)
    assert [run.specs()[0].x for run in (first, second)] == [1, 2]


def test_runs_allocated_at_once_share_no_folder_and_no_new_version(storage):
    found = BaseExperiment(square, storage_settings=storage)
    runs = []

    def allocate(number):
        runs.append(publish(found, [Number(x=number)], "bumpmajor", SETTINGS))

    threads = [threading.Thread(target=allocate, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({str(run.versioned_experiment.version) for run in runs}) == 3
    assert {run.specs()[0].x for run in runs} == {0, 1, 2}


class Clashing(ExperimentInputSpec):
    x: int

    @property
    def computed_features(self):
        return {"x": 2}


class Listing(ExperimentInputSpec):
    x: int

    @property
    def computed_features(self):
        return {"y": [1]}


class Nothing(ExperimentOutputSpec):
    pass


@experiment
def clashing(spec: Clashing) -> Nothing: ...


@experiment
def listing(spec: Listing) -> Nothing: ...


@pytest.mark.parametrize(
    ("function", "specs", "says"),
    [
        (square, [], "no specs"),
        (square, [Number(), Simulation.model_construct()], "spec 1 is a Simulation.*takes Number"),
        (square, [{"x": 1}], "spec 0 is a dict"),
        (square, Nothing(), "spec 0 is a Nothing"),
        (square, 7, "int is no spec"),
        (clashing, [Clashing(x=1)], "x"),
        (listing, [Listing(x=1)], "Listing.*y"),
        (
            simulate_energy,
            [Simulation.model_construct(weather="/no/such/file")],
            "spec 0",
        ),
        (square, [Number.model_construct(x=object())], "Number.*x"),
    ],
)
def test_what_cannot_be_published_is_refused_before_anything_is_written(
    storage, function, specs, says
):
    found = BaseExperiment(function, storage_settings=storage)
    with pytest.raises(SpecError, match=says):
        publish(found, specs, "bumpmajor", SETTINGS)
    assert found.backend.list("") == []


@pytest.mark.parametrize("failing", ["io_spec", "input_artifacts", "manifest", "artifact"])
def test_nothing_is_left_of_a_publication_that_fails(energy, failing, monkeypatch, tmp_path):
    (tmp_path / "a.epw").write_text("sunny")
    specs = simulations(2, weather=tmp_path / "a.epw")
    first = publish(energy, specs, "bumpmajor", SETTINGS)
    before = energy.backend.list("")
    broken = {"artifact": "a.epw"}.get(failing, f"{failing}.yml")
    for method in ("create", "upload"):
        monkeypatch.setattr(LocalBackend, method, _failing(getattr(LocalBackend, method), broken))
    with pytest.raises(StoreError, match="disk is full"):
        publish(energy, specs, "bumpmajor", SETTINGS)
    monkeypatch.undo()
    assert energy.backend.list("") == before
    assert energy.latest_run == first
    assert str(energy.resolve_next_version()) == "v2.0.0"


def _failing(method, name):
    def fail(self, one, other):
        if str(one).endswith(name) or str(other).endswith(name):
            raise StoreError("the disk is full")
        return method(self, one, other)

    return fail
