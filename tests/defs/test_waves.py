"""Waves in Dagster's grid of gradings, which also has pairs that nobody grades."""

from pathlib import Path

from itemeval_assets.core.design.partitions import Partition

from .runs import GRADINGS, SOLUTIONS, message, runs_of, toy_study


def test_a_range_over_the_grid_grades_what_the_design_has(tmp_path: Path) -> None:
    times = {"waves": ["w"], "rejudges": [{"name": "w", "anchors": 2}]}
    study = toy_study(tmp_path, models=["mockllm/a"], prompts=["short"], extra=times)
    pair = Partition((study.design.generate[-1].id, study.design.grade[-1].id))
    with runs_of(study) as runs:
        assert runs.run(["items"]).success
        assert runs.run(SOLUTIONS, span=study.generate_partitions()).success
        result = runs.run(GRADINGS, span=[study.grade_partitions()[0], pair])
        assert result.success, message(result)
        rows = runs.store.read("gradings_long", columns=["grade_condition_id"])
        assert rows.num_rows == 2 * 2 * 3 + 2
        for assets in (GRADINGS[:2], GRADINGS[2:]):
            result = runs.run(assets, only=pair)
            assert not result.success
            assert "only the first answers are graded again" in message(result)
