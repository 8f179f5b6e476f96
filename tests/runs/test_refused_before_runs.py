"""What is refused before any run of Dagster: the history has no run of it."""

from pathlib import Path
from shutil import rmtree

import pytest

from itemeval_assets import api
from itemeval_assets.core.errors import (
    BudgetExceeded,
    ConsentMissing,
    DatasetError,
    EvidenceLost,
    StoreError,
)
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.objects.stats import ObjectStat
from itemeval_assets.storage.study.store import open_store
from tests.studies import write_study
from tests.whole.looking import results_dir


def test_neither_a_version_nor_changed_data_leave_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    config = write_study(tmp_path, items=2)
    api.run(config)

    def left() -> tuple[set[str], dict[str, ObjectStat]]:
        runs = {file.name for file in (home / "history" / "runs").iterdir()}
        return runs, dict(open_store(load_study(config)).stats())

    before = left()
    for version, said in (
        ("one", "'one'"),
        ("1.x", "'1.x'"),
        ("bumpall", "there is no 'bumpall'; there are: bumpmajor, bumpminor, bumppatch"),
        ("keep", "'keep'"),
    ):
        with pytest.raises(StoreError, match=f"version: .*{said}"):
            api.release(config, version=version)
        assert left() == before, version
    data = tmp_path / "items.jsonl"
    data.write_text(data.read_text().replace('"answer": 2', '"answer": 77'))
    for refused in (lambda: api.run(config), lambda: api.run(config, force=True)):
        with pytest.raises(DatasetError, match="1 item with answers or gradings changed: 'q1'"):
            refused()
        assert left() == before
    # What is recovered is of the items as they are stored.
    assert api.recover(config).calls == 0


@pytest.mark.parametrize(
    ("budget", "error"),
    [
        ({"max_usd": 1e-9}, BudgetExceeded),
        ({"confirm_above_usd": 0.0}, ConsentMissing),
        ({}, EvidenceLost),
    ],
)
def test_what_the_gate_refuses_leaves_no_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    budget: dict[str, float],
    error: type[Exception],
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    api.run(write_study(tmp_path, items=2))
    config = write_study(tmp_path, items=2, replications=2, extra={"budget": budget})
    if error is EvidenceLost:
        rmtree(results_dir(config) / "logs")
        rmtree(results_dir(config) / "solutions.parquet")
    before = {file.name for file in (home / "history" / "runs").iterdir()}
    with pytest.raises(error):
        api.run(config)
    assert {file.name for file in (home / "history" / "runs").iterdir()} == before


def test_the_gate_counts_the_items_that_a_study_has_now(tmp_path: Path) -> None:
    """Stored ones that the config left out are not called, and others are."""

    def sampled(n: int, **budget: float) -> Path:
        sample = {"benchmark": {"sample": {"n": n, "seed": 1}}, "budget": budget}
        return write_study(tmp_path, items=9, replications=3 if budget else 1, extra=sample)

    api.run(sampled(8))
    found = api.estimate(sampled(1, max_usd=1e6))
    budget = found.spent_usd + found.remaining.usd
    with pytest.raises(BudgetExceeded):
        api.run(sampled(9, max_usd=budget * 1.01))
    assert api.run(sampled(1, max_usd=budget * 1.01)).calls > 0
