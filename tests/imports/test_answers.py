"""A table of answers comes into a study: they are graded, and nobody is asked for them again."""

import json
import random
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.imports.answers.rows import by_condition
from tests.commands import Program
from tests.s3_server import S3Server
from tests.studies import write_study
from tests.whole.looking import assert_reconciled

HERE = Path(__file__).parent
Row = dict[str, Any]
ANSWERS: list[Row] = [
    {"item_id": f"q{n}", "solution": f"ANSWER: {n + n if n < 3 else 0}"} for n in range(1, 5)
]


def declare(folder: Path, **more: Any) -> Path:
    """A study of four sums, one model, one scorer and a judge."""
    given: dict[str, Any] = {"models": ["mockllm/m"], "graders": ["mockllm/j"], **more}
    return write_study(folder, **given)


def table(folder: Path, rows: Iterable[Row], name: str = "answers.csv") -> Path:
    path, frame = folder / name, pd.DataFrame(rows)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".json":
        path.write_text(json.dumps([*rows]))
    elif path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in [[*frame.columns], *frame.values.tolist()]:
            book.active.append(row)
        book.save(path)
    return path


def run(config: Path) -> Any:
    return ie.run(config, policy="full-interactive")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json", "jsonl", "xlsx"])
def test_answers_come_in_and_only_judges_are_called(tmp_path: Path, suffix: str) -> None:
    config, path = declare(tmp_path), table(tmp_path, ANSWERS, f"answers.{suffix}")
    found = ie.import_results(path, config)
    assert (found.items, found.solutions, found.gradings, found.logs) == (4, 4, 0, 1)
    assert any("nobody knows what these answers cost" in note for note in found.notes)
    assert ie.import_results(path, config).is_nothing
    summary = run(config)
    assert (summary.exit_code, summary.calls) == (0, 4)
    solutions = ie.table(config, "solutions")
    told = dict(zip(solutions["item_id"], solutions["solution"], strict=True))
    assert told == {row["item_id"]: row["solution"] for row in ANSWERS}
    assert solutions["usd"].isna().all() and solutions["error"].isna().all()
    rows = ie.table(config, "gradings_long")
    scored = rows[rows["grade_kind"] == "verifiable"]
    assert dict(zip(scored["item_id"], scored["score"], strict=True)) == {
        "q1": 1.0,
        "q2": 1.0,
        "q3": 0.0,
        "q4": 0.0,
    }
    [run_id] = solutions["run_id"].unique()
    manifest = json.loads(
        next((tmp_path / "studies").rglob(f"manifests/{run_id}.json")).read_text()
    )
    assert manifest["imported_from"] == str(path) and len(manifest["sha256"]) == 64
    assert run_cli(["report", str(config)]) == 0
    assert run_cli(["release", str(config)]) == 0
    assert_reconciled(config)


@pytest.mark.parametrize(("mark", "encoding"), [(";", "cp1252"), ("\t", "utf-16")])
def test_a_table_as_spreadsheets_save_it(tmp_path: Path, mark: str, encoding: str) -> None:
    path = tmp_path / "answers.csv"
    rows = [{**ANSWERS[0], "solution": "é, 2"}]
    pd.DataFrame(rows).to_csv(path, index=False, sep=mark, encoding=encoding)
    config = declare(tmp_path)
    assert ie.import_results(path, config).solutions == 1
    assert ie.table(config, "solutions")["solution"].tolist() == ["é, 2"]


def test_conditions_and_epochs_are_told_by_columns(tmp_path: Path) -> None:
    config = declare(tmp_path, models=["mockllm/m", "mockllm/n"], replications=2)
    rows = [
        {**row, "model": model, "epoch": epoch, "solution": f"{model} {epoch}"}
        for row in ANSWERS
        for model in ("mockllm/m", "mockllm/n")
        for epoch in (1, 2)
    ]
    found = ie.import_results(table(tmp_path, rows), config)
    assert (found.solutions, found.logs) == (16, 2)
    solutions = ie.table(config, "solutions")
    assert (
        solutions["solution"] == solutions["model"] + " " + solutions["epoch"].astype(str)
    ).all()


def test_the_solutions_of_another_study_are_such_a_table(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    theirs = declare(tmp_path / "one", graders=[])
    run(theirs)
    path = tmp_path / "solutions.parquet"
    ie.table(theirs, "solutions").to_parquet(path)
    config = declare(tmp_path / "two")
    assert ie.import_results(path, config).solutions == 4
    assert run(config).calls == 4


def test_what_does_not_fit_stays_out_and_is_counted(tmp_path: Path) -> None:
    config = declare(tmp_path)
    odd = [
        {"item_id": "q9", "solution": "x"},
        {"item_id": "q1", "solution": "x", "epoch": 2},
        {"item_id": "q2", "solution": "  "},
    ]
    path = table(tmp_path, [ANSWERS[0], *odd, ANSWERS[2]], "answers.json")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    found = ie.import_results(path, config, dry_run=True)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert found.solutions == 2
    assert [left.words for left in found.left_out] == [
        "1 answer of further epochs",
        "1 answer to unknown items",
        "1 answer without text",
    ]
    ie.import_results(path, config)
    assert run(config).calls == 2 + 4  # of q2 and q4, and of the judge


def test_more_answers_come_in_later_and_known_ones_stay(tmp_path: Path) -> None:
    config = declare(tmp_path)
    ie.import_results(table(tmp_path, ANSWERS[:2]), config)
    changed = [{**ANSWERS[0], "solution": "another one"}, *ANSWERS[1:]]
    found = ie.import_results(table(tmp_path, changed), config)
    assert found.solutions == 2
    solutions = ie.table(config, "solutions")
    told = dict(zip(solutions["item_id"], solutions["solution"], strict=True))
    assert told == {row["item_id"]: row["solution"] for row in ANSWERS}
    assert_reconciled(config)


def test_answers_come_into_a_bucket(tmp_path: Path, s3: S3Server, s3_location: str) -> None:
    config = declare(tmp_path, extra={"output_dir": s3_location})
    path = table(tmp_path, ANSWERS)
    assert ie.import_results(path, config).solutions == 4
    assert ie.import_results(path, config).is_nothing
    assert run(config).calls == 4


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"id": "q1", "solution": "x"}], r"no column 'item_id'.*found id, solution"),
        ([{"item_id": "q1", "answer": "x"}], r"no column 'solution'"),
        ([{"item_id": "q7", "solution": "x"}], r"none of its 1 row .*the study has no such items"),
        (2 * [ANSWERS[0]], r"line 3: item 'q1', epoch 1 has an answer .* in line 2"),
        ([{**ANSWERS[0], "epoch": 0}], r"line 2: epoch is '0'; give 1, 2"),
        ([{**ANSWERS[0], "epoch": 1.5}], r"line 2: epoch is '1.5'"),
        (
            [{**ANSWERS[0], "model": "mockllm/x"}],
            r"no generate condition has model 'mockllm/x'; .*m'\? Nothing was taken",
        ),
        ([{**ANSWERS[0], "model": "a/b"}], r"'a/b'; there are: mockllm/m\. Nothing was taken"),
        ([ANSWERS[0]], r"2 generate conditions may have given this answer; add the column model"),
    ],
)
def test_a_table_that_cannot_come_in_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[Row], words: str
) -> None:
    models = ["mockllm/m", "mockllm/n"] if "may have given" in words else ["mockllm/m"]
    config, path = declare(tmp_path, models=models), table(tmp_path, rows)
    with pytest.raises(ItemevalAssetsError, match=words):
        ie.import_results(path, config)
    assert run_cli(["import", str(path), str(config)]) == 2
    assert "Nothing was taken" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize("points", [2, pytest.param(20, marks=pytest.mark.long)])
def test_an_import_that_is_killed_is_gone_on_with(tmp_path: Path, points: int) -> None:
    config, path = declare(tmp_path), table(tmp_path, ANSWERS)
    for last in sorted(random.Random(points).sample(range(2, 25), min(points, 20))):
        shutil.rmtree(tmp_path / "studies", ignore_errors=True)
        process = Program(HERE / "killed.py", path, config, str(last))
        assert process.wait() in (-signal.SIGKILL, 0)
        ie.import_results(path, config)
        solutions = ie.table(config, "solutions")
        told = dict(zip(solutions["item_id"], solutions["solution"], strict=True))
        assert told == {row["item_id"]: row["solution"] for row in ANSWERS}
    assert run(config).calls == 4
    assert_reconciled(config)


def test_a_task_takes_in_logs_and_no_table(tmp_path: Path) -> None:
    shutil.copy(HERE / "eval_logs" / "tasks.py", tmp_path)
    config = tmp_path / "study.yaml"
    document = {
        "study": "logged",
        "benchmark": {"adapter": "inspect", "task": "tasks.py@capitals"},
        "solvers": {"models": ["mockllm/model"]},
        "facets": {"replications": 1},
    }
    config.write_text(yaml.safe_dump(document))
    with pytest.raises(ItemevalAssetsError, match=r"is no folder and no \.eval file"):
        ie.import_results(table(tmp_path, ANSWERS), config)


@settings(max_examples=30)
@given(order=st.permutations(range(4)))
def test_the_order_of_rows_says_nothing(order: list[int]) -> None:
    from itemeval_assets.core.design.cells.pending import Cell
    from itemeval_assets.imports.answers.rows import AnswerRow

    rows = [AnswerRow(f"line {n}", f"c{n % 2}", Cell(f"q{n}", 1), str(n)) for n in range(4)]
    assert by_condition([rows[n] for n in order]) == by_condition(rows)
