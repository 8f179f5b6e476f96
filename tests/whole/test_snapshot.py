"""A run works on the study that it was approved under, whatever is edited meanwhile."""

import hashlib
import json
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.engine.study_files import load_study
from tests.studies import write_study

from .conftest import Serve
from .looking import PRICE, assert_reconciled, results_dir, rows, write_prices


def declare(folder: Path, **budget: object) -> Path:
    prices = write_prices(folder, "m", "n", "judge")
    return write_study(
        folder,
        models=["openai-api/test/m", "openai-api/test/n"],
        graders=["openai-api/test/judge"],
        items=2,
        extra={"cache": False, "budget": {"pricing_path": prices, **budget}},
    )


def break_all(config: Path) -> None:
    """Every file of the study says something else by now, and the YAML is none."""
    folder = config.parent
    config.write_text("study: [")
    (folder / "prompts" / "solver" / "short.md").write_text("Nothing to fill in.")
    (folder / "rubrics" / "strict.md").unlink()
    (folder / "prices.json").write_text("{}")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
def test_what_is_edited_between_approval_and_start_changes_nothing(
    tmp_path: Path, serve: Serve, workers: int
) -> None:
    server = serve()
    config = declare(tmp_path)
    study = load_study(config)
    whole = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    break_all(config)
    summary = api.run(study, workers=workers)
    assert (summary.errored, summary.failed_checks, summary.unpriced) == (0, [], [])
    assert server.count() == summary.calls == 8 and summary.usd > 0
    manifests = [json.loads(f.read_text()) for f in Path(study.location).glob("manifests/*.json")]
    assert len(manifests) >= 2
    for found in manifests:
        assert found["config_sha256"] == hashlib.sha256(whole[config]).hexdigest()
        assert found["config"]["study"] == "toy"
        (prompt,) = found["solver_templates"]
        assert prompt["sha256"] == study.design.generate[0].prompt.sha256
        for price in found["prices"].values():
            assert price["source"].startswith("budget.pricing_path prices.json")
            assert price["input_usd_per_mtok"] == PRICE["input_usd_per_mtok"]
    for path, data in whole.items():
        path.write_bytes(data)
    assert {row["prompt_hash"] for row in rows(config, "solutions")} == {
        study.design.generate[0].prompt.hash
    }
    assert_reconciled(config)


def test_a_yes_is_to_what_was_asked(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    config = declare(tmp_path, confirm_above_usd=0)

    def edited_while_asked(refusal: object) -> float:
        text = config.read_text().replace("- openai-api/test/n", "- openai-api/test/o")
        config.write_text(text)
        return 100.0

    monkeypatch.setattr("itemeval_assets.report.ask_consent", edited_while_asked)
    assert run_cli(["run", str(config)]) == 0
    assert server.count() == 8
    solved = results_dir(config) / "solutions.parquet"
    assert {path.name.split("_")[0] for path in solved.iterdir()} == {"m", "n"}
