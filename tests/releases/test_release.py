"""Releases of a study: what is published, how the version rises, and what is never touched."""

import io
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import huggingface_hub
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from jsonschema import Draft202012Validator

from itemeval_assets.api import preflight
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.records.published.releases import Release
from itemeval_assets.core.tables.schemas import GRADINGS_LONG
from itemeval_assets.experiments import BaseExperiment, ExperimentRun, ExperimentStorageSettings
from itemeval_assets.releases import publish as publishing
from itemeval_assets.releases import publish_release, storage_for
from itemeval_assets.releases import results as publishing_results
from itemeval_assets.stages.figures import all_figures
from itemeval_assets.storage.study.store import open_store
from tests.defs.runs import GRADINGS, SOLUTIONS, finish, message, planted, runs_of, toy_study
from tests.faults.study_runs import IS_LONG

ROOT = "11111111-2222-3333-4444-555555555555"
Released = tuple[Release, ExperimentRun[Any, Any]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A complete study: two models x two prompts, a scorer and a judge, three items."""
    study = toy_study(tmp_path_factory.mktemp("release"))
    with runs_of(study) as runs:
        finish(runs)
    return study


@pytest.fixture
def storage(tmp_path: Path) -> ExperimentStorageSettings:
    return storage_in(tmp_path)


def storage_in(folder: Path) -> ExperimentStorageSettings:
    return ExperimentStorageSettings(BUCKET=str(folder / "bucket"), BUCKET_PREFIX="pub")


def publish(study: Study, storage: ExperimentStorageSettings, **given: Any) -> Release:
    return publish_release(study, open_store(study), storage, run_id=ROOT, **given)[0]


def latest(study: Study, storage: ExperimentStorageSettings) -> ExperimentRun[Any, Any]:
    return BaseExperiment(study.name, storage_settings=storage).latest_run


def objects(storage: ExperimentStorageSettings) -> dict[str, bytes]:
    root = Path(storage.location)
    files = (path for path in root.rglob("*") if path.is_file() and ".locks" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def released(finished: Study, tmp_path_factory: pytest.TempPathFactory) -> Released:
    """Its first release, which tests read and none changes."""
    storage = storage_in(tmp_path_factory.mktemp("released"))
    found = publish(finished, storage)
    return found, latest(finished, storage)


def test_a_release_has_the_layout_of_an_experiment(released: Released) -> None:
    found, run = released
    assert (found.version, found.is_new, found.cells, found.events, found.missing) == (
        "v1.0.0",
        True,
        24,
        24,
        0,
    )
    assert run.experiment_id == found.experiment_id and run.status().status == "complete"
    names = {key.removeprefix(f"{run.prefix}/") for key in run.backend.list(run.prefix)}
    fixed = {name for name in names if "/" not in name}
    assert fixed == {
        "manifest.yml",
        "experiment_io_spec.yml",
        "input_artifacts.yml",
        "specs.pq",
        "completion.yml",
        "release.json",
        "README.md",
    }
    frames = ("scalars", "result_file_refs", "gradings_long", "ledger", "solutions")
    assert {name for name in names if name.startswith("final/")} == {
        f"final/{name}.pq" for name in frames
    }
    assert sum(name.startswith("results/gen_log/") for name in names) == 4
    assert sum(name.startswith("results/grade_log/") for name in names) == 4
    assert sum(name.startswith("manifests/") for name in names) == 2
    manifest = run.manifest()
    assert (manifest.workflow_run_id, manifest.experiment_name) == (ROOT, "toy")


def test_scalars_have_the_design_as_their_index(finished: Study, released: Released) -> None:
    _, run = released
    scalars, long = run.load_results(), run.load_results("gradings_long")
    assert list(scalars.index.names[:4]) == [
        "experiment_id",
        "sort_index",
        "workflow_run_id",
        "root_workflow_run_id",
    ]
    assert set(scalars.index.get_level_values("experiment_id")) == {run.experiment_id}
    assert set(scalars.index.get_level_values("root_workflow_run_id")) == {ROOT}
    assert list(scalars.index.get_level_values("sort_index")) == list(range(24))
    flat = scalars.reset_index()
    shared = [name for name in long.columns if name in flat.columns]
    assert len(shared) == 37
    pd.testing.assert_frame_equal(flat[shared], long[shared], check_dtype=False)
    published = pq.read_table(run.backend.local_copy(run.place.final_file("gradings_long")))
    order = [(name, "ascending") for name in GRADINGS_LONG.key]
    stored = open_store(finished).read("gradings_long")
    assert published.sort_by(order).to_pylist() == stored.sort_by(order).to_pylist()


def test_specs_are_the_cells_of_the_design(released: Released) -> None:
    _, run = released
    specs, scalars = run.specs_frame(), run.load_results()
    assert list(specs.columns) == list(scalars.index.names)
    assert isinstance(specs.index, pd.RangeIndex) and len(specs) == 24
    assert specs["sort_index"].tolist() == list(range(24))
    schema = run.io_spec()
    Draft202012Validator.check_schema(schema)
    cell = schema["properties"]["input"]["$ref"].rpartition("/")[2]
    properties = schema["$defs"][cell]["properties"]
    assert set(specs.columns) == set(properties)
    assert properties["item_id"]["description"] == "the item of the benchmark"


def test_every_event_names_a_log_that_is_there(released: Released) -> None:
    _, run = released
    logs = run.load_results("result_file_refs")
    judged = logs.index.get_level_values("grade_kind") == "judge"
    assert logs["gen_log"].notna().all()
    assert logs["grade_log"].notna().tolist() == judged.tolist()
    for uri in {*logs["gen_log"], *logs["grade_log"].dropna()}:
        assert Path(uri).read_bytes()[:2] == b"PK"


def test_nothing_is_published_where_nothing_changed(
    finished: Study, storage: ExperimentStorageSettings
) -> None:
    first = publish(finished, storage)
    before = objects(storage)
    again = publish(finished, storage)
    assert (again.experiment_id, again.is_new) == (first.experiment_id, False)
    assert (again.cells, again.events, again.missing) == (24, 24, 0)
    assert objects(storage) == before


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        pytest.param("bumppatch", "v1.0.1", marks=pytest.mark.long),
        pytest.param("bumpminor", "v1.1.0", marks=pytest.mark.long),
        ("bumpmajor", "v2.0.0"),
        ("3.4", "v3.4.0"),
    ],
)
def test_a_version_as_asked_overwrites_nothing(
    finished: Study, storage: ExperimentStorageSettings, asked: str, version: str
) -> None:
    publish(finished, storage)
    before = objects(storage)
    assert publish(finished, storage, version=asked).version == version
    after = objects(storage)
    assert before.items() <= after.items() and len(after) == 2 * len(before)


def test_the_version_rises_by_what_changed(
    tmp_path: Path, storage: ExperimentStorageSettings
) -> None:
    versions = []
    changes: list[dict[str, Any]] = [
        {"prompts": ["short"]},
        {"prompts": ["short"], "replications": 2},
        {"prompts": ["short", "long"], "replications": 2},
        {"prompts": ["long"], "replications": 2},
    ]
    expected = ["v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0", "v2.0.1"]
    if not IS_LONG:
        del changes[2], expected[2]
    study = toy_study(tmp_path, models=["mockllm/a"], **changes[0])
    for change in changes:
        study = toy_study(tmp_path, models=["mockllm/a"], **change)
        with runs_of(study) as runs:
            finish(runs)
            versions.append(publish(study, storage).version)
    with runs_of(study) as runs:
        assert runs.run(["items"]).success
        forced = {"config": {"force": True}, "span": study.generate_partitions()}
        assert runs.run(SOLUTIONS, **forced).success
        assert runs.run(GRADINGS, span=study.grade_partitions()).success
        assert runs.run(["ledger"]).success
    versions.append(publish(study, storage).version)
    assert versions == expected


@pytest.mark.long
def test_what_the_design_no_longer_has_is_in_no_frame(
    tmp_path: Path, storage: ExperimentStorageSettings
) -> None:
    study = toy_study(tmp_path, replications=2)
    with runs_of(study) as runs:
        finish(runs)
    preflight(study.config_path)
    assert publish(study, storage).cells == 48
    fewer = toy_study(
        tmp_path,
        models=["mockllm/a"],
        prompts=["short"],
        extra={"benchmark": {"datasets": [{"id": "items.jsonl", "limit": 2}]}},
    )
    found = publish(fewer, storage)
    assert (found.version, found.cells, found.events, found.missing) == ("v2.0.0", 4, 4, 0)
    run = latest(fewer, storage)
    (solver,) = fewer.design.generate
    for frame in (run.specs_frame(), run.load_results("gradings_long")):
        assert sorted(zip(frame["item_id"], frame["replication"], strict=True)) == [
            ("q1", 1),
            ("q1", 1),
            ("q2", 1),
            ("q2", 1),
        ]
        assert set(frame["gen_condition_id"]) == {solver.id}
    for name in ("scalars", "result_file_refs"):
        assert len(run.load_results(name)) == 4
    solutions = run.load_results("solutions")
    assert sorted(zip(solutions["item_id"], solutions["epoch"], strict=True)) == [
        ("q1", 1),
        ("q2", 1),
    ]
    ledger = run.load_results("ledger")
    assert set(ledger["condition_id"]) == {
        *("(preflight)", solver.id),
        *(c.id for c in fewer.design.grade),
    }
    # All that these conditions have cost: three items, twice, for the solver and for the judge.
    booked = ledger[(ledger["model"] != "(verifiable)") & (ledger["stage"] != "preflight")]
    assert booked["calls"].tolist() == [6, 6]
    names = [key.removeprefix(f"{run.prefix}/") for key in run.backend.list(run.prefix)]
    assert sum(name.startswith("results/") for name in names) == 2
    card = run.backend.read(f"{run.prefix}/README.md")
    assert card and b"2 of `items.jsonl`" in card
    assert not publish(fewer, storage).is_new
    assert publish(study, storage).version == "v2.1.0"


def test_after_a_version_of_another_program_the_next_is_major(
    finished: Study, storage: ExperimentStorageSettings
) -> None:
    (Path(publish(finished, storage).uri) / "release.json").unlink()
    assert publish(finished, storage).version == "v2.0.0"


def test_cells_without_an_event_are_listed_with_the_reason(
    tmp_path: Path, storage: ExperimentStorageSettings
) -> None:
    study = toy_study(tmp_path, models=["mockllm/a"], prompts=["short"])
    with runs_of(study) as runs:
        finish(runs)
    more = toy_study(tmp_path, models=["mockllm/a"], prompts=["short"], replications=2)
    [generate] = more.generate_partitions()
    found = publish(more, storage)
    assert (found.cells, found.events, found.missing) == (12, 6, 6)
    run = latest(more, storage)
    assert run.status().status == "incomplete"
    errors = run.load_results("errors")
    assert errors["error_type"].tolist() == ["missing"] * 6
    assert set(errors.index.get_level_values("replication")) == {2}
    assert set(errors.index.get_level_values("gen_condition_id")) == set(generate)
    specs = run.specs_frame().set_index("sort_index")
    for place, replication in zip(
        errors.index.get_level_values("sort_index"),
        errors.index.get_level_values("replication"),
        strict=True,
    ):
        assert specs.loc[place, "replication"] == replication
    card = (Path(run.uri) / "README.md").read_text()
    assert "**6 cells have no valid grading event**" in card


def test_an_errored_call_is_an_event_and_a_flaw(
    tmp_path: Path, storage: ExperimentStorageSettings
) -> None:
    study = toy_study(tmp_path, models=["mockllm/a"], prompts=["short"], scorer=None)
    with runs_of(study) as runs:
        finish(runs)
        [pair] = study.grade_partitions()
        rows = runs.store.read("gradings", [pair]).to_pylist()
        failed = {"error": "the judge was out", "score": None, "score_raw": None, "parse_ok": False}
        rows[1] |= {**failed, "parse_error": None, "judge_completion": None, "reasoning": None}
        planted(runs, "gradings", pair, rows)
        assert runs.run(["gradings_long"], span=[pair]).success
    found = publish(study, storage)
    assert (found.cells, found.events, found.missing) == (3, 3, 1)
    run = latest(study, storage)
    errors = run.load_results("errors")
    assert errors["error_type"].tolist() == ["errored"]
    assert errors["message"].tolist() == ["the judge was out"]
    assert errors.index.get_level_values("item_id").tolist() == [rows[1]["item_id"]]
    mean = (rows[0]["score"] + rows[2]["score"]) / 2
    card = (Path(run.uri) / "README.md").read_text()
    assert "**scores by judge · strict**" in card and f"| a · short | {mean:.2f} | " in card
    assert " | 2 | not declared | 3 | 1 errored |" in card


def test_no_figure_of_the_card_is_worth_a_failed_release(
    finished: Study, storage: ExperimentStorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise FloatingPointError("a bug")

    monkeypatch.setattr(all_figures, "reliability", broken)
    assert publish(finished, storage).is_new
    card = (Path(latest(finished, storage).uri) / "README.md").read_text()
    assert "could not be estimated: FloatingPointError: a bug" in card


def test_the_card_says_what_a_stranger_needs(finished: Study, released: Released) -> None:
    card = (Path(released[1].uri) / "README.md").read_text()
    assert card.startswith("---\n")
    headings = [line for line in card.splitlines() if line.startswith("#")]
    assert headings == [
        "# toy v1.0.0",
        "## Design",
        "## Execution",
        "## Results",
        "## Comparisons",
        "## Reliability",
        "## Judges",
        "## Odd items",
        "## Costs",
        "## Files",
        "## How to reproduce",
    ]
    assert "so few prove nothing" in card and "24 grading events" in card
    assert "`mockllm/a`, `mockllm/b`" in card and "3 of `items.jsonl`" in card
    assert finished.config_sha256 in card
    assert f"with\nitemeval_assets {version('itemeval-assets')}," in card
    assert "pip install" not in card  # no index has the package
    assert "| `final/gradings_long.pq` | 24 |" in card


@pytest.mark.long
def test_the_hub_and_datasets_read_the_folder_of_a_release(
    tmp_path: Path, storage: ExperimentStorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    study = toy_study(tmp_path, models=["mockllm/a"], prompts=["short"])
    with runs_of(study) as runs:
        finish(runs)
    publish(toy_study(tmp_path, models=["mockllm/a"], prompts=["short"], replications=2), storage)
    run = latest(study, storage)
    head = yaml.safe_load((Path(run.uri) / "README.md").read_text().split("---\n")[1])
    assert (head["pretty_name"], head["license"]) == ("toy v1.0.0", "unknown")
    assert head["size_categories"] == ["n<1K"]
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    place, cache = run.uri, str(tmp_path / "cache")
    found = datasets.load_dataset(place, split="train", cache_dir=cache)
    long = run.load_results("gradings_long")
    assert (found.num_rows, found.column_names) == (len(long), [*long.columns])
    assert found["score"][:] == long["score"].tolist()
    errors = datasets.load_dataset(place, "errors", split="train", cache_dir=cache)
    assert errors["error_type"][:] == ["missing"] * 6
    card = huggingface_hub.DatasetCard.load(Path(place) / "README.md")
    card_data = card.data.to_dict()
    assert [one["config_name"] for one in card_data["configs"]] == ["gradings_long", "errors"]


def test_a_release_without_flaws_has_one_table_for_the_hub(released: Released) -> None:
    names = {path.name for path in (Path(released[1].uri) / "data").iterdir()}
    assert names == {"gradings_long.parquet"}


def test_inputs_are_published_as_they_were_and_without_secrets(
    tmp_path: Path, storage: ExperimentStorageSettings
) -> None:
    secret = "sk-" + "a1b2c3d4" * 4
    study = toy_study(tmp_path, models=["mockllm/a"], extra={"cache": False})
    prompt = tmp_path / "prompts" / "solver" / "short.md"
    prompt.write_text(f"{{input}} key {secret}")
    study = toy_study(tmp_path / "again", models=["mockllm/a"])
    (tmp_path / "again" / "prompts" / "solver" / "short.md").write_text(f"{{input}} {secret}")
    from itemeval_assets.engine.study_files import load_study

    study = load_study(study.config_path)
    with runs_of(study) as runs:
        finish(runs)
    publish(study, storage)
    run = latest(study, storage)
    artifacts = run.input_artifacts()
    assert set(artifacts) == {"config", "prompt", "rubric"}
    [config] = artifacts["config"]
    assert yaml.safe_load(Path(config).read_text())["study"] == "toy"
    texts = [Path(uri).read_text() for uris in artifacts.values() for uri in uris]
    assert not any(secret in text for text in texts)


def test_unsound_tables_are_not_released(
    tmp_path: Path, storage: ExperimentStorageSettings
) -> None:
    study = toy_study(tmp_path, models=["mockllm/a"], prompts=["short"])
    with runs_of(study) as runs:
        finish(runs)
        part = study.grade_partitions()[0]
        rows = runs.store.read("gradings", [part]).to_pylist()
        planted(runs, "gradings", part, [*rows, rows[0]])
    with pytest.raises(StoreError, match="a key occurs twice"):
        publish(study, storage)
    assert objects(storage) == {}


def test_a_study_without_an_event_is_not_released(
    tmp_path: Path, storage: ExperimentStorageSettings
) -> None:
    study = toy_study(tmp_path)
    with runs_of(study) as runs:
        assert runs.run(["items"]).success
    with pytest.raises(StoreError, match="has no grading event of its design"):
        publish(study, storage)
    assert objects(storage) == {}


def test_a_release_that_fails_leaves_nothing(
    finished: Study, storage: ExperimentStorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> str:
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "study_card", broken)
        with pytest.raises(OSError, match="no room"):
            publish(finished, storage)
    assert objects(storage) == {}
    assert publish(finished, storage).version == "v1.0.0"


def test_rows_that_change_meanwhile_stop_a_release(
    finished: Study, storage: ExperimentStorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = publishing_results.partition_rows

    def changed(*given: Any) -> Any:
        part = whole(*given)
        return part._replace(rows=part.rows.slice(1))

    monkeypatch.setattr(publishing_results, "partition_rows", changed)
    with pytest.raises(StoreError, match="changed while it was released"):
        publish(finished, storage)
    assert objects(storage) == {}


def test_a_wrong_version(finished: Study, storage: ExperimentStorageSettings) -> None:
    for wrong in ("1.x", "bumpall", ""):
        with pytest.raises(Exception, match=r"version") as caught:
            publish(finished, storage, version=wrong)
        assert getattr(caught.value, "exit_code", None) == 2
    assert objects(storage) == {}


@pytest.fixture
def on_s3(s3_location: str) -> Iterator[ExperimentStorageSettings]:
    bucket = s3_location.removeprefix("s3://").partition("/")[0]
    yield ExperimentStorageSettings(BUCKET=bucket, BUCKET_PREFIX="releases/of/ours")


@pytest.mark.long
def test_boto3_and_pandas_are_enough_to_read_a_release(
    finished: Study, on_s3: ExperimentStorageSettings
) -> None:
    publish(finished, on_s3)
    client = boto3.client("s3")
    listed = client.list_objects_v2(Bucket=on_s3.BUCKET, Prefix="releases/of/ours/toy/")
    keys = [entry["Key"] for entry in listed["Contents"]]

    def fetch(key: str) -> bytes:
        return client.get_object(Bucket=on_s3.BUCKET, Key=key)["Body"].read()

    [key] = [key for key in keys if key.endswith("manifest.yml")]
    manifest = yaml.safe_load(fetch(key))
    assert manifest["specs_uri"].startswith(f"s3://{on_s3.BUCKET}/releases/of/ours/toy/v1.0.0/")
    [key] = [key for key in keys if key.endswith("final/scalars.pq")]
    scalars = pd.read_parquet(io.BytesIO(fetch(key)))
    assert len(scalars) == 24 and scalars["score"].notna().any()
    [key] = [key for key in keys if key.endswith("final/result_file_refs.pq")]
    logs = pd.read_parquet(io.BytesIO(fetch(key)))
    bucket, _, log = logs["gen_log"].iloc[0].removeprefix("s3://").partition("/")
    assert (bucket, fetch(log)[:2]) == (on_s3.BUCKET, b"PK")
    [key] = [key for key in keys if key.endswith("release.json")]
    assert len(json.loads(fetch(key))["partitions"]) == 8


def test_the_asset_publishes_and_says_where(
    finished: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", str(tmp_path / "bucket"))
    with runs_of(finished) as runs:
        result = runs.run(["release"], config={"version": "2.0.0"})
        assert result.success, message(result)
        [found] = runs.metadata("release").values()
    run = latest(finished, ExperimentStorageSettings())
    assert run.manifest().workflow_run_id == result.run_id
    assert (found["version"], found["published"]) == ("v2.0.0", run.uri)
    assert (found["cells"], found["events"], found["is new"]) == (24, 24, True)


def test_without_a_setting_releases_lie_beside_the_study(
    finished: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCYTHE_STORAGE_BUCKET", raising=False)
    assert storage_for(finished).location == str(finished.config_dir / "experiments")
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", "a-bucket")
    assert storage_for(finished).location == "s3://a-bucket"
