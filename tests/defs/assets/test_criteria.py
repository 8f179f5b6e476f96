"""Partitions of criteria: each may be run alone, and calls nobody."""

from pathlib import Path

from itemeval_assets.defs.assets.automation import when_free_or_paid
from tests.defs.runs import GRADINGS, SOLUTIONS, runs_of, toy_study

RUBRIC = "---\ncriteria: [correct, clear]\n---\n{input}\n{solution}\n"


def test_a_criterion_alone_reads_the_replies_that_are_stored(tmp_path: Path) -> None:
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "essay.md").write_text(RUBRIC)
    study = toy_study(
        tmp_path,
        models=["mockllm/a"],
        prompts=["short"],
        scorer=None,
        extra={"facets": {"rubric": ["essay"]}},
    )
    total, correct, _ = study.grade_partitions()
    # Without its total there is nothing to follow.
    assert when_free_or_paid(study) is None
    with runs_of(study) as runs:

        def logs(partition):
            return runs.store.read("gradings", [partition], ["log_file"])["log_file"].to_pylist()

        assert runs.run(["items"]).success
        assert runs.run(SOLUTIONS, only=total.solutions).success
        result = runs.run(GRADINGS, only=correct)
        assert result.success and logs(correct) == []
        told = [entry.user_message for entry in runs.instance.all_logs(result.run_id)]
        label = study.design.label_of
        nothing = f"{label(correct)}: nothing to read, {label(total)} has no gradings yet"
        assert nothing in told
        for config in ({}, {"force": True}):
            assert runs.run(GRADINGS, only=total, config=config).success
            before = logs(correct)
            assert runs.run(GRADINGS, only=correct).success
            assert before != logs(correct) == logs(total) and len(set(logs(total))) == 1
            assert runs.metadata("gradings")[correct]["rows of this run"] == 3
            assert runs.run(GRADINGS, only=correct).success
            assert runs.metadata("gradings")[correct]["rows of this run"] == 0
        assert runs.run(["ledger", "export"]).success
