"""The check `gate` of a study: an error for FAIL, a warning for INCONCLUSIVE."""

from pathlib import Path

import dagster as dg
import pytest

import itemeval_assets as ie
from itemeval_assets.defs.checks import study_checks
from itemeval_assets.defs.gates import gate_checks
from itemeval_assets.engine.study_files import load_study
from tests.scored import scored_study
from tests.studies import write_study

pytestmark = pytest.mark.shown

MODELS = ("mockllm/old", "mockllm/new")


def planted(model: str, grader: str, n: int, epoch: int) -> float:
    return float(n % 3 != 0 and not (model == "mockllm/new" and n % 10 == 1))


@pytest.mark.parametrize(
    ("items", "margin", "passed", "severity", "words"),
    [
        (200, 0.02, False, dg.AssetCheckSeverity.ERROR, "FAIL by numeric"),
        (200, 0.2, True, dg.AssetCheckSeverity.WARN, "PASS by numeric"),
        (30, 0.05, False, dg.AssetCheckSeverity.WARN, "INCONCLUSIVE by numeric"),
        (6, 0.05, False, dg.AssetCheckSeverity.WARN, "no verdict: gate: "),
    ],
)
def test_a_gate_is_a_check(
    tmp_path: Path, items: int, margin: float, passed: bool, severity: object, words: str
) -> None:
    gate = {"against": "old", "candidate": "new", "margin": margin}
    study = scored_study(
        tmp_path, planted, items=items, models=MODELS, graders={}, extra={"gate": gate}
    )
    [check] = gate_checks(study)
    instance = dg.DagsterInstance.ephemeral()
    result = check(dg.build_asset_check_context(instance=instance))
    assert isinstance(result, dg.AssetCheckResult)
    assert (result.passed, result.severity) == (passed, severity)
    assert result.description and result.description.startswith(words)


def test_a_run_says_that_its_gate_did_not_pass(tmp_path: Path) -> None:
    gate = {"against": "b", "candidate": "a", "margin": 0.001}
    models = ["mockllm/a", "mockllm/b"]
    path = write_study(tmp_path, models=models, graders=[], items=12, extra={"gate": gate})
    done = ie.run(path)
    [note] = [note for note in done.notes if note.startswith("gate: ")]
    assert note.startswith(("gate: INCONCLUSIVE (", "gate: FAIL (")) and "gate " in note[6:]
    assert done.exit_code == 0


def test_without_a_gate_there_is_no_check(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    assert not list(gate_checks(study))
    names = [key.name for check in study_checks(study) for key in check.check_keys]
    assert "gate" not in names
