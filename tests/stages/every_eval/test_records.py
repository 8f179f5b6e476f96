"""Records of Every Eval Ever: what they say of a study, and that its package takes them."""

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.stages.every_eval import checking, writing
from itemeval_assets.stages.every_eval.model import model_info, model_place
from tests.scored import scored_study

JUDGES = {
    "strict_judge": {"model": "mockllm/judge", "scale": [0, 1]},
    "no_scale": {"model": "mockllm/judge"},
}
needs_package = pytest.mark.skipif(
    find_spec("every_eval_ever") is None, reason="the extra every-eval needs Python 3.12"
)


def half(model: str, _grader: str, n: int, epoch: int) -> float | None:
    return None if n == 3 else float((n + epoch) % 2) if model.endswith("alpha") else 1.0


@pytest.fixture(autouse=True)
def no_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was paid for the scores that a test chooses, and so no ledger adds up to them."""
    monkeypatch.setattr(writing, "require_sound", lambda *_: None)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return scored_study(tmp_path, half, items=4, replications=2, graders=JUDGES)


def documents(folder: str) -> dict[str, dict[str, Any]]:
    found = (json.loads(path.read_text()) for path in sorted(Path(folder).rglob("*.json")))
    return {one["model_info"]["id"]: one for one in found}


def rows_of(folder: str, document: dict[str, Any]) -> list[dict[str, Any]]:
    path = Path(folder) / document["detailed_evaluation_results"]["file_path"]
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_record_has_the_scores_of_a_model_with_their_certainty(study: Study) -> None:
    found = ie.every_eval(study, "The Lab")
    assert (found.records, found.results, found.rows) == (2, 6, 24)
    alpha = documents(found.folder)["mockllm/alpha"]
    assert alpha["source_metadata"]["source_organization_name"] == "The Lab"
    assert alpha["eval_library"]["name"] == "itemeval_assets"
    wanted = {(row.condition, row.graded_by): row for row in ie.scores(study).rows}
    assert len(alpha["evaluation_results"]) == 3
    for result in alpha["evaluation_results"]:
        said, metric = result["score_details"], result["metric_config"]
        row = wanted[said["details"]["condition"], metric["metric_name"]]
        assert said["score"] == row.mean and said["details"]["left_out"] == "2 unparsed"
        interval = said["uncertainty"]["confidence_interval"]
        assert (interval["lower"], interval["upper"]) == (row.low, row.high)
        assert said["uncertainty"]["standard_error"]["value"] == row.standard_error
        assert ("min_score" in metric) == (row.graded_by != "no_scale · strict")
        assert result["generation_config"]["generation_args"]["prompt_template"]
    judged = alpha["evaluation_results"][1]["metric_config"]["llm_scoring"]
    assert judged["judges"][0]["model_info"]["id"] == "mockllm/judge" and judged["input_prompt"]


def test_rows_join_their_result_and_say_what_is_right(study: Study) -> None:
    found = ie.every_eval(study, "The Lab")
    alpha = documents(found.folder)["mockllm/alpha"]
    rows, detail = rows_of(found.folder, alpha), alpha["detailed_evaluation_results"]
    assert len(rows) == detail["total_rows"] == 12  # three items twice, by two graders
    text = (Path(found.folder) / detail["file_path"]).read_bytes()
    assert hashlib.sha256(text).hexdigest() == detail["checksum"]
    ids = [one["evaluation_result_id"] for one in alpha["evaluation_results"]]
    assert {row["evaluation_result_id"] for row in rows} == {*ids[:2]}
    assert {row["evaluation_id"] for row in rows} == {alpha["evaluation_id"]}
    for row in rows:
        n, epoch = int(row["sample_id"][1:]), int(row["metadata"]["replication"])
        assert row["evaluation"]["score"] == (n + epoch) % 2
        assert row["evaluation"]["is_correct"] == bool((n + epoch) % 2)
        assert row["input"] == {"raw": f"What is q{n}?", "reference": ["4"]}
    assert any("No rows of no_scale" in one for one in found.words)


def test_an_export_takes_the_place_of_the_one_before(study: Study) -> None:
    found = ie.every_eval(study, "The Lab")
    before = sorted(path.name for path in Path(found.folder).rglob("*.*"))
    stray = Path(found.folder) / "data/toy/other/model/old.json"
    stray.parent.mkdir(parents=True)
    stray.write_text("{}")
    assert ie.every_eval(study, "The Lab").folder == found.folder
    assert sorted(path.name for path in Path(found.folder).rglob("*.*")) == before
    fewer = ie.every_eval(study, "The Lab", without_rows=True)
    assert fewer.rows == 0 and not [*Path(found.folder).rglob("*.jsonl")]
    assert "detailed_evaluation_results" not in documents(found.folder)["mockllm/alpha"]


def test_a_model_without_a_score_has_no_record(tmp_path: Path) -> None:
    def only_beta(model: str, *_: object) -> float | None:
        return None if model.endswith("alpha") else 1.0

    study = scored_study(tmp_path, only_beta, graders={})
    found = ie.every_eval(study, "The Lab")
    assert [*documents(found.folder)] == ["mockllm/beta"]
    assert "1 model without a score: no record." in found.words
    study = scored_study(tmp_path / "none", lambda *_: None, graders={})
    with pytest.raises(StoreError, match="no cell has a score: there is nothing to export"):
        ie.every_eval(study, "The Lab")
    assert not Path(study.uri("export/every_eval")).exists()


@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("openai/gpt-6-luna", "openai/gpt-6-luna"),
        ("openai/azure/gpt-6-luna", "openai/azure_gpt-6-luna"),
        ("openrouter/meta-llama/llama-4", "meta-llama/llama-4"),
        ("openai-api/server/Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("openai-api/smollm2/smollm2", "smollm2/smollm2"),
        ("ollama/llama3:8b", "ollama/llama3-8b"),
    ],
)
def test_a_model_is_filed_under_its_maker(model: str, place: str) -> None:
    assert model_place(model) == place
    assert model_info(model)["name"] == model
    at_home = model.startswith(("ollama", "openai-api/smollm2"))
    details = model_info(model)["additional_details"]
    assert details["deployment_type"] == ("self_deployed" if at_home else "unknown")


def test_arguments_that_mean_nothing(study: Study) -> None:
    with pytest.raises(ConfigError, match="organization: ' ': give the name of yours"):
        ie.every_eval(study, " ")
    with pytest.raises(ConfigError, match="relationship: there is no 'friends'; there are: first"):
        ie.every_eval(study, "The Lab", relationship="friends")


def test_the_command(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(study.config_path)
    assert run_cli(["every-eval", path, "--organization=The Lab"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 records of Every Eval Ever with 6 results and 24 rows:" in shown
    assert run_cli(["every-eval", path, "--organization=L", "--without-rows", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 0
    assert run_cli(["every-eval", path]) == 2
    assert "Missing option '--organization'" in capsys.readouterr().err


def test_who_checked_the_records_is_said(
    study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checking, "find_spec", lambda name: None)
    monkeypatch.setattr(checking.sys, "version_info", (3, 11, 9))
    assert "needs Python 3.12 or later" in ie.every_eval(study, "The Lab").words[-1]
    monkeypatch.setattr(checking.sys, "version_info", (3, 12, 1))
    assert "install it with: " in ie.every_eval(study, "The Lab").words[-1]


@needs_package
def test_its_package_takes_the_records(study: Study) -> None:
    assert ie.every_eval(study, "The Lab").words[-1].startswith("Checked by every-eval-ever 0.")
    assert ie.every_eval(study, "The Lab", without_rows=True).words[-1].startswith("Checked by")


@needs_package
def test_a_record_that_breaks_its_schema_is_not_written(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    from itemeval_assets.stages.every_eval import record

    monkeypatch.setattr(record, "left_out_words", lambda _: 3)
    monkeypatch.setattr(record, "_texts", dict)
    with pytest.raises(StoreError, match=r"record data/toy/.*Nothing was written"):
        ie.every_eval(study, "The Lab")
    assert not Path(study.uri("export/every_eval")).exists()
