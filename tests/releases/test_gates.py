"""The gate: against another condition of the study, and against a release of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.stages import gradings_long
from itemeval_assets.storage.study.store import open_store
from tests.scored import scored_study
from tests.studies import merged, write_study

MODELS = ("mockllm/old", "mockllm/worse", "mockllm/same")
ITEMS = 300


def planted(model: str, grader: str, n: int, epoch: int) -> float:
    """Right on two of three items; `worse` fails another 5 in 60 of all."""
    right = n % 3 != 0
    return float(right and not (model == "mockllm/worse" and n % 60 in (1, 11, 22, 31, 50)))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("gates")
    return scored_study(folder, planted, items=ITEMS, models=MODELS, graders={})


def test_a_regression_fails_and_no_change_passes(study: Study) -> None:
    failed = ie.gate(study, against="old", candidate="worse", margin=0.02)
    assert (failed.verdict, failed.exit_code) == ("FAIL", 1)
    [one] = failed.judged
    assert one.value == pytest.approx(-5 / 60) and one.high is not None and one.high < -0.02
    assert one.says.startswith("mockllm/worse is worse than mockllm/old by more than 2 points")
    passed = ie.gate(study, against="old", candidate="same", margin=0.02)
    assert (passed.verdict, passed.exit_code) == ("PASS", 0)


def test_few_items_do_not_decide(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted, items=60, models=MODELS, graders={})
    found = ie.gate(study, against="old", candidate="worse", margin=0.05)
    assert (found.verdict, found.exit_code) == ("INCONCLUSIVE", 6)
    [one] = found.judged
    assert one.to_decide and one.to_decide.items > 60
    assert one.to_decide.calls == 3 * (one.to_decide.items - 60)
    assert "items x 1 replication would decide in 90 % of such studies" in one.says
    assert f"The data have 60 items: {one.to_decide.items - 60} are lacking." in one.says
    tied = ie.gate(study, against="old", candidate="same", margin=0.02).judged[0]
    assert tied.verdict == "INCONCLUSIVE" and tied.to_decide
    assert tied.to_decide.items == pytest.approx(150, abs=3)


def test_what_is_named_decides(tmp_path: Path) -> None:
    small = scored_study(tmp_path / "small", planted, items=60, models=MODELS, graders={})
    [one] = ie.gate(small, against="old", candidate="worse", margin=0.03).judged
    assert one.to_decide
    bought = scored_study(
        tmp_path / "large", planted, items=one.to_decide.items, models=MODELS, graders={}
    )
    assert ie.gate(bought, against="old", candidate="worse", margin=0.03).verdict == "FAIL"


def test_scores_that_are_missing_keep_it_from_passing(tmp_path: Path) -> None:
    def lacking(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if model == "mockllm/same" and n % 20 == 0 else planted(model, grader, n, epoch)

    study = scored_study(tmp_path, lacking, items=ITEMS, models=MODELS, graders={})
    [one] = ie.gate(study, against="old", candidate="same", margin=0.02).judged
    assert (one.verdict, one.to_decide) == ("INCONCLUSIVE", None)
    assert "15 of 300 cells have no score, which may hide what is worse" in one.says


def test_scores_that_one_side_lacks_are_not_diluted_by_the_other(tmp_path: Path) -> None:
    def lacking(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if model == "mockllm/same" and n % 37 == 0 else planted(model, grader, n, epoch)

    study = scored_study(tmp_path, lacking, items=ITEMS, models=MODELS[::2], graders={})
    [one] = ie.gate(study, against="old", candidate="same", margin=0.02).judged
    assert one.verdict == "INCONCLUSIVE"
    assert "9 of 300 cells have no score, which may hide what is worse" in one.says


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"against": "old", "candidate": "worse", "margin": 0.0}, "gate.margin: 0: give a diff"),
        ({"against": "old", "candidate": "worse", "margin": -1.0}, "gate.margin: -1"),
        ({"against": "old", "candidate": "worse", "margin": 2.0}, "gate.margin, by numeric"),
        ({"against": "old", "candidate": "worse"}, "gate.margin: say it in the study"),
        ({"candidate": "worse", "margin": 0.02}, "gate.against: say it in the study"),
        ({"against": "old", "margin": 0.02}, "gate.candidate: name what is compared with old"),
        (
            {"against": "old", "candidate": "worse", "margin": 0.02, "metrics": "judge"},
            "gate.metrics: there is no grader 'judge'",
        ),
        ({"against": "old", "candidate": "new", "margin": 0.02}, "'new' is no condition"),
        ({"against": "v7.0.0", "margin": 0.02}, "gate.against: "),
    ],
)
def test_bad_input(study: Study, asked: dict[str, Any], words: str) -> None:
    with pytest.raises((ItemevalAssetsError, MeasurementError)) as refusal:
        ie.gate(study, **asked)
    assert words in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_raters_and_rejudges_are_metrics_only_by_name(tmp_path: Path) -> None:
    graders = {
        "judge": {"model": "mockllm/judge", "scale": [0, 1]},
        "anna": {"kind": "human", "scale": [0, 1]},
    }
    extra = {"rejudges": [{"name": "later"}]}
    study = scored_study(tmp_path, planted, items=60, models=MODELS, graders=graders, extra=extra)
    asked = {"against": "old", "candidate": "worse", "margin": 0.05}
    found = ie.gate(study, **asked)
    assert [one.graded_by for one in found.judged] == ["numeric", "judge · strict"]
    named = ie.gate(study, **asked, metrics=["anna"])
    assert [one.graded_by.split(" · ")[0] for one in named.judged] == ["anna"]
    assert found.judged[1].to_decide and found.judged[1].to_decide.repeats == 1


def test_a_wave_is_gated(tmp_path: Path) -> None:
    extra = {"waves": [{"name": "later", "anchors": 40}]}
    study = scored_study(tmp_path, planted, items=60, models=MODELS[:1], graders={}, extra=extra)
    first, wave = (one.label for one in study.design.generate)
    found = ie.gate(study, against=first, candidate=wave, margin=0.03)
    assert (found.judged[0].candidate, found.judged[0].n_items) == (wave, 60)
    assert f"{wave} has 40 anchors: further items decide only" in " ".join(found.judged[0].words)


def test_too_few_items_are_an_error(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted, items=9, models=MODELS, graders={})
    with pytest.raises(MeasurementError, match="share 9 items with a score of both by numeric"):
        ie.gate(study, against="old", candidate="worse", margin=0.02)


def test_files_for_a_pull_request(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(study.config_path)
    asked = ["gate", config, "--against", "old", "--candidate", "worse", "--margin", "2pt"]
    page, junit = tmp_path / "gate.md", tmp_path / "gate.xml"
    for out in (page, junit, page):
        assert run_cli([*asked, "--out", str(out)]) == 1
    told = page.read_text()
    assert told.startswith("<!-- itemeval-assets gate of toy -->\n## FAIL: toy against old\n")
    assert "| mockllm/worse | mockllm/old | numeric | FAIL | -0.083 |" in told
    root = xml.fromstring(junit.read_text())
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("1", "1", "0")
    [failure] = root.iter("failure")
    assert failure.get("type") == "FAIL"
    page.write_text("# My notes\n")
    capsys.readouterr()
    assert run_cli([*asked, "--out", str(page)]) == 2
    assert "this file is no gate of toy" in capsys.readouterr().err
    assert page.read_text() == "# My notes\n"
    assert run_cli([*asked, "--out", str(tmp_path / "gate.pdf")]) == 2
    assert run_cli([*asked, "--json"]) == 1
    assert "FAIL" in capsys.readouterr().out
    for text in ("two points", "2%", "-2pt"):
        assert run_cli([*asked[:-1], text]) == 2


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """v1.0.0 of two prompts; since then all answers to `long` are wrong, and a model is new."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("SCYTHE_STORAGE_BUCKET", raising=False)
        folder = tmp_path_factory.mktemp("released")
        prompts = ["short", "long"]
        path = write_study(folder, models=["mockllm/alpha"], prompts=prompts, graders=[], items=12)
        ie.run(path)
        ie.release(path)
        study = load_study(path)
        [partition] = [one for one in study.grade_partitions() if "long" in one.generate]
        store = open_store(study)
        rows = store.read("gradings", [partition])
        place = rows.column_names.index("score")
        wrong = pa.array([0.0] * rows.num_rows, rows.schema.field("score").type)
        store.replace("gradings", partition, rows.set_column(place, rows.field(place), wrong))
        for _ in gradings_long.write(store, [partition]):
            pass
        edit(path, {"solvers": {"models": ["mockllm/alpha", "mockllm/beta"]}})
        yield path


def edit(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), changes)))


def test_against_a_release(released: Path) -> None:
    found = ie.gate(released, against="v1", candidate="mockllm/alpha", margin=0.02)
    assert (found.against, found.verdict) == ("v1.0.0", "FAIL")
    short, long = found.judged
    assert (short.verdict, short.value) == ("PASS", 0.0)
    assert "are the same grading events" in short.says
    assert (long.candidate, long.against) == ("alpha · long", "alpha · long of v1.0.0")
    [expected] = ie.compare_releases(released, "v1.0.0").by_grader[0].differences
    assert long.value == pytest.approx(-expected.value)


def test_items_that_are_bought_after_the_release_change_no_verdict(tmp_path: Path) -> None:
    def sample(n: int) -> dict[str, Any]:
        return {"benchmark": {"sample": {"n": n, "seed": 0}}}

    path = write_study(tmp_path, models=["mockllm/a"], graders=[], items=12, extra=sample(4))
    ie.run(path)
    ie.release(path)
    edit(path, sample(12))
    assert ie.run(path).calls == 8
    found = ie.gate(path, against="v1", candidate="mockllm/a", margin=0.02)
    [judged] = found.judged
    assert (judged.verdict, judged.n_items, found.exit_code) == ("PASS", 4, 0)
    assert "on the 4 items that both have: no score is new there" in judged.says


def test_cells_without_a_score_are_not_the_same_as_the_release(released: Path) -> None:
    before = released.read_text()
    try:
        edit(released, {"facets": {"replications": 2}})
        found = ie.gate(released, against="v1", candidate="alpha · short", margin=0.02)
    finally:
        released.write_text(before)
    assert (found.verdict, found.exit_code) == ("INCONCLUSIVE", 6)
    assert "12 of 24 cells have no score, which may hide what is worse" in found.judged[0].says


def test_a_release_of_another_design(released: Path) -> None:
    with pytest.raises(ConfigError, match=r"v1.0.0 has no beta · short by numeric, so it is a re"):
        ie.gate(released, against="v1.0.0", margin=0.05)


@pytest.mark.parametrize(
    ("name", "how"), [("gradings_long", "cut"), ("gradings_long", "foreign"), ("errors", "foreign")]
)
def test_a_damaged_release_is_named(
    released: Path, name: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = (released.parent / "experiments").rglob("v1.0.0/*/final/gradings_long.pq")
    path = path.with_name(f"{name}.pq")
    sound = path.read_bytes() if path.exists() else None
    if how == "cut":
        path.write_bytes(path.read_bytes()[:200])
    else:
        pq.write_table(pa.table({"x": [1]}), path)
    says = f"{path} is no readable Parquet file"
    try:
        for line in (
            ["gate", str(released), "--against", "v1", "--candidate", "short", "--margin", "0.5"],
            ["compare", str(released), "--release", "v1"],
        ):
            assert run_cli(line) == 2
            assert says in capsys.readouterr().err
            assert run_cli([*line, "--json"]) == 2
            assert says in capsys.readouterr().out
    finally:
        path.unlink()
        if sound is not None:
            path.write_bytes(sound)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        pytest.param(b'{"partitions": {"a": {"cells": 1}}}', marks=pytest.mark.long),
        pytest.param(b'{"partitions": 3}', marks=pytest.mark.long),
    ],
)
def test_a_release_after_a_damaged_one_is_refused(
    released: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = (released.parent / "experiments").rglob("v1.0.0/*/release.json")
    sound = path.read_bytes()
    path.write_bytes(content)
    try:
        assert run_cli(["release", str(released)]) == 2
        said = capsys.readouterr().err
        assert f"{path} is no record of a release" in said and "restore it" in said
    finally:
        path.write_bytes(sound)


def test_the_yaml_says_it(released: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = released.read_text()
    gate = {"against": "v1.0.0", "candidate": "alpha · short", "margin": 0.05}
    try:
        edit(released, {"gate": gate})
        assert run_cli(["gate", str(released), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["verdict"] == "PASS"
        edit(released, {"gate": {**gate, "metrics": ["nummeric"]}})
        assert run_cli(["gate", str(released)]) == 2
        assert "gate.metrics: 'nummeric' is no grader or scorer" in capsys.readouterr().err
    finally:
        released.write_text(before)
