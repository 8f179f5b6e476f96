"""Own scorers by rules, in a whole study: graded free, each a condition by what defines it."""

from pathlib import Path
from typing import Any

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.studies import write_study

from .looking import assert_reconciled, rows

SCORERS = {
    "after_label": {"type": "regex", "pattern": r"ANSWER: (\d+)"},
    "holds": {"type": "contains"},
    "value": {"type": "json", "path": "answer", "scale": [0, 2]},
    "unused": {"type": "regex", "pattern": "x"},
}


def own_study(folder: Path, **scorers: Any) -> Path:
    return write_study(
        folder,
        graders=[],
        scorer=["numeric", "after_label", "holds", "value"],
        items=6,
        extra={"scorers": {**SCORERS, **scorers}},
    )


def ids(config: Path) -> dict[str, str]:
    grade = api.load_study(config).design.grade
    return {condition.grader.name: condition.id for condition in grade}


def test_own_scorers_grade_a_study_free(tmp_path: Path) -> None:
    config = own_study(tmp_path)
    summary = api.run(config)
    assert (summary.calls, summary.errored, summary.failed_checks) == (6, 0, [])
    found = {(row["scorer_name"], row["item_id"]): row for row in rows(config, "gradings")}
    assert len(found) == 24 and {row["usd"] for row in found.values()} == {0.0}
    for (name, item), row in found.items():
        if name in ("after_label", "holds"):
            # A mock answer has its number after the label.
            assert row["score"] == found["numeric", item]["score"], (name, item)
        elif name == "value":
            assert (row["score"], row["parse_error"]) == (None, "no_json_object")
        assert row["grade_kind"] == "verifiable" and row["scorer_version"]
    assert {row["score"] for row in found.values()} == {0.0, 1.0, None}
    assert_reconciled(config)
    assert api.run(config).calls == 0


def test_a_changed_pattern_is_a_new_condition_and_others_stay(tmp_path: Path) -> None:
    config = own_study(tmp_path)
    before = ids(config)
    assert before["after_label"].startswith("scorer_after-label--")
    api.run(config)
    after = ids(own_study(tmp_path, after_label={"type": "regex", "pattern": r"(\d+)"}))
    assert after.pop("after_label") != before.pop("after_label")
    assert after == before
    summary = api.run(config)
    assert summary.calls == 0
    assert [part.label for part in summary.status.grade if part.own("missing")] == []
    assert len({row["grade_condition_id"] for row in rows(config, "gradings")}) == 5


def test_a_pattern_that_does_not_compile_is_told_before_anything_is_written(
    tmp_path: Path, capsys: Any
) -> None:
    config = own_study(tmp_path, after_label={"type": "regex", "pattern": "(?<=x)y"})
    assert run_cli(["run", str(config)]) == 2
    said = capsys.readouterr().err
    assert "scorers.after_label.pattern: RE2 does not take this pattern" in said
    assert not (tmp_path / "studies").exists()
