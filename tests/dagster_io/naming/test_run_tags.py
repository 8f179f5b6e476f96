"""Tags that say in the list of runs what a run is about."""

from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.design.partitions import Partition
from tests.defs.runs import GRADINGS, SOLUTIONS, Runs, runs_of, toy_study

TAGS = ("study", "stage", "condition", "grader", "cost")


def tags(runs: Runs, *args: Any, **how: Any) -> list[str | None]:
    """The tags of a run that is made now."""
    run = runs.instance.get_run_by_id(runs.run(*args, **how).run_id)
    assert run
    return [run.tags.get(name) for name in TAGS]


def test_a_run_says_what_it_works_on_and_what_it_cost(tmp_path: Path) -> None:
    with runs_of(toy_study(tmp_path)) as runs:
        solutions, gradings = runs.study.generate_partitions(), runs.study.grade_partitions()
        assert tags(runs, ["items"]) == [None] * 5
        *about, cost = tags(runs, SOLUTIONS, span=solutions)
        assert about == ["toy", "generate", "4 of 4", None]
        assert cost and cost.startswith("$0.00") and cost.endswith(" (mock)")
        # Nothing is left to call.
        assert tags(runs, SOLUTIONS, only=solutions[1]) == [
            "toy",
            "generate",
            "a · long",
            None,
            None,
        ]
        judged = [part for part in gradings if part.solutions == solutions[0]]
        assert tags(runs, GRADINGS, span=judged)[1:4] == ["grade", "a · short", "2 of 2"]


def test_a_run_that_repeats_another_has_a_cost_of_its_own(tmp_path: Path) -> None:
    with runs_of(toy_study(tmp_path)) as runs:
        [partition, *_] = runs.study.generate_partitions()
        assert runs.run(["items"]).success and runs.run(SOLUTIONS, only=partition).success
        assert tags(runs, SOLUTIONS, only=partition, tags={"cost": "$7"})[-1] == "$0"


def test_no_tag_is_worth_a_failed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with runs_of(toy_study(tmp_path)) as runs:

        def fails(*_: object) -> None:
            raise OSError("the database is locked")

        monkeypatch.setattr(type(runs.instance), "add_run_tags", fails)
        only: Partition = runs.study.generate_partitions()[0]
        assert runs.run(["items"]).success and runs.run(SOLUTIONS, only=only).success
