"""The long table: every grading event once, beside the solution it graded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.tables.schemas import GRADINGS_LONG, arrow_schema
from itemeval_assets.stages.gradings_long import join
from tests.rows import grading, solution, table

COLUMNS = (
    "study, item_id, dataset_id, dataset_revision, model, prompt_name, prompt_hash, "
    "model_config_name, replication, gen_condition_id, gen_condition_slug, grade_condition_id, "
    "grade_condition_slug, grade_kind, grader_name, grader_model, rubric_name, rubric_hash, "
    "scorer_name, score, score_raw, parse_ok, parse_error, reasoning, solution, "
    "judge_completion, temperature_requested, temperature_effective, reasoning_effort, "
    "gen_input_tokens, gen_output_tokens, gen_total_tokens, gen_reasoning_tokens, gen_usd, "
    "gen_latency_s, grade_input_tokens, grade_output_tokens, grade_total_tokens, grade_usd, "
    "grade_latency_s, gen_run_id, grade_run_id, gen_log_file, grade_log_file, created_at"
)
OF_SOLUTION = {
    "dataset_id": "d",
    "dataset_revision": "r",
    "model": "m/x",
    "prompt_name": "p",
    "prompt_hash": "h",
    "model_config_name": "c",
    "gen_condition_slug": "s",
    "solution": "the solution",
    "temperature_requested": 0.5,
    "temperature_effective": 1.0,
    "reasoning_effort": "low",
    "gen_input_tokens": 1,
    "gen_output_tokens": 2,
    "gen_total_tokens": 3,
    "gen_reasoning_tokens": 4,
    "gen_usd": 0.1,
    "gen_latency_s": 1.5,
    "gen_run_id": "gen-run",
    "gen_log_file": "gen.eval",
}
OF_GRADING = {
    "study": "toy",
    "item_id": "q1",
    "replication": 2,
    "gen_condition_id": "g1",
    "grade_condition_id": "j1",
    "grade_condition_slug": "js",
    "grade_kind": "judge",
    "grader_name": "judge",
    "grader_model": "m/judge",
    "rubric_name": "rb",
    "rubric_hash": "rh",
    "scorer_name": None,
    "score": 0.5,
    "score_raw": "0.5",
    "parse_ok": True,
    "parse_error": None,
    "reasoning": "why",
    "judge_completion": "a reply",
    "grade_input_tokens": 5,
    "grade_output_tokens": 6,
    "grade_total_tokens": 11,
    "grade_usd": 0.2,
    "grade_latency_s": 2.5,
    "grade_run_id": "grade-run",
    "grade_log_file": "grade.eval",
    "created_at": "2026-02-02T00:00:00Z",
}


def stored(values: dict[str, Any], side: str) -> dict[str, Any]:
    """The values of a long row under their names in solutions (`gen`) or gradings (`grade`)."""
    return {
        {"gen_condition_slug": "condition_slug", "replication": "epoch"}.get(
            name, name if "condition" in name else name.removeprefix(f"{side}_")
        ): value
        for name, value in values.items()
    }


def test_45_columns_in_the_order_of_the_contract() -> None:
    names = COLUMNS.split(", ")
    assert len(names) == 45
    assert GRADINGS_LONG.column_names == names
    assert join(table("gradings"), table("solutions")).schema == arrow_schema(GRADINGS_LONG)


def test_every_value_comes_from_its_own_side() -> None:
    of_solution = {**stored(OF_SOLUTION, "gen"), "created_at": "2026-01-01T00:00:00Z"}
    solutions = table("solutions", [solution("q1", 2) | of_solution])
    gradings = table("gradings", [grading("q1", 2) | stored(OF_GRADING, "grade")])
    [row] = join(gradings, solutions).to_pylist()
    assert row == OF_SOLUTION | OF_GRADING


@pytest.mark.parametrize(
    "other", [{"item_id": "q2"}, {"epoch": 2}, {"condition_id": "g2"}, {"item_id": "Q1"}]
)
def test_a_grading_without_its_solution_keeps_its_row(other: dict[str, Any]) -> None:
    gradings = table("gradings", [grading("q1")])
    [row] = join(gradings, table("solutions", [solution() | other])).to_pylist()
    assert all(row[name] is None for name in OF_SOLUTION)
    assert (row["item_id"], row["score"], row["grade_usd"]) == ("q1", 1.0, 0.5)


CELLS = st.lists(
    st.tuples(st.sampled_from(["g1", "g2"]), st.sampled_from(["a", "b", "c"]), st.integers(1, 2)),
    unique=True,
)


@given(CELLS, CELLS, st.sampled_from([None, "timeout"]))
def test_as_many_rows_as_gradings_in_their_order(
    graded: list[tuple[str, str, int]], solved: list[tuple[str, str, int]], error: str | None
) -> None:
    gradings = [
        grading(item, epoch, gen_condition_id=condition, error=error)
        for condition, item, epoch in graded
    ]
    solutions = [
        solution(item, epoch, text=f"{condition} {item} {epoch}", condition_id=condition)
        for condition, item, epoch in solved
    ]
    rows = join(table("gradings", gradings), table("solutions", solutions)).to_pylist()
    cells = [(row["gen_condition_id"], row["item_id"], row["replication"]) for row in rows]
    assert cells == graded
    assert [row["solution"] for row in rows] == [
        " ".join(map(str, cell)) if cell in solved else None for cell in graded
    ]
