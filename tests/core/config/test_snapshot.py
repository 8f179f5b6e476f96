"""Snapshots: the same study in another process, whatever became of its files."""

import json
import shutil
from pathlib import Path

import pytest

from itemeval_assets.core.config.snapshot import Snapshot
from itemeval_assets.core.design.study import study_of
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.inputs import load_prices
from tests.studies import write_study


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_snapshot_is_the_study_without_its_files(tmp_path: Path, mark: str) -> None:
    price = {"input_usd_per_mtok": 3, "output_usd_per_mtok": 4}
    (tmp_path / "prices.json").write_text(json.dumps({"models": {"openai/a": price}}))
    config = write_study(
        tmp_path,
        prompts=["builtin:standard", "short"],
        extra={"budget": {"pricing_path": "prices.json"}},
    )
    config.write_text(mark + config.read_text() + "# Größe\r\n", newline="")
    study = load_study(config)
    line = study.snapshot.to_json()
    assert "\n" not in line and Snapshot.from_json(line) == study.snapshot
    shutil.rmtree(tmp_path)
    again = study_of(Snapshot.from_json(line))
    assert again == study and again.design.labels == study.design.labels
    for name in ("name", "location", "config_path", "config_dir", "config_sha256"):
        assert getattr(again, name) == getattr(study, name)
    records = [load_prices(found).as_record("openai/a", False) for found in (study, again)]
    assert records[0] is not None and records[0] == records[1]


def test_only_who_needs_a_price_is_told_that_the_file_is_missing(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, extra={"budget": {"pricing_path": "gone.json"}}))
    (tmp_path / "gone.json").write_text("{}")
    again = study_of(Snapshot.from_json(study.snapshot.to_json()))
    for found in (study, again):
        with pytest.raises(ConfigError, match=r"budget\.pricing_path: there is no file .*gone"):
            load_prices(found)
