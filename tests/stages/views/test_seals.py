"""A plan is sealed before the calls; status, report and release say what has changed since."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.experiments import BaseExperiment, ExperimentStorageSettings
from itemeval_assets.releases import publish_release
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import open_store
from tests.studies import write_study

SEAL = {"hypotheses": ["a is better than b"], "decision": "compare: the interval lies above 0"}


def edit(config: Path, **sections: Any) -> None:
    document = yaml.safe_load(config.read_text())
    for name, changes in sections.items():
        old = document.get(name) or {}
        document[name] = {**old, **changes} if isinstance(changes, dict) else changes
    config.write_text(yaml.safe_dump(document))


def sealed(config: Path) -> dict[str, Any]:
    place = Path(load_study(config).location) / "seals.json"
    return json.loads(place.read_text()) if place.exists() else {}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_study(tmp_path, models=["mockllm/a"], graders=[], items=2, extra={"seal": SEAL})


def test_a_plan_is_sealed_once_and_its_deviations_are_told(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["seal", str(config)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "before the first call, sha256" in printed and "Keep the hash" in printed
    [first] = sealed(config)["seals"]
    assert first["calls"] == 0 and first["plan"]["seal"] == SEAL
    assert first["plan"]["data"][0]["n_items"] == 2

    assert run_cli(["seal", str(config), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["is_new"], len(again["seals"]), again["deviations"]) == (False, 1, [])
    assert sealed(config)["seals"] == [first]

    # How calls are made, and what they may cost, is no part of the plan.
    edit(config, budget={"max_usd": 7.0}, cache=False, solvers={"max_retries": 2})
    assert api.status(config).notes[-1] == "No deviation from the seal."
    edit(config, facets={"replications": 2})
    (config.parent / "prompts" / "solver" / "short.md").write_text("Now {input}?\n")
    assert run_cli(["status", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "2 deviations from the seal" in told and "facets.replications was 1, is 2" in told


def released(config: Path, name: str) -> str:
    """An object of a release that is made now."""
    study = load_study(config)
    storage = ExperimentStorageSettings(BUCKET=str(config.parent / "bucket"))
    publish_release(study, open_store(study), storage, run_id="1" * 8, version="bumpminor")
    run = BaseExperiment(study.name, storage_settings=storage).latest_run
    found = run.backend.read(f"{run.prefix}/{name}")
    assert found is not None
    return found.decode()


def test_a_release_tells_what_was_sealed_and_what_came_before(config: Path) -> None:
    api.seal(config)
    api.run(config)
    edit(config, seal={"decision": "compare: whatever fits"})
    again = api.seal(config)
    assert [one.calls for one in again.seals] == [0, 2]
    edit(config, measurement={"level": 0.9})
    card = released(config, "README.md")
    told = card[card.index("## Seal") : card.index("## Execution")]
    assert "- a is better than b" in told and "before the first call" in told
    assert "after 2 calls" in told and "seal.decision was" in told
    assert "1 deviation from the seal: measurement.level was 0.95, is 0.9." in told
    assert json.loads(released(config, "artifacts/seal/seals.json")) == sealed(config)


def test_what_was_never_sealed_is_told(config: Path) -> None:
    api.run(config)
    assert "These sentences were never sealed." in released(config, "README.md")
    assert api.seal(config).seals[0].when.startswith("after 2 calls")


def test_nothing_is_sealed_where_nobody_can_say_what_came_before(config: Path) -> None:
    store = open_store(load_study(config))
    reservations = Reservations(store)
    with reservations.held("another"):
        reservations.reserve("another", 1.0, lambda others: None)
        with pytest.raises(StoreError, match="a run is at work"):
            api.seal(config)
    log = Path(load_study(config).location) / "logs" / "running" / "x.eval"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"")
    with pytest.raises(StoreError, match="answers of a killed run are in no table yet"):
        api.seal(config)
    assert not sealed(config)


def test_a_study_without_hypotheses_has_nothing_to_seal(tmp_path: Path) -> None:
    config = write_study(tmp_path, graders=[])
    with pytest.raises(
        ConfigError, match=r"seal: there is nothing to seal.*what decides it:\nseal:\n  hypo"
    ):
        api.seal(config)
    assert not sealed(config)


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"hypotheses": [], "decision": "d"}, "seal.hypotheses"),
        ({"hypotheses": [" "], "decision": "d"}, "seal.hypotheses"),
        ({"hypotheses": ["h"]}, "seal.decision"),
        ({"hypotheses": "h", "decision": "d"}, "seal.hypotheses"),
        ({"hypotheses": ["h"], "decision": "d", "alpha": 1}, "seal.alpha"),
    ],
)
def test_a_seal_that_says_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], section: Any, place: str
) -> None:
    config = write_study(tmp_path, graders=[], extra={"seal": section})
    assert run_cli(["seal", str(config)]) == 2
    assert place in capsys.readouterr().err


def test_a_file_that_holds_no_seals_is_told(config: Path) -> None:
    place = Path(load_study(config).location)
    place.mkdir(parents=True)
    (place / "seals.json").write_text('{"seals": [{"sha256": "x"}]}')
    with pytest.raises(StoreError, match=r"seals\.json"):
        api.seal(config)


@pytest.mark.parametrize(
    "change",
    [
        {"calls": "many"},
        {"calls": None},
        {"calls": True},
        {"calls": 3, "usd": "x"},
        {"sha256": 3},
        {"sealed_at": None},
        {"plan": None},
        {"plan": [1]},
        {"more": 1},
    ],
)
def test_a_seal_of_other_types_is_damaged(
    config: Path, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    seal = {"sha256": "x", "sealed_at": "2026-01-01T00:00:00Z", "calls": 3, "usd": 1, "plan": {}}
    place = Path(load_study(config).location)
    place.mkdir(parents=True)
    (place / "seals.json").write_text(json.dumps({"seals": [seal]}))
    assert "IT WAS EDITED" in api.status(config).notes[-2]
    (place / "seals.json").write_text(json.dumps({"seals": [{**seal, **change}]}))
    for command in ("status", "seal"):
        assert run_cli([command, str(config)]) == 2
        said = capsys.readouterr().err
        assert str(place / "seals.json") in said and "holds no seals; restore it" in said


def test_raters_who_come_later_are_told_apart_from_deviations(config: Path) -> None:
    edit(config, graders={"anna": {"kind": "human", "scale": [0, 1]}}, facets={"grader": ["anna"]})
    api.seal(config)
    rater = {"kind": "human", "scale": [0, 1]}
    edit(config, graders={"ben": rater, "cleo": rater}, facets={"grader": ["anna", "ben", "cleo"]})
    edit(config, seal={**SEAL, "hypotheses": ["b is better than a"]})
    *_, differing, raters = api.status(config).notes
    assert differing.startswith("1 deviation from the seal: seal.hypotheses was")
    assert raters == "Raters since the seal: ben, cleo."
    # One that was sealed is part of the plan.
    edit(config, graders={"anna": {"kind": "human", "scale": [0, 5]}}, seal=SEAL)
    *_, differing, _ = api.status(config).notes
    assert differing == "1 deviation from the seal: graders.anna.scale was [0.0,1.0], is [0.0,5.0]."
    # Sealed again, they all are.
    state = api.seal(config)
    assert (state.is_new, state.raters, state.deviations) == (True, [], [])
