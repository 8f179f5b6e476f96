"""A study whose models are drawn from a roster, which its first run locks."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.releases.documents import input_files
from itemeval_assets.storage.study.inputs.model_lock import keep_roster
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import open_store
from tests.studies import write_study

from .looking import PRICE, results_dir, rows

MODELS = [f"mockllm/{name}" for name in ("ant", "bee", "cat", "dog", "elk", "fox")]
LOCK = "toy.model_lock.json"


def declare(folder: Path, models: list[str] = MODELS, **sample: Any) -> Path:
    """A study with a roster; `sample`: keys in the place of the usual ones."""
    path = write_study(folder, models=[], graders=[], items=1)
    document = yaml.safe_load(path.read_text())
    keys = {"roster": "roster.txt", "n": 2, "seed": 1, **sample}
    document["solvers"] = {"sample": keys}
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "roster.txt").write_text("\n".join(models) + "\n")
    return path


def test_the_first_run_locks_the_roster_and_a_larger_sample_adds_to_a_smaller_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path)
    assert api.estimate(config).model_sample == "sample of 2 of 6 models of roster.txt, seed 1"
    assert not (tmp_path / LOCK).exists()
    summary = api.run(config)
    first = load_study(config).models
    assert summary.calls == 2 and {row["model"] for row in rows(config, "solutions")} == {*first}
    lock = {"roster": "roster.txt", "models": MODELS}
    assert json.loads((tmp_path / LOCK).read_text()) == lock
    [manifest, *_] = (results_dir(config) / "manifests").glob("*.json")
    told = json.loads(manifest.read_text())
    assert told["models"] == first and told["roster"]["models"] == MODELS
    assert "models" not in told["config"]["solvers"]

    # Who edits the roster changes nothing, and is told.
    declare(tmp_path, [*MODELS[1:], "mockllm/gnu"], n=3)
    grown = load_study(config)
    assert grown.models[:2] == first and set(grown.models) <= set(MODELS)
    said = "roster.txt changed since the first run: new: mockllm/gnu; gone: mockllm/ant."
    assert said in "".join(api.status(config).notes)
    assert any(said in warning for warning in api.estimate(config).warnings)
    assert run_cli(["run", str(config)]) == 0
    assert said in capsys.readouterr().err
    assert {row["model"] for row in rows(config, "solutions")} == {*grown.models}

    released = input_files(grown, open_store(grown)).by_field["roster"]["roster.txt"]
    assert isinstance(released, bytes) and released.decode().split() == MODELS

    (tmp_path / "roster.txt").unlink()
    assert load_study(config).models == grown.models
    assert "there is no file" in api.status(config).notes[0]


def test_redraw_takes_the_roster_of_today(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path)
    keep_roster(load_study(config))
    before = load_study(config).models
    declare(tmp_path, [model for model in MODELS if model != before[0]])
    looked = api.redraw(config, dry_run=True)
    assert (looked.gone, looked.lock, len(looked.came)) == ([before[0]], None, 1)
    assert load_study(config).models == before
    assert run_cli(["redraw", str(config)]) == 0
    said = capsys.readouterr().out
    assert f"gone: {before[0]}; its rows stay" in said and LOCK in said
    after = load_study(config)
    assert after.models == looked.models and not api.status(config).notes
    again = api.redraw(config)
    assert (again.came, again.gone, again.roster) == ([], [], None)


def test_prices_that_change_later_draw_no_other_models(tmp_path: Path) -> None:
    models = [f"nobody/{name}" for name in "abc"]

    def price(**usd: float) -> None:
        found = {f"nobody/{one}": {**PRICE, "output_usd_per_mtok": usd[one]} for one in usd}
        (tmp_path / "prices.json").write_text(json.dumps({"models": found}))

    def declared(**where: Any) -> Path:
        config = declare(tmp_path, models, n=1, where=where)
        document = yaml.safe_load(config.read_text())
        document["budget"] = {"pricing_path": "prices.json"}
        config.write_text(yaml.safe_dump(document))
        return config

    price(a=1.0, b=20.0, c=30.0)
    config = declared(max_output_usd_per_mtok=10)
    keep_roster(study := load_study(config))
    assert study.models == ["nobody/a"]
    assert (study.model_sample or "").endswith("seed 1, up to $10 per million output tokens")
    price(a=99.0, b=2.0, c=99.0)
    assert load_study(config).models == ["nobody/a"]
    declared(max_output_usd_per_mtok=10, provider=["someone"])
    with pytest.raises(ConfigError, match="where: it leaves no model of"):
        load_study(config)
    declared(max_output_usd_per_mtok=10)
    assert api.redraw(config).models == ["nobody/b"]
    (tmp_path / LOCK).write_text(json.dumps({"roster": "roster.txt", "models": models}))
    with pytest.raises(ConfigError, match="the roster was locked without prices"):
        load_study(config)


def test_nothing_is_redrawn_while_a_run_is_at_work(tmp_path: Path) -> None:
    config = declare(tmp_path)
    keep_roster(load_study(config))
    before = (tmp_path / LOCK).read_bytes()
    declare(tmp_path, MODELS[1:])
    reservations = Reservations(open_store(load_study(config)))
    with reservations.held("another"):
        reservations.reserve("another", 1.0, lambda others: None)
        with pytest.raises(StoreError, match="a run is at work: redraw before it, or after"):
            api.redraw(config)
        assert api.redraw(config, dry_run=True).lock is None
    assert (tmp_path / LOCK).read_bytes() == before
    assert api.redraw(config).roster


def test_a_roster_without_prices_is_told_before_anything_is_drawn(tmp_path: Path) -> None:
    config = declare(tmp_path, [*MODELS, "openai/of-the-future", "nobody/x"])
    with pytest.raises(ConfigError) as caught:
        api.estimate(config)
    assert "models without a price: openai/of-the-future, nobody/x; nothing is drawn." in str(
        caught.value
    )
    declare(tmp_path, [*MODELS, "nobody/x"], exclude=["nobody/x"], n=6)
    assert sorted(load_study(config).models) == MODELS


def test_a_damaged_lock_is_told_and_redrawn(tmp_path: Path) -> None:
    config = declare(tmp_path)
    lock = tmp_path / LOCK
    for text in ("{", "[]", "{}", json.dumps({"roster": "r", "models": []})):
        lock.write_text(text)
        with pytest.raises(ConfigError, match="does not hold a roster: "):
            load_study(config)
    api.redraw(config)
    assert len(load_study(config).models) == 2


def test_a_study_that_names_its_models_has_nothing_to_redraw(tmp_path: Path) -> None:
    config = write_study(tmp_path)
    with pytest.raises(ConfigError, match="the YAML names its models") as caught:
        api.redraw(config)
    assert str(caught.value).count("toy.yaml") + str(caught.value).count("study.yaml") == 1


def test_an_excluded_model_may_leave_the_roster(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'mockllm/ape' is not in roster.txt; did you mean"):
        load_study(declare(tmp_path, exclude=["mockllm/ape"]))
    config = declare(tmp_path, exclude=[MODELS[0], MODELS[1]])
    keep_roster(load_study(config))
    (tmp_path / "roster.txt").write_text("\n".join(MODELS[1:]))
    api.redraw(config)
    found = api.redraw(config)
    assert found.words.endswith("without mockllm/bee; mockllm/ant of `exclude` is not in it")
    assert load_study(config).models == found.models


def test_a_lock_of_another_file_stands(tmp_path: Path) -> None:
    config = declare(tmp_path)
    keep_roster(load_study(config))
    declare(tmp_path, roster="other.txt")
    found = load_study(config)
    assert found.snapshot.roster and found.snapshot.roster.change
    assert "roster.txt is locked, and the YAML names other.txt" in found.snapshot.roster.change


def test_a_roster_that_another_run_has_locked_meanwhile_is_told(tmp_path: Path) -> None:
    config = declare(tmp_path)
    late = load_study(config)
    declare(tmp_path, MODELS[1:])
    keep_roster(load_study(config))
    with pytest.raises(ConfigError, match="another run has locked it: run again"):
        keep_roster(late)
    assert json.loads((tmp_path / LOCK).read_text())["models"] == MODELS[1:]
