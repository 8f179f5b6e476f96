"""Local input files: which are found, which are refused, and where they are afterwards."""

import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments import BaseExperiment, ExperimentStorageSettings, SpecError
from itemeval_assets.experiments.publish import specs as publish
from itemeval_assets.experiments.publish.artifacts import collect_local_files
from itemeval_assets.experiments.work.fetching import Fetcher
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.objects.s3 import S3Backend
from tests.experiments.toys import Simulation, simulate_energy, simulations

ODD = "wéather data #1?%20 (copy).epw"


def test_a_file_that_many_specs_share_is_one_artifact(tmp_path):
    (tmp_path / "a.epw").write_text("a")
    specs = simulations(50, weather=tmp_path / "a.epw")
    assert collect_local_files(specs).by_field == {"weather": {"a.epw": tmp_path / "a.epw"}}


def test_urls_and_nothing_are_no_local_files():
    specs = [*simulations(1, weather="https://x.org/a"), *simulations(1, weather="s3://b/k")]
    assert collect_local_files([*specs, *simulations(1)]).by_field == {}


def test_one_name_for_two_contents_is_refused(tmp_path):
    for folder, text in (("a", "sunny"), ("b", "rainy"), ("c", "sunny")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.epw").write_text(text)
    one, two, same = (simulations(1, weather=tmp_path / f / "x.epw")[0] for f in "abc")
    assert len(collect_local_files([one, same]).by_field["weather"]) == 1
    with pytest.raises(SpecError, match=r"spec 1: weather: .*b/x\.epw and .*a/x\.epw"):
        collect_local_files([one, two])


def test_a_link_keeps_its_name(tmp_path):
    (tmp_path / "target.epw").write_text("x")
    (tmp_path / "link.epw").symlink_to(tmp_path / "target.epw")
    found = collect_local_files(simulations(1, weather=tmp_path / "link.epw"))
    assert list(found.by_field["weather"]) == ["link.epw"]


@pytest.mark.parametrize("name", ["gone.epw", "folder"])
def test_a_missing_file_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    specs = [*simulations(1), Simulation.model_construct(weather=tmp_path / name)]
    with pytest.raises(SpecError, match=f"spec 1: weather: .*{name}"):
        collect_local_files(specs)


def test_a_file_of_any_name_is_uploaded_and_fetched(storage, instance, tmp_path):
    source = tmp_path / ODD
    source.write_text("sunny")
    given = simulations(2, weather=source)
    before = [spec.model_copy() for spec in given]
    run, ref = BaseExperiment(simulate_energy).allocate(given, instance=instance)
    source.unlink()  # the run has a copy of its own
    ref.result()
    key = f"{run.prefix}/artifacts/weather/{ODD}"
    assert run.backend.read(key) == b"sunny"
    assert run.input_artifacts() == {"weather": [run.backend.uri(key)]}
    assert [str(spec.weather) for spec in run.specs()] == [run.backend.uri(key)] * 2
    assert given == before
    report = run.load_results("result_file_refs")["report"].iloc[1]
    assert Fetcher(run.backend)(report).read_text() == "steel 1 sunny"


def test_files_of_other_buckets_are_fetched(s3_location, tmp_path):
    other = open_backend(s3_location)
    other.update("k#1.txt", lambda _: b"there")
    settings = ExperimentStorageSettings(BUCKET=str(tmp_path))
    fetch = Fetcher(open_backend(settings.location))
    assert fetch(other.uri("k#1.txt")).read_bytes() == b"there"
    with pytest.raises(StoreError, match=r"gone\.txt"):
        fetch(other.uri("gone.txt"))


def test_files_of_the_web_are_fetched_once(tmp_path):
    (tmp_path / "data.csv").write_text("a,b")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    fetch = Fetcher(open_backend(str(tmp_path)))
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/data.csv"
        path = fetch(url)
        with pytest.raises(StoreError, match=r"cannot fetch .*gone\.csv.*404"):
            fetch(url.replace("data", "gone"))
        server.shutdown()
    assert (path.name, path.read_text()) == ("data.csv", "a,b")
    assert fetch(url) == path
    assert Fetcher(open_backend(str(tmp_path)))(url) == path


def test_a_local_file_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(StoreError, match=r"x\.txt"):
        Fetcher(open_backend(str(tmp_path)))(tmp_path / "x.txt")


def test_a_file_whose_name_begins_with_a_dot_is_downloaded_like_any_other(
    storage, instance, tmp_path
):
    source = tmp_path / ".folder/.hidden"
    source.parent.mkdir()
    source.write_text("secretly sunny")
    energy = BaseExperiment(simulate_energy)
    run, _ = energy.allocate(simulations(1, weather=source), start=False, instance=instance)
    uploaded = run.place.artifact("weather", ".hidden")
    assert uploaded in run.backend.list(run.prefix)
    run.backend.update(f"{run.prefix}/artifacts/.folder/x", lambda _: b"of another program")
    assert {"artifacts/weather/.hidden", "artifacts/.folder/x"} <= {
        path.relative_to(tmp_path / "to").as_posix() for path in run.download(tmp_path / "to")
    }
    assert (tmp_path / "to/artifacts/weather/.hidden").read_text() == "secretly sunny"


def test_it_is_withdrawn_like_any_other(storage, instance, tmp_path, monkeypatch):
    source = tmp_path / ".hidden"
    source.write_text("x")
    energy = BaseExperiment(simulate_energy)
    monkeypatch.setattr(publish, "encode_specs", lambda specs: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        energy.allocate(simulations(1, weather=source), start=False, instance=instance)
    backend = energy.backend
    assert [key for key in backend.list("") if ".hidden" in key] == []
    if isinstance(backend, LocalBackend):
        assert list(backend.root.rglob(".hidden")) == []
    else:
        assert isinstance(backend, S3Backend)
        listed = backend.client.list_objects_v2(Bucket=backend.bucket).get("Contents", [])
        assert [entry["Key"] for entry in listed if ".hidden" in entry["Key"]] == []
