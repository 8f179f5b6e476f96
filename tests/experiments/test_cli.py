"""`itemeval-assets experiments`: what it prints, as text and as JSON, and its refusals."""

import json

import dagster as dg
import pytest

from itemeval_assets.cli.main import run_cli
from itemeval_assets.experiments import BaseExperiment
from tests.experiments import toys
from tests.experiments.toys import Number, simulate_energy, simulations, square


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Two versions of one experiment, of which the second has a failure; one run of another."""
    place = tmp_path_factory.mktemp("published")
    (place / "a.epw").write_text("x")
    specs = simulations(3, weather=place / "a.epw")
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("SCYTHE_STORAGE_BUCKET", str(place / "bucket"))
        patch.setenv("SCYTHE_STORAGE_BUCKET_PREFIX", "scythe")
        energy = BaseExperiment(simulate_energy)
        first, ref = energy.allocate(specs, instance=instance)
        ref.result()
        toys.failing[1.0] = ValueError("no 1 [b]")
        second, ref = energy.allocate(specs, version="bumpminor", instance=instance)
        ref.result()
        BaseExperiment(square).allocate([Number()], start=False, instance=instance)
    toys.calls.clear()
    toys.failing.clear()
    return place / "bucket", (first, second)


@pytest.fixture
def runs(published, monkeypatch):
    """They are only read."""
    bucket, found = published
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", str(bucket))
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET_PREFIX", "scythe")
    return found


def as_json(capsys, *arguments):
    assert run_cli(["experiments", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def as_text(capsys, *arguments):
    assert run_cli(["experiments", *arguments]) == 0
    return capsys.readouterr().out


def test_list_names_experiments_with_their_newest_run(runs, capsys):
    energy, squares = as_json(capsys, "list")
    assert (energy["experiment"], energy["versions"], energy["runs"]) == ("simulate_energy", 2, 2)
    assert energy["latest"]["timestamp"] == runs[1].place.timestamp
    assert squares["latest"] | {"timestamp": "", "uri": ""} == {
        "experiment": "square-numbers",
        "version": "v1.0.0",
        "timestamp": "",
        "status": "unfinished",
        "specs": 1,
        "succeeded": None,
        "failed": None,
        "uri": "",
    }
    text = as_text(capsys, "list")
    assert "square-numbers" in text and "unfinished" in text and "incomplete" in text


def test_where_nothing_is_published_the_place_and_the_way_to_another_are_said(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--json"]):
        assert run_cli(["experiments", "list", *options]) == 0
        printed = capsys.readouterr()
        assert printed.out == ("[]\n" if options else "")
        assert f"No experiment is published in {tmp_path}/experiments/scythe." in printed.err
        assert "--bucket" in printed.err


def test_list_of_one_has_its_runs(runs, capsys):
    found = as_json(capsys, "list", "simulate_energy")
    assert [(run["version"], run["status"], run["succeeded"], run["failed"]) for run in found] == [
        ("v1.0.0", "complete", 3, 0),
        ("v1.1.0", "incomplete", 2, 1),
    ]
    text = as_text(capsys, "list", "simulate_energy")
    assert all(run.place.timestamp in text for run in runs)


def test_show_tells_of_the_newest_run(runs, capsys):
    found = as_json(capsys, "show", "simulate_energy")
    assert found["summary"]["version"] == "v1.1.0"
    assert found["manifest"]["experiment_id"] == runs[1].experiment_id
    assert found["inputs"]["temperature"] == "number >= 0: in kelvin"
    assert found["inputs"]["weather"].endswith("| null: hourly weather")
    assert list(found["outputs"]) == ["energy", "efficiency", "report"]
    assert next(iter(found["frames"])) == "scalars"
    hourly = found["frames"]["hourly"]
    assert hourly["uri"].endswith("/final/hourly.pq") and hourly["size_bytes"] > 1000
    assert (hourly["rows"], hourly["columns"]) == (4, {"hour": "int64", "load": "double"})
    assert list(hourly["index"])[-5:] == [
        "temperature",
        "pressure",
        "material",
        "is_hot",
        "sort_subindex",
    ]
    assert hourly["index"]["temperature"] == "double: in kelvin"
    assert [uri.endswith("a.epw") for uri in found["artifacts"]["weather"]] == [True]
    (failure,) = found["failures"]
    assert (failure["sort_index"], failure["error_type"], failure["message"]) == (
        1,
        "ValueError",
        "no 1 [b]",
    )
    text = as_text(capsys, "show", "simulate_energy")
    assert "3 specs, 2 succeeded, 1 failed" in text
    assert "failed specs:\n  1  ValueError: no 1 [b]\n     temperature=1.0, pressure" in text
    assert "hourly: 4 rows, 2 columns, " in text and "\n  index sort_subindex  int64\n" in text
    assert f"\n  {hourly['load']}\n" in text


def test_show_of_an_older_run(runs, capsys):
    found = as_json(capsys, "show", "simulate_energy", "--version", "v1.0.0")
    assert found["summary"]["status"] == "complete" and found["failures"] == []
    chosen = ("--version", "1.0.0", "--run", runs[0].place.timestamp)
    assert as_json(capsys, "show", "simulate_energy", *chosen) == found
    newest = as_json(capsys, "show", "simulate_energy", "--run", runs[1].place.timestamp)
    assert newest["summary"]["version"] == "v1.1.0"


def test_download_copies_a_run(runs, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = as_json(capsys, "download", "simulate_energy", "--to", "here")
    assert (tmp_path / "here/final/errors.pq").exists()
    assert str(tmp_path / "here/manifest.yml") in files
    as_text(capsys, "download", "simulate_energy", "--version", "1.0")
    assert (tmp_path / runs[0].experiment_id / "artifacts/weather/a.epw").read_text() == "x"


def test_options_say_another_place(runs, published, capsys, monkeypatch):
    bucket = str(published[0])
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", "./nowhere")
    assert as_json(capsys, "list") == []
    assert len(as_json(capsys, "list", "--bucket", bucket)) == 2
    assert as_json(capsys, "list", "--bucket", bucket, "--prefix", "other") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "simulate_enegy"], "experiments there: simulate_energy, square-numbers"),
        (["list", "simulate_enegy"], "experiments there: simulate_energy, square-numbers"),
        (["show", "../simulate_energy"], "no name of an experiment"),
        (["show", "simulate_energy", "--version", "two"], "write it as v1.2.3"),
        (["show", "simulate_energy", "--version", "v2.0.0"], "versions there: v1.1.0, v1.0.0"),
        (["show", "simulate_energy", "--run", "2025-01-01_00-00-00"], "runs there: 20"),
        (["download", "simulate_energy", "--bucket", "NO"], "write ./NO"),
        (["list", "--prefix", "a/../b"], "may not hold"),
    ],
)
def test_a_mistake_is_a_message_and_exit_code_2(runs, capsys, arguments, says):
    assert run_cli(["experiments", *arguments]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and says in message and "Traceback" not in message


@pytest.mark.parametrize("command", ["list", "list x", "show x", "download x"])
def test_a_file_is_no_place_of_experiments(tmp_path, capsys, command):
    (tmp_path / "afile").write_text("")
    for place in ("afile", "afile/sub"):
        arguments = [*command.split(), "--bucket", str(tmp_path / place)]
        assert run_cli(["experiments", *arguments]) == 2
        assert str(tmp_path / place) in capsys.readouterr().err.replace("\n", "")
