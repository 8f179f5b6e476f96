"""The seam of grader kinds: outside of core/grading nobody tests which kind a grader is of."""

import ast
from collections.abc import Iterator
from pathlib import Path

import itemeval_assets
from itemeval_assets.core.design.conditions.conditions import GRADER_COLUMNS
from itemeval_assets.core.grading.kinds import KINDS, SCORERS
from itemeval_assets.core.prompts.templates import make_template
from itemeval_assets.core.tables.schemas import TABLES

PACKAGE = Path(itemeval_assets.__file__).parent
GRADING = "itemeval_assets.core.grading"
OF_SEAM = ("asked_scales", "code", "function_text", "grader", "grading_prompt", "kinds", "verdict")
SEAM = {f"{GRADING}.{name}" for name in OF_SEAM}
WORDS = {*KINDS, *SCORERS, *(scorer.kind for scorer in SCORERS.values())}
RUBRIC = make_template("strict", "strict.md", "{input}{solution}")


def outside() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if PACKAGE / "core" / "grading" not in path.parents:
            yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""}
    return found


def words_tested(tree: ast.Module) -> set[str]:
    """Words of kinds that a comparison, a case or a table of choices names."""
    tests = (ast.Compare, ast.MatchValue, ast.Dict, ast.Set)
    return {
        leaf.value
        for node in ast.walk(tree)
        if isinstance(node, tests)
        for leaf in ast.walk(node)
        if isinstance(leaf, ast.Constant) and leaf.value in WORDS
    }


def test_others_know_the_seam_and_no_kind() -> None:
    known = {
        path: names
        for path, tree in outside()
        if (names := {n for n in imported(tree) if n.startswith(GRADING)} - SEAM)
    }
    assert known == {}


def test_others_compare_nothing_with_the_name_of_a_kind() -> None:
    tested = {path: words for path, tree in outside() if (words := words_tested(tree))}
    assert tested == {}


def test_a_scan_finds_what_it_looks_for() -> None:
    code = (
        "from itemeval_assets.core.grading.scorer import scorer\nx = row['grade_kind'] == 'judge'"
    )
    assert imported(ast.parse(code)) - SEAM == {f"{GRADING}.scorer"}
    assert words_tested(ast.parse(code)) == {"judge"}


def test_what_graders_fill_is_columns_of_gradings_and_each_grades_in_one_way() -> None:
    assert set(GRADER_COLUMNS) < set(TABLES["gradings"].column_names)
    judges = KINDS["judge"].model_validate({"model": "a/b"}).graders("j", [RUBRIC])
    for grader in [*SCORERS.values(), *judges]:
        assert set(grader.columns) < set(GRADER_COLUMNS)
        assert (grader.call is None) != (grader.rules is None)
    [rater] = (
        KINDS["human"].model_validate({"kind": "human", "scale": [0, 1]}).graders("anna", [RUBRIC])
    )
    assert set(rater.columns) < set(GRADER_COLUMNS)
    assert (rater.call, rater.rules, rater.by_people, rater.kind) == (None, None, True, "human")
