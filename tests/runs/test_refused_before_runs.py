"""What is refused before any run of Dagster: the history has no run of it."""

from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.core.errors import DatasetError, StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.objects.stats import ObjectStat
from itemeval_assets.storage.study.store import open_store
from tests.studies import write_study


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
